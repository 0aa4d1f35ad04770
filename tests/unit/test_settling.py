"""When a run starts."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from job_manager.domain.settling import PendingChange, SettleRule

NINE = datetime(2026, 3, 20, 9, tzinfo=UTC)
RULE = SettleRule(quiet=timedelta(minutes=2), maximum_wait=timedelta(minutes=30))


def due_after(minutes: float) -> timedelta:
    """How long after the first upload a run is due where uploads went on for so many minutes."""
    return PendingChange(NINE, NINE + timedelta(minutes=minutes)).due_at(RULE) - NINE


def test_a_run_is_due_after_the_quiet_period() -> None:
    assert due_after(0) == timedelta(minutes=2)
    assert due_after(10) == timedelta(minutes=12)


def test_a_run_is_due_after_the_maximum_wait_at_the_latest() -> None:
    assert due_after(28) == timedelta(minutes=30)
    assert due_after(300) == timedelta(minutes=30)


@given(st.floats(0, 1e5), st.floats(0, 1e5))
def test_a_later_upload_never_makes_a_run_due_earlier(one: float, other: float) -> None:
    assert due_after(min(one, other)) <= due_after(max(one, other)) <= RULE.maximum_wait
