"""Many uploads, one run: when the bucket has been quiet for long enough, or people have waited for long enough."""

from dataclasses import dataclass
from datetime import datetime, timedelta


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
