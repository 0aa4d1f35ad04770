"""Calls to AWS are traced where tracing is switched on; nothing of it is loaded elsewhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.template import Template

FUNCTIONS = Path(__file__).parents[2] / "functions"
HANDLERS = sorted(
    properties["Handler"].split(".")[0]
    for properties in Template().functions.values()
    if properties["CodeUri"] == "functions/"
)
SCRIPT = f"""
import json, sys
sys.path.insert(0, {str(FUNCTIONS)!r})
for name in {HANDLERS!r}:
    __import__(name)
from job_manager.wiring import aws, client
aws()
import botocore.client
patched = type(vars(botocore.client.BaseClient)["_make_api_call"]).__name__ == "FunctionWrapper"
print(json.dumps([patched, "aws_xray_sdk" in sys.modules]))
"""


@pytest.mark.parametrize(("tracing", "loaded"), [("Active", True), ("Disabled", False)])
def test_tracing_loads_only_where_it_is_switched_on(tracing: str, loaded: bool) -> None:
    stack = Template(
        physical={
            "Bucket": "images",
            "Table": "runs",
            "Topic": "arn:aws:sns:us-east-1:123456789012:topic",
            "EventTopic": "arn:aws:sns:us-east-1:123456789012:events",
            "SettleQueue": "settle",
        },
        attributes={("TrainingRole", "Arn"): "arn:aws:iam::123456789012:role/seedbed-training"},
    )
    stack.parameters["Tracing"]["Default"] = tracing
    in_lambda = {"LAMBDA_TASK_ROOT": str(FUNCTIONS), "AWS_LAMBDA_FUNCTION_NAME": "seedbed"}
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, **stack.environment, **in_lambda},
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(ended.stdout) == [loaded, loaded]
