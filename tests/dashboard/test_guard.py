"""The page's server holds a person's credentials: who may ask it, and for what."""

import socket

import pytest

from seedbed.dashboard import guard
from seedbed.dashboard.guard import Keys

from . import examples
from .client import Client
from .fake_api import FakeApi

STOP = f"/runs/{examples.RUN_ID}/stop"


@pytest.fixture(autouse=True)
def stop_is_possible(api: FakeApi) -> None:
    api.answers[f"POST {STOP}"] = (202, {"message": "The run is being stopped."})
    api.answers["GET /runs"] = {"runs": [], "pending": None, "next": None}


def stops(api: FakeApi) -> int:
    return sum(asked.method == "POST" for asked in api.asked)


def test_the_key_opens_the_page_and_leaves_the_address(client: Client) -> None:
    answer = client.get(f"/runs?key={client.keys.key}&cursor=a%26b", Cookie="")
    assert (answer.status, answer.headers["location"]) == (303, "/runs?cursor=a%26b")
    assert answer.headers["set-cookie"] == f"{client.cookie}; HttpOnly; Path=/; SameSite=lax"


def test_a_ticket_opens_the_page_once(client: Client) -> None:
    ticket = client.keys.ticket()
    assert [client.get(f"/runs?key={ticket}", Cookie="").status for _ in range(2)] == [303, 403]


@pytest.mark.parametrize("path", ["/", "/static/style.css", "/picture", "/runs?key=wrong", "/nothing"])
def test_nothing_is_answered_without_the_key(api: FakeApi, client: Client, path: str) -> None:
    answer = client.get(path, Cookie=f"seedbed-{client.port}=wrong")
    assert (answer.status, answer.text) == (403, guard.NO_KEY)
    assert api.asked == []


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example:4580", ""])
def test_a_rebound_name_is_refused(client: Client, host: str) -> None:
    answer = client.get("/runs", Host=host or ":1")
    assert (answer.status, answer.text) == (421, guard.WRONG_HOST)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "LOCALHOST"])
def test_the_machines_own_names_are_taken(client: Client, host: str) -> None:
    assert client.get("/runs", Host=f"{host}:{client.port}").status == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_sites_page_gets_nothing_but_may_link_here(client: Client, site: str) -> None:
    assert client.get("/runs", Sec_Fetch_Site=site, Sec_Fetch_Dest="image").status == 403
    assert client.get("/runs", Sec_Fetch_Site=site, Sec_Fetch_Dest="iframe").status == 403
    assert client.get("/runs", Sec_Fetch_Site=site, Sec_Fetch_Dest="document").status == 200


def test_the_own_page_changes_things(api: FakeApi, client: Client) -> None:
    own = f"http://127.0.0.1:{client.port}"
    assert client.post(STOP, Origin=own, Sec_Fetch_Site="same-origin").status == 200
    form = client.ask("POST", f"{STOP}?token={client.keys.token}", b"", {"Origin": own})
    assert "The run is being stopped." in form.text
    assert stops(api) == 2


@pytest.mark.parametrize(
    "headers",
    [
        {guard.TOKEN_HEADER: "wrong"},
        {guard.TOKEN_HEADER: ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Cookie": ""},
        {"Host": "evil.example"},
    ],
    ids=str,
)
def test_nobody_else_changes_anything(api: FakeApi, client: Client, headers: dict[str, str]) -> None:
    answer = client.ask("POST", STOP, b"", {guard.TOKEN_HEADER: client.keys.token, **headers})
    assert answer.status in {403, 421}
    assert stops(api) == 0


def test_a_change_is_never_asked_for_by_get(api: FakeApi, client: Client) -> None:
    assert client.get(STOP).status == 405
    assert stops(api) == 0


@pytest.mark.parametrize("path", ["/runs", "/nothing", "/static/page.js", "/picture"])
def test_every_answer_has_the_security_headers(client: Client, path: str) -> None:
    headers = client.get(path).headers
    assert {name: headers.get(name) for name in guard.HEADERS} == {
        **guard.HEADERS,
        "Cache-Control": headers["Cache-Control"],
    }
    assert "access-control-allow-origin" not in headers


def test_a_body_that_is_declared_too_large_is_not_read(client: Client) -> None:
    start = f"POST /predictions HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\nCookie: {client.cookie}\r\n"
    start += f"{guard.TOKEN_HEADER}: {client.keys.token}\r\nContent-Length: {guard.MAX_BODY + 1}\r\n\r\n"
    assert answer_to(client, start.encode()).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_becomes_too_large_is_cut_off(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "MAX_BODY", 1000)
    start = f"POST /predictions HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\nCookie: {client.cookie}\r\n"
    start += f"{guard.TOKEN_HEADER}: {client.keys.token}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    start += "Transfer-Encoding: chunked\r\n\r\n"
    part = b"--b\r\n" + b'Content-Disposition: form-data; name="photo"; filename="a"\r\n\r\n' + b"x" * 2000
    assert answer_to(client, start.encode() + b"%x\r\n" % len(part) + part).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_stands_still_is_ended(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_TIMEOUT", 0.05)
    start = f"POST /predictions HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\nCookie: {client.cookie}\r\n"
    start += f"{guard.TOKEN_HEADER}: {client.keys.token}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    assert answer_to(client, (start + "Content-Length: 100\r\n\r\n--b").encode()).startswith(b"HTTP/1.1 408 ")


def test_keys_differ_and_are_not_shown() -> None:
    assert Keys().key != Keys().key
    assert Keys().token != Keys().token


def answer_to(client: Client, request: bytes) -> bytes:
    """The start of the answer to bytes that no library would send."""
    with socket.create_connection(("127.0.0.1", client.port), timeout=60) as connection:
        connection.sendall(request)
        return connection.recv(1000)
