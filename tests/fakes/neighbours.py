"""The clock, the settle timer, the announcer, the logs and the metrics in memory."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from job_manager.domain.job import Progress
from job_manager.domain.measurement import Measurement, Metric
from job_manager.domain.notifications.notification import Notification
from job_manager.domain.notifications.plain_text import Message, message_of
from job_manager.domain.results.trial import Epoch
from job_manager.domain.settling import PendingChange

LONGEST_DELAY = timedelta(seconds=900)


class MemoryClock:
    """Implements `ports.Clock`: time stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 20, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.time += timedelta(seconds=seconds)


class MemoryLogs:
    """Implements `ports.Logs`: what a test says that jobs have printed."""

    def __init__(self) -> None:
        self.printed: dict[str, list[Epoch]] = {}
        self.progressed: dict[str, Progress] = {}

    def epochs(self, trial: str) -> Sequence[Epoch]:
        return self.printed.get(trial, [])

    def progress(self, job: str) -> Progress | None:
        return self.progressed.get(job)


class SteppedClock:
    """Implements `ports.Clock` with a machine's clock, which a test sets forward and back."""

    def __init__(self, time: MemoryClock) -> None:
        self._time = time
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return self._time.now() + self.ahead

    def step(self, seconds: float) -> None:
        """Set the machine's clock; no time passes."""
        self.ahead += timedelta(seconds=seconds)


class MemoryTimer:
    """Implements `ports.SettleTimer`; `wakes` are (when, the last upload the wake-up knows of)."""

    def __init__(self, clock: MemoryClock) -> None:
        self._clock = clock
        self.wakes: list[tuple[datetime, datetime]] = []

    def arm(self, change: PendingChange, delay: timedelta) -> None:
        delay = min(max(delay, timedelta(0)), LONGEST_DELAY)
        self.wakes.append((self._clock.now() + delay, change.last_at))

    def take_next(self) -> tuple[datetime, datetime]:
        """Remove and return the earliest wake-up."""
        self.wakes.sort()
        return self.wakes.pop(0)


class MemoryAnnouncer:
    """Implements `ports.Announcer`: keeps the e-mails and what programs got; `subscribers` have confirmed."""

    stack = "seedbed"

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.announced: list[Notification] = []
        self.subscribers = 1

    def mail(self, notification: Notification) -> None:
        self.sent.append(message_of(notification))

    def announce(self, notification: Notification) -> None:
        self.announced.append(notification)

    def is_heard(self) -> bool:
        return self.subscribers > 0


class MemoryMetrics:
    """Implements `ports.Metrics`: keeps what was measured, each with the run's name."""

    def __init__(self) -> None:
        self.recorded: list[tuple[str | None, Measurement]] = []

    def record(self, measurements: Iterable[Measurement], run_id: str | None = None) -> None:
        self.recorded += ((run_id, measurement) for measurement in measurements)

    def values(self, metric: Metric) -> list[float]:
        """A metric's values, in the order in which they were recorded."""
        return [one.value for _, one in self.recorded if one.metric is metric]
