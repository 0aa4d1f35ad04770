"""The API's answers, as far as pages show them: functions/openapi.json describes them in full."""
