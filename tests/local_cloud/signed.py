"""Signed requests to the API, with all of the answer."""

from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from seedbed.local_cloud.environment import REGION
from seedbed.stack import Stack
from tests.contract.openapi import check_answer


def ask(stack: Stack, path: str, method: str = "GET", **headers: str) -> dict[str, Any]:
    """An answer of the API, which must be one that openapi.json describes; as a function gives it to API Gateway."""
    request = AWSRequest(method, stack.api_url + path, headers=headers)
    credentials = stack.session.get_credentials()
    assert credentials
    SigV4Auth(credentials, "execute-api", REGION).add_auth(request)
    got = URLLib3Session().send(request.prepare())
    named = {name.title().replace("Etag", "ETag"): value for name, value in got.headers.items()}
    answer = {"statusCode": got.status_code, "headers": named, "body": got.content.decode()}
    check_answer(method, urlsplit(path).path, answer)
    return answer
