"""The list of runs: short, in pages, and as quick for the thousandth run as for the first."""

from typing import Any

import msgspec

from seedbed.dashboard.answers.runs import RunInShort
from seedbed.dashboard.pages.runs import SHOWN
from seedbed.dashboard.views import runs as view

from . import examples
from .client import Client
from .fake_api import FakeApi

THOUSAND = [examples.short_run(run_id=f"sb-{number:016x}-1") for number in range(1000)]


def row(state: str = "Completed", **more: Any) -> view.Row:
    (shown,) = view.rows([msgspec.convert(examples.short_run(state, **more), RunInShort)])
    return shown


def test_a_run_is_a_line() -> None:
    shown = row()
    assert (shown.accuracy, shown.images, shown.took) == ("78.6%", "120", "1\u00a0min 4\u00a0s")
    assert shown.started == "2026-11-26 21:08 UTC"


def test_states_are_marked() -> None:
    assert [row(state).chip for state in ("Completed", "Tuning", "Failed", "Refused", "Stopped")] == [
        "best",
        "active",
        "failed",
        "failed",
        "",
    ]
    assert row(won=False).chip == ""


def test_a_run_says_why_it_ended_or_what_it_waits_for() -> None:
    assert row("Failed", reason="The quota is 0.").says == "The quota is 0."
    assert row("Tuning", notice="AWS has no machine free.").says == "AWS has no machine free."


def test_a_thousand_runs_are_asked_for_and_shown_a_page_at_a_time(api: FakeApi, client: Client) -> None:
    api.answers["GET /runs"] = {"runs": THOUSAND[:SHOWN], "pending": None, "next": THOUSAND[SHOWN - 1]["run_id"]}
    text = client.get("/runs").text
    assert [asked.query for asked in api.asked] == [{"limit": str(SHOWN)}]
    assert text.count('<th scope="row">') == SHOWN
    assert f'href="/runs?cursor={THOUSAND[SHOWN - 1]["run_id"]}"' in text
    assert len(text) < 40_000


def test_older_runs_are_asked_for_by_cursor(api: FakeApi, client: Client) -> None:
    api.answers["GET /runs"] = {"runs": THOUSAND[-3:], "pending": None, "next": None}
    text = client.get("/runs?cursor=sb-1").text
    assert api.asked[0].query["cursor"] == "sb-1"
    assert "Earlier runs" in text
    assert "Older runs" not in text


def test_a_hostile_run_is_only_text(api: FakeApi, client: Client) -> None:
    hostile = examples.short_run("Failed", run_id='"><img src=x>', reason=examples.HOSTILE)
    api.answers["GET /runs"] = {"runs": [hostile], "pending": None, "next": 'javascript:"&x'}
    text = client.get("/runs").text
    assert "<img" not in text
    assert examples.HOSTILE not in text
    assert "cursor=javascript%3A%22%26x" in text


def test_no_run_yet_says_how_to_begin(api: FakeApi, client: Client) -> None:
    api.answers["GET /runs"] = {"runs": [], "pending": None, "next": None}
    assert "upload FOLDER" in client.get("/runs").text
