"""How to ask an endpoint for a prediction."""

import os
import shlex
from collections.abc import Iterator

from ...stack import Stack
from .. import show


def how_to_try(stack: Stack, endpoint: str) -> Iterator[str]:
    """A command, and the same in Python; before them what a shell needs to reach a local cloud."""
    region = "" if stack.endpoint else stack.session.region_name or ""
    credentials = stack.session.get_credentials()
    if stack.endpoint and credentials and not os.environ.get("AWS_ENDPOINT_URL"):
        keys = {"access_key": credentials.access_key, "secret_key": credentials.secret_key}
        yield f"Use the AWS CLI or boto3 after:\n  {show.exports(stack.endpoint, keys)}"
    place = f" --region {region}" if region else ""
    words = f"--endpoint-name {shlex.quote(endpoint)} --content-type image/png --body fileb://IMAGE.png answer.json"
    yield f"Try it with:\n  aws sagemaker-runtime invoke-endpoint{place} {words}"
    where = f', region_name="{region}"' if region else ""
    client = f'boto3.client("sagemaker-runtime"{where})'
    asked = f'EndpointName="{endpoint}", ContentType="image/png", Body=open("IMAGE.png", "rb")'
    yield f'Or in Python:\n  {client}.invoke_endpoint({asked})["Body"].read()'
