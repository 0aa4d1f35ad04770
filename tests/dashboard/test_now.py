"""The page on the present: what it shows of a run in progress, and of none."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from seedbed.dashboard.answers.runs import Pending, Run, RunInShort
from seedbed.dashboard.answers.trials import Epoch
from seedbed.dashboard.views import now as view

from . import examples
from .client import Client
from .fake_api import FakeApi

NOW = datetime(2026, 11, 26, 21, 9, 2, tzinfo=UTC)
EPOCHS = msgspec.convert(examples.EPOCHS, tuple[Epoch, ...])


def opened(state: str = "Tuning", curves: bool = True, **more: Any) -> view.OpenRun:
    run = msgspec.convert(examples.run(state, **more), Run)
    return view.open_run(run, {trial.name: EPOCHS for trial in run.trials} if curves else {}, NOW)


def states(shown: view.OpenRun) -> dict[str, str]:
    return {stage.title: stage.state for stage in shown.stages}


def test_stages_before_the_present_one_are_done() -> None:
    assert states(opened("Tuning")) == {"Prepare": "done", "Tune": "now", "Evaluate": "later"}


def test_a_run_of_many_images_has_two_stages_more() -> None:
    plan = {**examples.PLAN, "prepare_instances": 2, "head_sample": 20_000}
    shown = opened("Refitting", plan=plan)

    assert states(shown) == {
        "Prepare": "done",
        "Merge": "done",
        "Tune": "done",
        "Refit": "now",
        "Evaluate": "later",
    }
    assert [stage.note for stage in shown.stages if stage.title == "Refit"] == ["0 of 1 job"]


def test_fine_tuning_is_a_stage_of_the_full_plan() -> None:
    plan = {**examples.PLAN, "fine_tuning": {"trials": 2, "epochs": 12}}
    shown = opened("FineTuning", plan=plan)
    assert states(shown)["Fine-tune"] == "now"
    assert [stage.note for stage in shown.stages if stage.title == "Fine-tune"] == ["0 of 2 trials"]


def test_a_processing_job_tells_how_far_it_is() -> None:
    shown = opened("Preparing", progress={"done": 20, "total": 72}).stages[0]
    assert (shown.done, shown.total, shown.note) == (20, 72, "20 of 72 images")
    assert opened("Tuning", progress=None).stages[0].note == ""


def test_trials_are_counted_as_they_end() -> None:
    trials = [examples.trial(1), examples.trial(2, "InProgress"), examples.trial(3, "Failed")]
    tune = opened(trials=trials).stages[1]
    assert (tune.note, tune.done, tune.total) == ("2 of 4 jobs", 2, 4)


def test_trials_stand_newest_first_with_their_figures() -> None:
    first, second = opened(trials=[examples.trial(1), examples.trial(2, "InProgress")]).trials
    assert (second.name, second.status, second.accuracy, second.best) == ("001-eef44488", "completed", "85.0%", True)
    assert (first.name, first.status, first.active, first.took) == ("002-eef44488", "running", True, "59\u00a0s")
    assert first.accuracy == "60.0%"
    assert first.settings == "learning rate 0.0025"


def test_a_learning_curve_says_in_words_what_it_draws() -> None:
    (shown,) = opened(trials=[examples.trial(1)]).trials
    assert 'aria-label="Validation accuracy over 3 epochs: from 10.0% to 30.0%"' in str(shown.curve)
    assert str(shown.curve).count("<polyline") == 2


def test_a_trial_without_epochs_has_no_curve() -> None:
    (shown,) = opened(curves=False, trials=[examples.trial(1)]).trials
    assert shown.curve is None


def test_only_the_latest_trials_are_shown() -> None:
    shown = opened(trials=[examples.trial(number) for number in range(1, 751)])
    assert (len(shown.trials), shown.more_trials) == (12, 738)


@pytest.mark.parametrize("rate", ["", "none", examples.HOSTILE])
def test_a_hyperparameter_that_is_no_number_is_left_out(rate: str) -> None:
    (shown,) = opened(trials=[examples.trial(1, hyperparameters={"learning_rate": rate})]).trials
    assert shown.settings == ""


def test_cost_is_told_with_what_was_expected() -> None:
    shown = opened(cost_usd=0.127, expected_usd=[0.2, 0.45])
    assert (shown.cost, shown.expected) == ("US$\u00a00.13", "US$\u00a00.20 to US$\u00a00.45 expected")
    assert (opened().cost, opened().expected) == (view.FREE, view.HERE)
    assert (opened(cost_usd=0.127).cost, opened(cost_usd=0.127).expected) == ("US$\u00a00.13", "")


@pytest.mark.parametrize(
    ("state", "sentence", "again"),
    [
        ("Completed", "has completed: 78.6% of the test images right, now the best model.", False),
        ("Failed", "failed.", True),
        ("Stopped", "was stopped.", True),
        ("Refused", "was refused.", False),
    ],
)
def test_a_run_that_has_ended_is_a_sentence(state: str, sentence: str, again: bool) -> None:
    shown = view.ended_run(msgspec.convert(examples.short_run(state), RunInShort))
    assert (shown.sentence, shown.again) == (sentence, again)


def test_what_waits_is_told() -> None:
    pending = Pending(first_at=NOW, last_at=NOW)
    assert view.waiting(None, in_progress=False) == ""
    assert "which starts once they have ended" in view.waiting(pending, in_progress=False)
    assert "next run" in view.waiting(pending, in_progress=True)


def show(api: FakeApi, *runs: dict[str, Any], pending: Any = None) -> None:
    """Let the API have these runs, the first of them as the newest."""
    in_progress = next((run["run_id"] for run in runs if not run["ended_at"]), None)
    api.answers["GET /health"] = examples.health(in_progress)
    api.answers["GET /runs"] = {"runs": runs, "pending": pending, "next": None}
    for run in runs:
        api.answers[f"GET /runs/{run['run_id']}"] = run
        curves = [{**trial, "epochs": examples.EPOCHS} for trial in run["trials"]]
        api.answers[f"GET /runs/{run['run_id']}/trials"] = {
            "run_id": run["run_id"],
            "state": run["state"],
            "trials": curves,
        }


def test_without_a_run_the_page_says_how_to_begin(api: FakeApi, client: Client) -> None:
    show(api)
    text = client.get("/").text
    assert "No run yet" in text
    assert "upload FOLDER" in text


def test_a_run_in_progress_is_polled_and_can_be_stopped(api: FakeApi, client: Client) -> None:
    show(api, examples.run("Tuning", trials=[examples.trial(1)], notice="AWS has no machine free."))
    page, part = client.get("/").text, client.part("/").text
    assert 'hx-get="/" hx-trigger="every 2s"' in page
    assert part.startswith('<section id="live"')
    assert f'action="/runs/{examples.RUN_ID}/stop?token={client.keys.token}"' in page
    assert "AWS has no machine free." in page
    assert "<svg" in part


def test_curves_of_ended_trials_are_asked_for_once(api: FakeApi, client: Client) -> None:
    show(api, examples.run("Tuning", trials=[examples.trial(1), examples.trial(2, "InProgress")]))
    client.part("/")
    client.part("/")
    asked = [each.query["curves"] for each in api.asked if each.path.endswith("/trials")]
    first, second = (examples.trial(number)["name"] for number in (1, 2))
    assert asked == [f"{second},{first}", second]


def test_a_failed_run_says_why_and_can_be_tried_again(api: FakeApi, client: Client) -> None:
    show(api, examples.run("Failed", reason=f"The quota is 0 {examples.HOSTILE}."))
    text = client.get("/").text
    assert "The quota is 0 &lt;script&gt;" in text
    assert f'hx-post="/runs/{examples.RUN_ID}/retry"' in text


def test_retry_says_what_the_api_says(api: FakeApi, client: Client) -> None:
    api.answers[f"POST /runs/{examples.RUN_ID}/retry"] = (202, {"message": "The images get another attempt."})
    api.answers[f"POST /runs/{examples.RUN_ID}/stop"] = (409, {"message": "The run has ended already."})
    part = client.post(f"/runs/{examples.RUN_ID}/retry", HX_Request="true")
    assert part.text.strip() == '<p class="note fine" role="status">The images get another attempt.</p>'
    refused = client.post(f"/runs/{examples.RUN_ID}/stop")
    assert (refused.status, "The run has ended already." in refused.text) == (409, True)


def test_a_run_id_leads_to_no_other_route_of_the_api(api: FakeApi, client: Client) -> None:
    assert client.post("/runs/..%2Fmodels/stop").status == 404
    assert api.asked == []


def test_uploads_that_come_in_are_told(api: FakeApi, client: Client) -> None:
    show(api, examples.run(), pending={"first_at": examples.CREATED, "last_at": examples.CREATED})
    assert "Uploads are coming in" in client.get("/").text
