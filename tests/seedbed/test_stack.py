"""Where a command that is given `--aws` looks for the stack."""

from typing import Any

import pytest

from seedbed.stack import aws_session, stack_of

OUTPUTS = {"ApiId": "a1", "ApiUrl": "https://a1.execute-api.us-east-1.amazonaws.com", "BucketName": "images"}
DESCRIBED: dict[str, Any] = {
    "Outputs": [{"OutputKey": name, "OutputValue": value} for name, value in OUTPUTS.items()],
}


@pytest.mark.parametrize(
    ("endpoint", "api"),
    [
        ("", OUTPUTS["ApiUrl"]),
        ("https://vpce-1.cloudformation.us-east-1.vpce.amazonaws.com", OUTPUTS["ApiUrl"]),
        ("http://127.0.0.1:4566/", "http://127.0.0.1:4566/_aws/execute-api/a1/$default"),
    ],
)
def test_a_stack_is_on_the_local_cloud_if_the_endpoint_is_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, api: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)

    assert stack_of(aws_session(), DESCRIBED).api_url == api
