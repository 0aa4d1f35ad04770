"""Signatures of botocore and curl are accepted, unless the request was changed or is too old."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import boto3
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials as Keys
from hypothesis import given, settings
from hypothesis import strategies as st
from ministack.core import sigv4

from seedbed.local_cloud.access.signature import (
    Request,
    RequestRefused,
    check_presigned_v2,
    claimed_signature,
    is_presigned_v2,
)

KEY, SECRET, TOKEN = "SEEDBED1234567890ABC", "a secret of thirty letters or more", "a session's token"
HOST = "127.0.0.1:4566"
SIGNERS = {"s3": S3SigV4Auth, "sagemaker": SigV4Auth, "execute-api": SigV4Auth}
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8)


def secret_of(key: str, token: str) -> str | None:
    return SECRET if key == KEY and token in {"", TOKEN} else None


def accepted(request: Request, body: bytes = b"", now: datetime | None = None) -> bool:
    """Whether the request is accepted."""
    now = now or datetime.now(UTC)
    try:
        if is_presigned_v2(request):
            check_presigned_v2(request, secret_of, now)
        else:
            signature = claimed_signature(request, secret_of, now)
            signature.check(body)
            signature.check_digest(body)
    except RequestRefused:
        return False
    return True


def as_received(request: Any) -> Request:
    """A botocore request as a server receives it."""
    prepared = request.prepare()
    url = urlsplit(prepared.url)
    headers = {name.lower(): _text(value) for name, value in prepared.headers.items()}
    return Request(prepared.method, url.path, url.query, {"host": url.netloc, **headers})


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def signed(service: str, path: str = "/a", query: str = "", body: bytes = b"", token: str | None = None) -> Request:
    """A POST as botocore signs it in the headers."""
    url = f"http://{HOST}{path}{'?' * bool(query)}{query}"
    request = AWSRequest("POST", url, {"Content-Type": "text/plain", "X-Amz-Target": "A.B"}, body)
    SIGNERS[service](Keys(KEY, SECRET, token), service, "us-east-1").add_auth(request)
    return as_received(request)


@pytest.fixture(params=["v4", "v2"])
def presigned(request: pytest.FixtureRequest) -> Callable[..., Request]:
    """A function that creates requests with S3's presigned URLs of one of the two versions."""
    config = Config(signature_version="s3v4" if request.param == "v4" else None)
    s3 = boto3.client(
        "s3",
        endpoint_url=f"http://{HOST}",
        region_name="us-east-1",
        config=config,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
    )

    def make(key: str = "a b+ü/#1.jpg", seconds: int = 600, operation: str = "get_object") -> Request:
        made = urlsplit(s3.generate_presigned_url(operation, Params={"Bucket": "b", "Key": key}, ExpiresIn=seconds))
        method = "PUT" if operation == "put_object" else "GET"
        return Request(method, made.path, made.query, {"host": HOST})

    return make


@pytest.mark.parametrize("service", SIGNERS)
@settings(max_examples=60)
@given(parts=st.lists(TEXT, max_size=3), query=st.dictionaries(TEXT, TEXT, max_size=3), body=st.binary(max_size=40))
def test_a_request_signed_by_botocore_is_accepted(
    service: str, parts: list[str], query: dict[str, str], body: bytes
) -> None:
    path = "/" + "/".join(quote(part, safe="~") for part in parts if part.strip("."))
    joined = "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in sorted(query.items()))
    assert accepted(signed(service, path, joined, body), body)
    assert accepted(signed(service, path, joined, body, TOKEN), body)


def changes() -> Iterator[tuple[str, Callable[[Request], Request]]]:
    """Changes of a signed request, with their names."""
    yield "method", lambda request: replace(request, method="GET")
    yield "path", lambda request: replace(request, raw_path="/b")
    yield "query", lambda request: replace(request, query="versionId=1")
    for name, value in {
        "host": "127.0.0.1:4567",
        "x-amz-target": "A.C",
        "content-type": "text/html",
        "x-amz-date": "20200101T000000Z",
        "x-amz-security-token": TOKEN,
        "x-amz-acl": "public-read",
    }.items():
        yield name, lambda request, name=name, value=value: with_header(request, name, value)  # type: ignore[misc]
    yield "key", lambda request: with_authorization(request, KEY, "test")
    yield "signature", lambda request: with_authorization(request, "Signature=", "Signature=0")
    yield (
        "no signature",
        lambda request: replace(
            request, headers={name: value for name, value in request.headers.items() if name != "authorization"}
        ),
    )
    yield "another scheme", lambda request: with_header(request, "authorization", "Basic dGVzdDp0ZXN0")
    yield "unsigned host", lambda request: with_authorization(request, ";host", "")


def with_header(request: Request, name: str, value: str) -> Request:
    return replace(request, headers={**request.headers, name: value})


def with_authorization(request: Request, old: str, new: str) -> Request:
    return with_header(request, "authorization", request.headers["authorization"].replace(old, new))


@pytest.mark.parametrize("service", SIGNERS)
@pytest.mark.parametrize(("what", "change"), list(changes()), ids=[name for name, _ in changes()])
def test_a_request_changed_after_signing_is_refused(
    service: str, what: str, change: Callable[[Request], Request]
) -> None:
    request = signed(service, body=b"body")
    assert accepted(request, b"body")
    assert not accepted(change(request), b"body")


@pytest.mark.parametrize("service", SIGNERS)
def test_a_body_changed_after_signing_is_refused(service: str) -> None:
    assert not accepted(signed(service, body=b"body"), b"another")


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_request_signed_at_another_time_is_refused(minutes: int) -> None:
    assert not accepted(signed("sagemaker"), now=datetime.now(UTC) + timedelta(minutes=minutes))


@pytest.mark.parametrize("operation", ["get_object", "put_object"])
def test_presigned_urls_of_both_versions_are_accepted(presigned: Callable[..., Request], operation: str) -> None:
    assert accepted(presigned(operation=operation))


@pytest.mark.parametrize(
    "change",
    [
        lambda request: replace(request, method="DELETE"),
        lambda request: replace(request, raw_path="/b/another"),
        lambda request: replace(request, query=request.query.replace(KEY, "test")),
        lambda request: replace(request, query=request.query.replace("Signature=", "Signature=0")),
        lambda request: replace(request, query=request.query.replace("Expires=", "Expires=9")),
        lambda request: with_header(request, "x-amz-copy-source", "/b/secret"),
    ],
)
def test_a_presigned_url_changed_after_signing_is_refused(
    presigned: Callable[..., Request], change: Callable[[Request], Request]
) -> None:
    assert not accepted(change(presigned()))


def test_an_expired_presigned_url_is_refused(presigned: Callable[..., Request]) -> None:
    assert not accepted(presigned(seconds=60), now=datetime.now(UTC) + timedelta(minutes=2))


def test_a_presigned_url_for_longer_than_a_week_is_refused() -> None:
    request = AWSRequest("GET", f"http://{HOST}/b/k")
    SigV4QueryAuth(Keys(KEY, SECRET), "s3", "us-east-1", expires=8 * 24 * 3600).add_auth(request)
    assert not accepted(as_received(request))


def test_a_request_signed_twice_is_refused(presigned: Callable[..., Request]) -> None:
    authorization = signed("s3").headers["authorization"]
    assert not accepted(with_header(presigned(), "authorization", authorization))


def test_a_path_that_curl_signs_unencoded_is_accepted() -> None:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": HOST, "x-amz-date": stamp}
    lines = ["GET", "/api/$default/runs", "", f"host:{HOST}", f"x-amz-date:{stamp}", "", "host;x-amz-date", EMPTY]
    text = sigv4.build_string_to_sign(stamp, stamp[:8], "us-east-1", "execute-api", "\n".join(lines))
    signature = sigv4.calculate_signature(SECRET, stamp[:8], "us-east-1", "execute-api", text)
    scope = f"{KEY}/{stamp[:8]}/us-east-1/execute-api/aws4_request"
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature={signature}"
    )
    request = Request("GET", "/api/$default/runs", "", headers)
    assert accepted(request)
    assert not accepted(replace(request, raw_path="/api/$default/models"))


EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
