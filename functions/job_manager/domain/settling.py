"""Many uploads, one run: when the bucket has been quiet for long enough, or people have waited for long enough."""

from dataclasses import dataclass
from datetime import datetime, timedelta

# Two machines' clocks that are kept right differ by less.
CLOCKS_DIFFER = timedelta(minutes=1)


@dataclass(frozen=True)
class SettleRule:
    """A run starts `quiet` after the last upload, at the latest `maximum_wait` after the first."""

    quiet: timedelta
    maximum_wait: timedelta


@dataclass(frozen=True)
class PendingChange:
    """The bucket has changed since the last run was started: from when, until when."""

    first_at: datetime
    last_at: datetime

    def due_at(self, rule: SettleRule) -> datetime:
        """When the next run should start, if nothing more is uploaded."""
        return min(self.last_at + rule.quiet, self.first_at + rule.maximum_wait)

    def wait(self, rule: SettleRule, now: datetime) -> timedelta:
        """How long the next run has to wait from `now` on: never longer than the rule says, whatever clock noted this.

        A clock that was set back since has it an hour too long otherwise.
        """
        return max(min(self.due_at(rule) - now, rule.quiet, rule.maximum_wait), timedelta(0))

    def is_ahead_of(self, now: datetime) -> bool:
        """Whether it was noted later than `now`: by a clock that was set back since, or another one."""
        return self.last_at > now
