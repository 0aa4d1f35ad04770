"""The promises of `ports.Runs`, kept by the table on DynamoDB and the one in memory."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from job_manager.aws.dynamodb import DynamoDBRuns
from job_manager.aws.items import run_item
from job_manager.domain.dataset import DatasetReport, ExcludedFile
from job_manager.domain.errors import Conflict, NotFound
from job_manager.domain.listing import Listing
from job_manager.domain.results.evaluation import Evaluation
from job_manager.domain.results.scores import LabelScore
from job_manager.domain.results.trial import Trial
from job_manager.domain.run import Run, RunState, run_id_of
from job_manager.domain.run_request import PlanName, RunRequest
from job_manager.domain.settling import PendingChange
from job_manager.ports import Runs
from tests.fakes.world import FULL_PLAN, a_run

NINE = datetime(2026, 3, 20, 9, 0, 0, 123456, tzinfo=UTC)
LATER = NINE + timedelta(seconds=1)


def numbered(number: int, **changes: Any) -> Run:
    run_id = run_id_of(f"{number:064x}"[::-1])
    return a_run(run_id, **{"created_at": NINE + timedelta(hours=number), **changes})


def complete(runs: Runs, run: Run, *, won: bool) -> Run:
    runs.create(run)
    for state in (RunState.TUNING, RunState.EVALUATING):
        runs.move(run.moved(state), came_from=run.state)
        run = run.moved(state)
    completed = run.ended(RunState.COMPLETED, LATER, won=won)
    runs.move(completed, came_from=run.state)
    return completed


def win(runs: Runs, run: Run) -> Run:
    return complete(runs, run, won=True)


def test_the_first_change_is_pending_from_then_on(runs: Runs) -> None:
    assert runs.pending() is None
    assert runs.note_change(NINE) == PendingChange(NINE, NINE) == runs.pending()


def test_further_changes_move_the_last_and_keep_the_first(runs: Runs) -> None:
    runs.note_change(NINE)

    assert runs.note_change(LATER) == PendingChange(NINE, LATER) == runs.pending()


def test_a_change_noted_late_keeps_the_later_one(runs: Runs) -> None:
    runs.note_change(LATER)

    assert runs.note_change(NINE).last_at == LATER
    assert runs.note_change(LATER).last_at == LATER


def test_a_change_noted_before_the_clock_was_set_back_is_replaced(runs: Runs) -> None:
    runs.note_change(NINE + timedelta(hours=1))
    runs.note_change(NINE + timedelta(hours=1, minutes=1))

    assert runs.note_change(NINE) == PendingChange(NINE, NINE) == runs.pending()
    assert runs.note_change(LATER) == PendingChange(NINE, LATER)


def test_changes_compare_as_times_across_time_zones(runs: Runs) -> None:
    runs.note_change(NINE)
    berlin = timezone(timedelta(hours=1))

    assert runs.note_change((NINE - timedelta(minutes=1)).astimezone(berlin)).last_at == NINE
    assert runs.note_change((NINE + timedelta(minutes=1)).astimezone(berlin)).last_at == NINE + timedelta(minutes=1)


def test_a_pending_change_that_was_seen_is_cleared(runs: Runs) -> None:
    runs.clear_pending(runs.note_change(NINE))

    assert runs.pending() is None


def test_a_pending_change_that_grew_since_it_was_seen_stays(runs: Runs) -> None:
    seen = runs.note_change(NINE)
    runs.note_change(LATER)

    runs.clear_pending(seen)

    assert runs.pending() == PendingChange(NINE, LATER)


def test_clearing_without_a_pending_change_is_not_an_error(runs: Runs) -> None:
    runs.clear_pending(PendingChange(NINE, NINE))


REQUESTED = RunRequest("one", LATER, PlanName.FULL, 40, again=True, fine_tuning=FULL_PLAN.fine_tuning)


def test_a_request_is_kept_with_the_pending_change_and_outlasts_uploads(runs: Runs) -> None:
    runs.note_change(NINE)

    assert runs.request(REQUESTED) == PendingChange(NINE, LATER, REQUESTED) == runs.pending()
    assert runs.note_change(LATER + timedelta(seconds=1)).request == REQUESTED


def test_a_request_without_a_pending_change_is_one(runs: Runs) -> None:
    assert runs.request(REQUESTED) == PendingChange(LATER, LATER, REQUESTED) == runs.pending()


def test_a_second_request_is_a_conflict_and_changes_nothing(runs: Runs) -> None:
    runs.request(REQUESTED)

    with pytest.raises(Conflict):
        runs.request(replace(REQUESTED, request_id="two"))

    assert runs.pending() == PendingChange(LATER, LATER, REQUESTED)


def test_a_request_that_was_seen_is_cleared_though_the_change_has_grown(runs: Runs) -> None:
    seen = runs.request(REQUESTED)
    later = runs.note_change(LATER + timedelta(seconds=1)).last_at

    runs.clear_pending(seen)
    runs.clear_pending(seen)

    assert runs.pending() == PendingChange(LATER, later)


def test_a_request_that_was_not_seen_stays(runs: Runs) -> None:
    seen = runs.note_change(NINE)
    runs.request(REQUESTED)

    runs.clear_pending(seen)

    assert runs.pending() == PendingChange(NINE, LATER, REQUESTED)


def test_a_run_comes_back_as_it_was_saved(runs: Runs) -> None:
    evaluation = Evaluation(70, 0.914, (0.83, 0.96), 0.9, ("Maïs",), ((6,),), {"Maïs": LabelScore(1.0, 0.83, 0.91, 6)})
    trial = Trial("t", "Completed", {"epochs": "20"}, 0.93, 100, NINE, LATER)
    report = DatasetReport(2, 1, refused=(ExcludedFile("玉米/\x1b.png", "not an image"),))
    run = numbered(1, evaluation=evaluation, best_trial=trial, dataset=report, warm_start_from=("sb-1",))

    runs.create(run)

    assert runs.get(run.run_id) == run == runs.open_run()


def test_a_run_that_does_not_exist_is_not_found(runs: Runs) -> None:
    with pytest.raises(NotFound, match=r"There is no run sb-ffffffffffffffff-1\."):
        runs.get("sb-ffffffffffffffff-1")


def test_a_run_is_created_once(runs: Runs) -> None:
    runs.create(numbered(1))

    with pytest.raises(Conflict):
        runs.create(numbered(1, state=RunState.FAILED))


def test_one_run_is_open_at_a_time(runs: Runs) -> None:
    runs.create(numbered(1))

    with pytest.raises(Conflict):
        runs.create(numbered(2))
    with pytest.raises(NotFound):
        runs.get(numbered(2).run_id)


def test_a_refused_run_is_created_beside_an_open_one(runs: Runs) -> None:
    runs.create(numbered(1))
    runs.create(numbered(2, state=RunState.REFUSED))

    open_run = runs.open_run()
    assert open_run is not None
    assert open_run.run_id == numbered(1).run_id


def test_a_run_moves_from_its_current_state(runs: Runs) -> None:
    runs.create(numbered(1))

    runs.move(numbered(1).moved(RunState.TUNING), came_from=RunState.PREPARING)

    open_run = runs.open_run()
    assert open_run is not None
    assert open_run.state is RunState.TUNING


def test_the_second_to_move_a_run_gets_a_conflict_and_changes_nothing(runs: Runs) -> None:
    runs.create(numbered(1))
    runs.move(numbered(1).moved(RunState.TUNING), came_from=RunState.PREPARING)

    with pytest.raises(Conflict):
        runs.move(numbered(1).ended(RunState.FAILED, LATER), came_from=RunState.PREPARING)

    assert runs.get(numbered(1).run_id).state is RunState.TUNING
    assert runs.open_run() is not None


def test_a_run_that_ends_makes_room_for_the_next(runs: Runs) -> None:
    runs.create(numbered(1))
    runs.move(numbered(1).ended(RunState.FAILED, LATER), came_from=RunState.PREPARING)

    assert runs.open_run() is None
    runs.create(numbered(2))


def test_a_run_that_wins_is_the_champion_until_another_beats_it(runs: Runs) -> None:
    assert runs.champion() is None
    first = win(runs, numbered(1))
    assert runs.champion() == first

    second = win(runs, numbered(2, champion_before=first.run_id))
    assert runs.champion() == second


def test_a_run_that_does_not_win_leaves_the_champion(runs: Runs) -> None:
    first = win(runs, numbered(1))

    complete(runs, numbered(2, champion_before=first.run_id), won=False)

    assert runs.champion() == first
    assert runs.open_run() is None


@pytest.mark.parametrize("met", [None, numbered(7).run_id])
def test_a_run_that_beat_another_than_the_champion_gets_a_conflict(runs: Runs, met: str | None) -> None:
    first = win(runs, numbered(1))

    with pytest.raises(Conflict):
        win(runs, numbered(2, champion_before=met))

    assert runs.champion() == first
    assert runs.get(numbered(2).run_id).state is RunState.EVALUATING


def test_a_run_that_beat_an_unknown_champion_gets_a_conflict(runs: Runs) -> None:
    with pytest.raises(Conflict):
        win(runs, numbered(2, champion_before=numbered(1).run_id))


def test_recent_returns_the_newest_runs_up_to_the_limit(runs: Runs) -> None:
    for number in (2, 1, 3):
        runs.create(numbered(number, state=RunState.REFUSED))
    runs.note_change(NINE)
    runs.save_trial(numbered(1).run_id, Trial("t", "Completed", {}))

    assert [run.run_id for run in runs.recent(9)] == [numbered(number).run_id for number in (3, 2, 1)]
    assert [run.run_id for run in runs.recent(2)] == [numbered(number).run_id for number in (3, 2)]


def test_recent_continues_before_a_run(runs: Runs) -> None:
    for number in (2, 1, 3):
        runs.create(numbered(number, state=RunState.REFUSED))

    assert [run.run_id for run in runs.recent(1, before=numbered(3))] == [numbered(2).run_id]
    assert [run.run_id for run in runs.recent(9, before=numbered(3))] == [numbered(2).run_id, numbered(1).run_id]
    assert runs.recent(9, before=numbered(1)) == []


def test_since_returns_runs_created_then_or_later(runs: Runs) -> None:
    for number in (1, 2, 3):
        runs.create(numbered(number, state=RunState.REFUSED))

    since = {run.run_id for run in runs.since(NINE + timedelta(hours=2))}

    assert since == {numbered(2).run_id, numbered(3).run_id}


def test_recent_reads_large_runs_across_pages(runs: Runs) -> None:
    for number in range(30):
        runs.create(numbered(number, state=RunState.REFUSED, reason="x" * 100_000))

    assert len(runs.recent(25)) == 25


def test_a_run_with_thousands_of_refused_files_fits_into_an_item(runs: Runs) -> None:
    junk = [ExcludedFile("n" * 1024, "not at seedlings/<label>/<file>") for _ in range(5_000)]
    run = numbered(1, state=RunState.REFUSED, dataset=DatasetReport(0, 0).with_refused(junk))

    runs.create(run)

    assert runs.get(run.run_id) == run


def test_trials_come_in_start_order_as_last_saved(runs: Runs) -> None:
    run_id = numbered(1).run_id
    for number in (10, 2, 1):
        runs.save_trial(run_id, Trial(f"{run_id}-{number:03}-0a1b2c3d", "InProgress", {"epochs": "20"}))
    done = Trial(f"{run_id}-002-0a1b2c3d", "Completed", {"epochs": "20"}, 0.9, 100, NINE, LATER)
    runs.save_trial(run_id, done)
    runs.save_trial(numbered(2).run_id, replace(done, name="of another run"))

    assert [trial.name[-12:-9] for trial in runs.trials(run_id)] == ["001", "002", "010"]
    assert runs.trials(run_id)[1] == done
    assert runs.trials("sb-ffffffffffffffff-1") == []


def test_a_trial_that_ended_is_not_replaced_by_one_in_progress(runs: Runs) -> None:
    run_id = numbered(1).run_id
    done = Trial(f"{run_id}-001-0a1b2c3d", "Completed", {}, 0.9, 100, NINE, LATER)
    for trial in (replace(done, status="InProgress"), done, replace(done, status="Stopping")):
        runs.save_trial(run_id, trial)

    assert runs.trials(run_id) == [done]


def test_a_run_that_ended_is_unnotified_until_notified(runs: Runs) -> None:
    runs.create(numbered(1))
    assert runs.unnotified() == []
    runs.move(numbered(1).ended(RunState.FAILED, LATER), came_from=RunState.PREPARING)
    runs.create(numbered(2, state=RunState.REFUSED))
    assert sorted(runs.unnotified()) == sorted([numbered(1).run_id, numbered(2).run_id])

    runs.notified(numbered(1).run_id)
    runs.notified(numbered(1).run_id)

    assert runs.unnotified() == [numbered(2).run_id]


def test_a_reminder_does_not_change_the_run(runs: Runs) -> None:
    run = numbered(1, state=RunState.REFUSED)
    runs.create(run)

    runs.remind(run.run_id, LATER)

    assert runs.get(run.run_id) == run
    assert runs.recent(9) == [run]


@pytest.mark.parametrize(
    ("code", "error"), [("TransactionConflict", Conflict), ("ProvisionedThroughputExceeded", Exception)]
)
def test_only_a_conflict_is_raised_as_a_conflict(code: str, error: type[Exception]) -> None:
    client = boto3.client("dynamodb")
    reasons = [{"Code": "None"}, {"Code": code}]
    with Stubber(client) as stub:
        stub.add_client_error(
            "transact_write_items",
            "TransactionCanceledException",
            modeled_fields={"CancellationReasons": reasons},
        )

        with pytest.raises(error) as raised:
            DynamoDBRuns(client, "runs").create(a_run())

    assert isinstance(raised.value, Conflict) == (error is Conflict)


def test_a_run_from_before_fine_tuning_is_still_readable(table: str) -> None:
    client = boto3.client("dynamodb")
    run = numbered(1)
    later = {"best_head", "rival", "fine_tuning_seconds", "notice", "waits_for", "delay"}
    item: Any = run_item(run)
    body = {name: value for name, value in json.loads(item["body"]["S"]).items() if name not in later}
    for name in ("backbones", "fine_tuning", "evaluation_views", "exports"):
        del body["plan"][name]
    client.put_item(TableName=table, Item={**item, "body": {"S": json.dumps(body)}})

    assert DynamoDBRuns(client, table).get(run.run_id) == run


def test_the_latest_listing_is_kept(runs: Runs) -> None:
    assert runs.listing() is None
    for listing in (Listing(NINE, 5, "as it was"), Listing(NINE, 1_000_000, "as it is", 3)):
        runs.save_listing(listing)

        assert runs.listing() == listing


def test_a_run_that_ended_is_saved_with_whether_it_was_heard_of(runs: Runs) -> None:
    run = complete(runs, numbered(1), won=False)
    for told in (replace(run, notified=False), replace(numbered(2), state=RunState.COMPLETED, notified=True)):
        runs.announced(told)

    assert runs.get(run.run_id).notified is False
    assert len(runs.recent(10)) == 1
