"""When many uploads become one run: after a quiet period, or after the maximum wait."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from .run_request import RunRequest

# The clocks of two synchronized machines differ by less than this.
CLOCKS_DIFFER = timedelta(minutes=1)


@dataclass(frozen=True)
class SettleRule:
    """A run starts `quiet` after the last upload, but no later than `maximum_wait` after the first."""

    quiet: timedelta
    maximum_wait: timedelta


@dataclass(frozen=True)
class PendingChange:
    """The first and the last change of the bucket since the last run was started; `request` asks for a run now."""

    first_at: datetime
    last_at: datetime
    request: RunRequest | None = None

    def due_at(self, rule: SettleRule) -> datetime:
        """When the next run should start if nothing more is uploaded."""
        return min(self.last_at + rule.quiet, self.first_at + rule.maximum_wait)

    def wait(self, rule: SettleRule, now: datetime) -> timedelta:
        """How long the next run has to wait from `now`: never longer than the rule says, and not at all on request.

        Without that limit a change noted before the clock was set back by an hour would wait for an hour more.
        """
        if self.request:
            return timedelta(0)
        return max(min(self.due_at(rule) - now, rule.quiet, rule.maximum_wait), timedelta(0))

    def is_ahead_of(self, now: datetime) -> bool:
        """Whether it was noted later than `now`: by another clock, or before this one was set back."""
        return self.last_at > now
