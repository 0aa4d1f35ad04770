"""The gate refuses every request that is unsigned, wrongly signed, too old, or sent by a web page."""

import asyncio
import itertools
import json
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Keys
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seedbed.local_cloud.access.credentials import Credentials, credentials_of
from seedbed.local_cloud.access.gate import Gate
from seedbed.local_cloud.access.keys import known_keys

from .routes import Route, routes

HOME = Credentials("SEEDBED1234567890ABC", "a secret of thirty letters or more")
HOST = "127.0.0.1:4566"
REFUSED = {400, 401, 403}
TRAINING_JOBS = Route("POST", "/", target="SageMaker.ListTrainingJobs")
WEBSOCKET = Route("GET", "/_aws/execute-api/x/stage")
FOREIGN = [
    {"host": "evil.example"},
    {"host": "evil.example:4566"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://ec2-192-0-2-1.compute-1.amazonaws.com"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
]


class Behind:
    """An app behind the gate that records the requests that reach it."""

    def __init__(self) -> None:
        self.reached: list[tuple[str, str, bytes]] = []

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        body = (await receive()).get("body", b"") if scope["type"] == "http" else b""
        self.reached.append((scope["type"], scope["path"], body))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"reached"})


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture(scope="module")
def every_route() -> list[Route]:
    found = routes()
    assert len(found) > 3000
    for path in ("/_ministack/reset", "/_ministack/config", "/_localstack/", "/_aws/execute-api/", "/health"):
        assert any(route.path == path for route in found), path
    assert any(route.target == "SageMaker.CreateProcessingJob" for route in found)
    assert any(route.query.startswith("Action=CreateStack&") for route in found)
    return found


@dataclass(frozen=True)
class Sent:
    """One request to the gate, on a machine whose clock is ahead by `late`."""

    route: Route
    headers: MutableMapping[str, str]
    body: bytes = b""
    kind: str = "http"
    late: timedelta = timedelta()

    async def of(self, behind: Behind) -> tuple[int, bytes]:
        """The status and body of the gate's answer."""
        sent: list[MutableMapping[str, Any]] = []
        websocket, plain = {"type": "websocket.connect"}, {"type": "http.request", "body": self.body}
        messages = [websocket if self.kind == "websocket" else plain]
        scope = {
            "type": self.kind,
            "method": self.route.method,
            "path": self.route.path,
            "raw_path": self.route.path.encode("latin-1"),
            "query_string": self.route.query.encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in self.headers.items()],
        }

        async def receive() -> MutableMapping[str, Any]:
            return messages.pop()

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        await Gate(behind, known_keys(HOME), lambda: datetime.now(UTC) + self.late)(scope, receive, send)
        return sent[0].get("status", sent[0].get("code", 0)), sent[-1].get("body", b"")


def ask(behind: Behind, *requests: Sent) -> list[tuple[int, bytes]]:
    """The gate's answers."""

    async def each() -> list[tuple[int, bytes]]:
        return [await asked.of(behind) for asked in requests]

    return asyncio.run(each())


def headers_of(route: Route, keys: Keys | None = None, body: bytes = b"", **more: str) -> dict[str, str]:
    """A client's headers, signed if there are keys."""
    plain = {**({"X-Amz-Target": route.target} if route.target else {}), **more}
    request = AWSRequest(route.method, f"http://{HOST}{route.path}{'?' * bool(route.query)}{route.query}", plain, body)
    if keys:
        SigV4Auth(keys, "sagemaker", "us-east-1").add_auth(request)
    return {"host": HOST, **{name.lower(): value for name, value in request.headers.items()}}


OWN = Keys(HOME.access_key, HOME.secret_key)
OTHERS = [
    Keys("test", "test"),
    Keys("000000000000", "test"),
    Keys(HOME.access_key, "test"),
    Keys(HOME.access_key, HOME.secret_key, "token"),
    Keys("ASIA0000000000000000", "secret", "token"),
]


def statuses(behind: Behind, requests: Iterable[Sent]) -> set[int]:
    return {status for status, _ in ask(behind, *requests)}


def test_no_route_answers_an_unsigned_request(behind: Behind, every_route: list[Route]) -> None:
    assert statuses(behind, (Sent(route, headers_of(route)) for route in every_route)) <= REFUSED
    assert behind.reached == []


def test_no_route_answers_other_keys(behind: Behind, every_route: list[Route]) -> None:
    pairs = zip(every_route[::4], itertools.cycle(OTHERS), strict=False)
    assert statuses(behind, (Sent(route, headers_of(route, keys)) for route, keys in pairs)) <= REFUSED
    assert behind.reached == []


def test_no_route_answers_an_old_signature(behind: Behind, every_route: list[Route]) -> None:
    late = timedelta(minutes=20)
    assert statuses(behind, (Sent(route, headers_of(route, OWN), late=late) for route in every_route)) <= REFUSED
    assert behind.reached == []


def test_no_route_answers_another_sites_page_even_if_signed(behind: Behind, every_route: list[Route]) -> None:
    pairs = zip(every_route, itertools.cycle(FOREIGN), strict=False)
    assert statuses(behind, (Sent(route, {**headers_of(route, OWN), **page}) for route, page in pairs)) <= REFUSED
    assert behind.reached == []


@pytest.mark.parametrize("page", FOREIGN, ids=lambda page: "{}: {}".format(*next(iter(page.items()))))
def test_a_signed_request_from_another_site_is_refused(behind: Behind, page: dict[str, str]) -> None:
    assert statuses(behind, [Sent(TRAINING_JOBS, {**headers_of(TRAINING_JOBS, OWN), **page})]) <= REFUSED
    assert behind.reached == []


@pytest.mark.parametrize("keys", OTHERS, ids=lambda keys: keys.access_key)
def test_a_key_not_issued_by_the_home_is_refused(behind: Behind, keys: Keys) -> None:
    assert statuses(behind, [Sent(TRAINING_JOBS, headers_of(TRAINING_JOBS, keys))]) <= REFUSED
    assert behind.reached == []


def test_the_emulators_administration_is_closed_even_to_the_owner(behind: Behind, every_route: list[Route]) -> None:
    closed = [
        route for route in every_route if route.path.startswith(("/_ministack/", "/_localstack/", "/_aws/lambda"))
    ]
    assert closed
    assert statuses(behind, (Sent(route, headers_of(route, OWN)) for route in closed)) <= REFUSED
    assert behind.reached == []


@pytest.mark.parametrize(
    "headers", [{}, {"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}], ids=["plain", "page", "site"]
)
def test_a_websocket_is_closed_before_it_opens(behind: Behind, headers: dict[str, str]) -> None:
    assert statuses(behind, [Sent(WEBSOCKET, {"host": HOST, **headers}, kind="websocket")]) == {1008}
    assert behind.reached == []


def test_a_signed_request_arrives_with_its_body(behind: Behind) -> None:
    signed = Sent(TRAINING_JOBS, headers_of(TRAINING_JOBS, OWN, b"{}"), b"{}")
    assert ask(behind, signed, Sent(WEBSOCKET, headers_of(WEBSOCKET, OWN), kind="websocket"))[0] == (
        200,
        b"reached",
    )
    assert behind.reached == [("http", "/", b"{}"), ("websocket", WEBSOCKET.path, b"")]


def test_a_body_other_than_the_signed_one_is_refused(behind: Behind) -> None:
    route = Route("PUT", "/bucket/key")
    headers = headers_of(route, OWN, b"body", **{"X-Amz-Content-SHA256": "0" * 64})
    assert statuses(behind, [Sent(route, headers, b"body")]) == {403}
    assert behind.reached == []


def test_an_action_in_a_presigned_url_is_refused(behind: Behind) -> None:
    route = Route("GET", "/", "Action=ListQueues&AWSAccessKeyId=x&Signature=x&Expires=9999999999")
    assert statuses(behind, [Sent(route, {"host": HOST})]) == {403}
    assert behind.reached == []


def test_a_token_is_refused_by_name(behind: Behind) -> None:
    route = Route("GET", "/_aws/execute-api/0a1b2c3d/$default/runs")
    [(status, body)] = ask(behind, Sent(route, {"host": HOST, "authorization": "Bearer a.b.c"}))
    assert status == 403
    assert b"A token (JWT) is taken on AWS alone" in body
    assert behind.reached == []


@pytest.mark.parametrize("target", ["SageMaker.ListTrainingJobs", "DynamoDB_20120810.ListTables"])
def test_a_refusal_names_the_key_to_use(behind: Behind, target: str) -> None:
    route = Route("POST", "/", target=target)
    [(status, body)] = ask(behind, Sent(route, headers_of(route, Keys("test", "test"), b"{}"), b"{}"))
    answer = json.loads(body)
    assert status in REFUSED
    assert "UnrecognizedClient" in answer["__type"]
    assert "`seedbed up`" in answer["message"]


SCOPE = f"{HOME.access_key}/20261126/us-east-1/s3/aws4_request"
AUTHORIZATIONS = [
    f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host, Signature=00".encode(),
    b"AWS4-HMAC-SHA256 Credential=///, SignedHeaders=;;, Signature=",
    b"AWS4-ECDSA-P256-SHA256 Credential=a/b/s3/aws4_request, SignedHeaders=x-amz-region-set, Signature=00",
    b"AWS test:signature",
]
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        b"authorization": st.sampled_from(AUTHORIZATIONS) | st.binary(max_size=30),
        b"x-amz-date": st.sampled_from([b"20261126T000000Z", b"99991231T235959Z"]) | st.binary(max_size=16),
        b"x-amz-content-sha256": st.sampled_from([b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", b"UNSIGNED-PAYLOAD"]),
        b"x-amz-target": st.binary(max_size=20),
        b"content-type": st.binary(max_size=20),
    },
)
NUMBERS = st.sampled_from(["9" * 400, "-1", "60", "9999999999"]) | st.text(max_size=6)
PRESIGNED = {
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": SCOPE,
    "X-Amz-Date": "20261126T000000Z",
    "X-Amz-SignedHeaders": "host",
    "X-Amz-Signature": "00",
    "X-Amz-Expires": "60",
}
PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "X-Amz-Algorithm": st.just("AWS4-HMAC-SHA256") | st.text(max_size=6),
        "X-Amz-Credential": st.just(SCOPE) | st.text(max_size=12),
        "X-Amz-Date": st.sampled_from(["20261126T000000Z", "99991231T235959Z"]) | st.text(max_size=16),
        "X-Amz-SignedHeaders": st.just("host") | st.text(max_size=6),
        "X-Amz-Signature": st.text(max_size=6),
        "X-Amz-Security-Token": st.text(max_size=6),
        "X-Amz-Expires": NUMBERS,
        "AWSAccessKeyId": st.just(HOME.access_key) | st.text(max_size=6),
        "Signature": st.text(max_size=6),
        "Expires": NUMBERS,
        "Action": st.text(max_size=6),
    },
)


@settings(max_examples=600, derandomize=True)
@given(HEADERS, PARAMETERS, st.binary(max_size=20), st.sampled_from(["GET", "POST", "PUT"]), st.binary(max_size=20))
@example({}, {**PRESIGNED, "X-Amz-Expires": "9" * 400}, b"k", "GET", b"")
@example({}, {**PRESIGNED, "X-Amz-Date": "99991231T235959Z"}, b"k", "GET", b"")
@example({}, {"AWSAccessKeyId": HOME.access_key, "Signature": "s", "Expires": "9" * 400}, b"k", "GET", b"")
def test_a_malformed_request_is_refused_with_an_answer(
    headers: dict[bytes, bytes], parameters: dict[str, str], path: bytes, method: str, body: bytes
) -> None:
    behind = Behind()
    route = Route(method, "/" + path.decode("latin-1"), urlencode(parameters))
    nonsense = {name.decode(): value.decode("latin-1") for name, value in headers.items()}
    assert statuses(behind, [Sent(route, {"host": HOST, **nonsense}, body)]) <= REFUSED
    assert behind.reached == []


def test_a_homes_key_is_kept_and_private(tmp_path: Any) -> None:
    first = credentials_of(tmp_path, "us-east-1")
    assert credentials_of(tmp_path, "us-east-1") == first
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    assert first.secret_key not in repr(first)


@pytest.mark.parametrize("damage", [b"", b"[default]\n", b"\xff\xfe", b"[default]\naws_access_key_id = test\n"])
def test_a_damaged_key_is_replaced(tmp_path: Any, damage: bytes) -> None:
    first = credentials_of(tmp_path, "us-east-1")
    (tmp_path / "credentials").write_bytes(damage)
    assert credentials_of(tmp_path, "us-east-1") != first
