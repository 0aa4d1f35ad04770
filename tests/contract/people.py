"""What people ask of AWS when they give a command, and whether a managed policy of the template lets them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from botocore.client import BaseClient
from ministack.core.arn import execute_api_arn
from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document

from tests.contract.template import PSEUDO_PARAMETERS, Template

ACCOUNT, REGION, STACK = (PSEUDO_PARAMETERS[f"AWS::{name}"] for name in ("AccountId", "Region", "StackName"))
BUCKET = f"seedbed-{ACCOUNT}-{REGION}"
API = "a1b2c3d4e5"
TEMPLATE = Template(physical={"Bucket": BUCKET, "HttpApi": API})
PERSON = f"arn:aws:iam::{ACCOUNT}:user/somebody"
ACTIONS = {
    "DescribeStacks": "cloudformation:DescribeStacks",
    "PutObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "DeleteObject": "s3:DeleteObject",
    "ListObjectsV2": "s3:ListBucket",
}


@dataclass(frozen=True)
class Call:
    """An action on a resource; `prefix` is what a listing begins with."""

    action: str
    resource: str
    prefix: str | None = None


def in_bucket(operation: str, key: str = "", prefix: str | None = None) -> Call:
    """A call of S3, by the name of its operation."""
    return Call(ACTIONS[operation], f"arn:aws:s3:::{BUCKET}{'/' + key if key else ''}", prefix)


def of_api(method: str, path: str, api: str = API) -> Call:
    """A signed request to the HTTP API."""
    return Call("execute-api:Invoke", execute_api_arn(REGION, ACCOUNT, api, "$default", method, path))


def of_stack(name: str = STACK) -> Call:
    """DescribeStacks, of a stack by its name."""
    return Call(ACTIONS["DescribeStacks"], f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{name}/*")


def allowed(policy: str, call: Call) -> bool:
    """Whether who has this managed policy, by its name in the template, and no other may make the call."""
    document = TEMPLATE.resolve(TEMPLATE.resources[policy]["Properties"]["PolicyDocument"])
    listing = {} if call.prefix is None else {"s3:prefix": call.prefix}
    asked = EvalContext(PERSON, "User", ACCOUNT, call.action, call.resource, REGION, service_context=listing)
    return bool(evaluate(asked, [parse_policy_document(document)]).decision == "Allow")


@contextmanager
def recorded(patch: pytest.MonkeyPatch) -> Iterator[list[Call]]:
    """The calls that boto3's clients make meanwhile. KeyError for an operation that no policy was thought of for."""
    calls: list[Call] = []
    make: Any = vars(BaseClient)["_make_api_call"]

    def noted(client: Any, operation: str, given: dict[str, Any]) -> Any:
        if operation == "DescribeStacks":
            calls.append(of_stack(given["StackName"]))
        else:
            prefix = given.get("Prefix", "") if operation.startswith("List") else None
            calls.append(in_bucket(operation, given.get("Key", ""), prefix))
        return make(client, operation, given)

    with patch.context() as patched:
        patched.setattr(BaseClient, "_make_api_call", noted)
        yield calls


@contextmanager
def api_server(answer: Callable[[str], dict[str, Any]]) -> Iterator[tuple[str, list[Call]]]:
    """An HTTP API at this address, which answers a path with JSON, and the requests that it got."""
    calls: list[Call] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            calls.append(of_api(self.command, self.path))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer(self.path)).encode())

        def log_request(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", calls
        finally:
            server.shutdown()
            thread.join()
