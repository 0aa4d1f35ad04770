"""A run only ever moves forward, and its name contains its dataset version."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_manager.domain import layout
from job_manager.domain.errors import Conflict
from job_manager.domain.run import RunState, run_id_in, run_id_of
from tests.fakes.world import FULL_PLAN, a_run

S = RunState
STAGES = (S.PREPARING, S.MERGING, S.TUNING, S.REFITTING, S.FINE_TUNING, S.EVALUATING)
ALLOWED = {
    (S.PREPARING, S.MERGING),
    (S.PREPARING, S.TUNING),
    (S.MERGING, S.TUNING),
    (S.TUNING, S.REFITTING),
    (S.TUNING, S.FINE_TUNING),
    (S.TUNING, S.EVALUATING),
    (S.REFITTING, S.FINE_TUNING),
    (S.REFITTING, S.EVALUATING),
    (S.FINE_TUNING, S.EVALUATING),
    (S.EVALUATING, S.COMPLETED),
    *((state, end) for state in STAGES for end in (S.FAILED, S.STOPPED)),
    (S.PREPARING, S.REFUSED),
}
TUNING_JOB_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,31}")
PROCESSING_JOB_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
VERSIONS = st.text("0123456789abcdef", min_size=64, max_size=64)
PREFIXES = st.sampled_from(["sb-", "sb-01234567"])


@pytest.mark.parametrize("before", S)
@pytest.mark.parametrize("after", S)
def test_a_run_moves_forward_or_not_at_all(before: RunState, after: RunState) -> None:
    run = a_run(state=before)

    if (before, after) in ALLOWED:
        assert run.moved(after).state is after
    else:
        with pytest.raises(Conflict, match=f"is {before} and can't become {after}"):
            run.moved(after)


def test_final_states_are_those_without_a_next_state() -> None:
    assert {state for state in S if state.ended} == {S.COMPLETED, S.FAILED, S.STOPPED, S.REFUSED}


@given(VERSIONS, st.integers(1, 999), PREFIXES)
def test_job_names_are_valid_for_tuning_and_processing(version: str, attempt: int, prefix: str) -> None:
    run_id = run_id_of(version, attempt, prefix)

    assert len(run_id) <= 32
    assert TUNING_JOB_NAME.fullmatch(layout.tuning_job(run_id))
    assert TUNING_JOB_NAME.fullmatch(layout.fine_tuning_job(run_id))
    assert len(layout.fine_tuning_job(run_id)) <= 32
    assert PROCESSING_JOB_NAME.fullmatch(layout.prepare_job(run_id))
    assert PROCESSING_JOB_NAME.fullmatch(layout.evaluation_job(run_id))
    assert PROCESSING_JOB_NAME.fullmatch(layout.merge_job(run_id))
    assert PROCESSING_JOB_NAME.fullmatch(layout.refit_job(run_id))


@given(VERSIONS, st.integers(1, 999), st.integers(1, 999), PREFIXES)
def test_run_id_is_read_from_the_names_of_all_its_jobs(version: str, attempt: int, trial: int, prefix: str) -> None:
    run_id = run_id_of(version, attempt, prefix)

    trials = {
        f"{run_id}-{trial:03}-0a1b2c3d": "tune",
        f"{run_id}-refit": "refit",
        f"{run_id}-fine-{trial:03}-0a1b2c3d": "fine-tune",
    }
    for name in (run_id, f"{run_id}-prepare", f"{run_id}-merge", f"{run_id}-fine", f"{run_id}-evaluate", *trials):
        assert run_id_in(name) == run_id
    assert {name: layout.stage_of(name) for name in trials} == trials


@pytest.mark.parametrize(
    "name",
    [
        "",
        "sb",
        "sb-",
        "sb-0123456789abcdef",
        "sb-0123456789abcdef-x",
        "sb-0123-1",
        "xy-0123456789abcdef-1",
        "sb-0123456789abcdef01-1",
    ],
)
def test_a_foreign_job_does_not_belong_to_a_run(name: str) -> None:
    assert run_id_in(name) is None


def test_the_runs_of_two_stacks_on_equal_images_have_different_names() -> None:
    names = {run_id_of("f" * 64, 1, prefix) for prefix in ("sb-", "sb-01234567", "sb-89abcdef")}

    assert names == {"sb-ffffffffffffffff-1", "sb-01234567ffffffffffff-1", "sb-89abcdefffffffffffff-1"}


def test_a_run_costs_the_billable_seconds_of_its_jobs() -> None:
    assert a_run().cost_usd == 0
    assert a_run(training_seconds=3600.0, processing_seconds=1800.0).cost_usd == pytest.approx(0.1 + 0.1)
    assert a_run(plan=FULL_PLAN, fine_tuning_seconds=1800.0).cost_usd == pytest.approx(0.2)
