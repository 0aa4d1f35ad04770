"""Images were added or removed: save that, and wake start_run after the quiet period."""

from ..domain.settling import PendingChange, SettleRule
from ..ports import Ports


def note_upload(ports: Ports, rule: SettleRule) -> PendingChange:
    """Save one change for any number of uploads, and arm the timer.

    Only the wake-up for the last change starts a run, so no earlier one has to be cancelled.
    """
    now = ports.clock.now()
    change = ports.runs.note_change(now)
    ports.timer.arm(change, change.wait(rule, now))
    return change
