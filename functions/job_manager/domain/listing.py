"""How often the bucket is listed for uploads whose events were lost: seldom while nothing changes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from .dataset import digest_of
from .plan import Plan
from .run import Run

SOONEST = timedelta(minutes=5)
SELDOM, LATEST = timedelta(hours=1), timedelta(days=1)
KEYS_A_PAGE = 1000
A_PAGE_EACH = timedelta(seconds=90)
"""A page costs $0.000005: one every 90 seconds is $0.15 a month, whatever the bucket's size."""


@dataclass(frozen=True)
class Listing:
    """The latest listing of the bucket that found nothing new: of so many keys, under these circumstances.

    `in_a_row` is how many listings found nothing new since the circumstances changed.
    """

    at: datetime
    keys: int
    circumstances: str
    in_a_row: int = 1

    @property
    def interval(self) -> timedelta:
        """How long the next one can wait: twice as long each time, up to an hour, or for large buckets a day."""
        seldom = min(max(SELDOM, -(-self.keys // KEYS_A_PAGE) * A_PAGE_EACH), LATEST)
        return min(SOONEST * (1 << min(self.in_a_row - 1, 10)), seldom)

    def is_recent(self, now: datetime, circumstances: str) -> bool:
        """Whether the bucket need not be listed again yet. A clock that was set back since makes it old."""
        return circumstances == self.circumstances and self.at <= now < self.at + self.interval

    def followed_by(self, now: datetime, keys: int, circumstances: str) -> "Listing":
        """The listing after this one, which found nothing new either."""
        again = self.in_a_row + 1 if circumstances == self.circumstances else 1
        return Listing(now, keys, circumstances, again)


def circumstances(last: Run | None, plan: Plan, now: datetime) -> str:
    """A digest of what decides, besides the images, whether they get a run: the last one, the plan and the month."""
    return digest_of([f"{last.run_id} {last.state}" if last else "", repr(plan), f"{now:%Y-%m}"])
