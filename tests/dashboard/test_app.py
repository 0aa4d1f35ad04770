"""The page's application before an API whose answers are given."""

import hashlib
from pathlib import Path

import seedbed.dashboard

from .client import Client, dashboard
from .fake_api import FakeApi

STATIC = Path(seedbed.dashboard.__file__).with_name("static")
HTMX_SHA256 = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"
NO_RUNS: dict[str, object] = {"runs": [], "pending": None, "next": None}


def test_htmx_is_the_file_that_was_reviewed() -> None:
    assert hashlib.sha256((STATIC / "htmx.min.js").read_bytes()).hexdigest() == HTMX_SHA256


def test_requests_to_the_api_are_signed(api: FakeApi, client: Client) -> None:
    api.answers["GET /runs"] = NO_RUNS
    client.get("/runs")
    assert api.asked[0].headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")


def test_an_unchanged_answer_is_not_sent_twice(api: FakeApi, client: Client) -> None:
    api.answers["GET /runs"] = NO_RUNS
    first, second = client.get("/runs"), client.get("/runs")
    assert first.text == second.text
    assert [("if-none-match" in asked.headers) for asked in api.asked] == [False, True]


def test_the_apis_sentence_is_shown(api: FakeApi, client: Client) -> None:
    api.answers["GET /runs"] = (400, {"message": "The cursor is <b>wrong</b>."})
    answer = client.get("/runs")
    assert answer.status == 400
    assert "The cursor is &lt;b&gt;wrong&lt;/b&gt;." in answer.text


def test_an_answer_of_another_release_is_a_sentence(api: FakeApi, client: Client) -> None:
    api.answers["GET /runs"] = {"runs": "many"}
    answer = client.get("/runs")
    assert answer.status == 502
    assert "update Seedbed" in answer.text


def test_a_cloud_that_has_ended_is_waited_for(api: FakeApi) -> None:
    stack = api.stack()
    api.answers["GET /runs"] = NO_RUNS
    away = type(stack)(stack.session, "http://127.0.0.1:1", stack.outputs)
    stacks = [away, stack]
    with dashboard(lambda: stacks[0]) as client:
        down = client.get("/runs")
        stacks.remove(away)
        up = client.get("/runs")
    assert down.status == 503
    assert "Start it with:" in down.text
    assert 'hx-get="/runs"' in down.text
    assert up.status == 200


def test_an_unknown_address_is_answered_by_a_page(client: Client) -> None:
    answer = client.get("/nothing")
    assert answer.status == 404
    assert "There is no such page." in answer.text
