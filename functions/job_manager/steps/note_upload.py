"""Images came or went: remember it, and wake start_run when the bucket has been quiet for long enough."""

from ..domain.settling import PendingChange, SettleRule
from ..ports import Ports


def note_upload(ports: Ports, rule: SettleRule) -> PendingChange:
    """Note one change for any number of uploads.

    Every call arms the timer with the change it saw, and only the wake-up for the last change starts a run: nothing has
    to be disarmed, and no wake-up has to arm another.
    """
    now = ports.clock.now()
    change = ports.runs.note_change(now)
    ports.timer.arm(change, change.wait(rule, now))
    return change
