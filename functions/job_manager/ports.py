"""What the steps need of the world, one Protocol a neighbour; `aws/` has them on AWS, the tests in memory."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from .domain.dataset import DatasetReport, Named, Snapshot, StoredObject
from .domain.job import Job
from .domain.message import Message
from .domain.result import Evaluation, Trial
from .domain.run import Record, Run, RunState
from .domain.settling import PendingChange


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """This moment, in UTC."""


class Bucket(Protocol):
    """The bucket of images and artifacts. What is not there raises NotFound, what can't be read MalformedOutput."""

    def objects(self) -> Iterator[StoredObject]:
        """Everything in it, page by page."""

    def uri(self, key: str) -> str:
        """A key's s3:// address."""

    def write_snapshot(self, run: Run, snapshot: Snapshot) -> None:
        """Keep what a run is started on, and the manifest for prepare."""

    def kept_runs(self) -> Iterator[Run]:
        """Every run as it was when its snapshot was written."""

    def read_refused(self, run_id: str) -> Sequence[Named]:
        """The files that the run's snapshot refused."""

    def read_dataset_report(self, run_id: str) -> DatasetReport:
        """What prepare wrote."""

    def read_evaluation(self, run_id: str) -> Evaluation:
        """What evaluate wrote."""

    def has(self, key: str) -> bool:
        """Whether there is an object of this key."""

    def mark_notified(self, run_id: str, message: Message) -> None:
        """Set the outbox mark: this message went out."""

    def write_record(self, record: Record) -> None:
        """Keep how a run ended."""

    def read_record(self, run_id: str) -> Record:
        """How a run ended."""

    def ask_to_stop(self, run_id: str, at: datetime) -> None:
        """Keep that somebody wants this run to stop."""


class Runs(Protocol):
    """The table of runs, their trials, the champion, and the change that waits for a run."""

    def note_change(self, at: datetime) -> PendingChange:
        """Remember that the bucket changed; return the whole pending change, which may know of later ones.

        One noted by a clock that was set back since is forgotten: it would hide all that come after it.
        """

    def pending(self) -> PendingChange | None:
        """The change that waits for a run."""

    def clear_pending(self, seen: PendingChange) -> None:
        """Forget the pending change, unless it has grown since it was seen."""

    def create(self, run: Run) -> None:
        """Add a run; Conflict if it exists, if it goes on while another is open, or if it won as `move` has it."""

    def move(self, run: Run, came_from: RunState) -> None:
        """Save a run that moved; Conflict if it was not in `came_from` or the champion is not who it met."""

    def get(self, run_id: str) -> Run:
        """A run by name; NotFound if there is none."""

    def open_run(self) -> Run | None:
        """The run that is going on."""

    def recent(self, limit: int) -> Sequence[Run]:
        """The latest runs, newest first."""

    def since(self, at: datetime) -> Iterator[Run]:
        """The runs created then or later."""

    def champion(self) -> Run | None:
        """The run whose model reigns."""

    def save_trial(self, run_id: str, trial: Trial) -> None:
        """Add a trial or replace what was known of it; one that ended never goes on again."""

    def trials(self, run_id: str) -> Sequence[Trial]:
        """A run's trials, in the order they were started."""

    def untold(self) -> Sequence[str]:
        """The runs that ended and that people may not have been told of."""

    def told(self, run_id: str) -> None:
        """People know how this run ended."""

    def remind(self, run_id: str, at: datetime) -> None:
        """Have notify called once more for a run that ended."""


class Jobs(Protocol):
    """SageMaker. Starting a job which is there already changes nothing; asking for one which isn't gives None."""

    def start_prepare(self, run: Run) -> None:
        """Start the processing job that packs the dataset."""

    def start_tuning(self, run: Run) -> None:
        """Start the tuning job on the pack."""

    def start_fine_tuning(self, run: Run) -> None:
        """Start the tuning job that trains the whole network, from the run's best head on."""

    def start_evaluation(self, run: Run, models: Mapping[str, str], champion_sha256: str | None = None) -> None:
        """Start the processing job that scores models on the test split: `model`, and maybe `rival` and `champion`.

        The job does not load a champion whose archive differs from `champion_sha256`; None accepts any.
        """

    def prepare_job(self, run_id: str) -> Job | None:
        """The run's prepare job."""

    def tuning_job(self, name: str) -> Job | None:
        """A tuning job, by name."""

    def evaluation_job(self, run_id: str) -> Job | None:
        """The run's evaluate job."""

    def stop(self, name: str) -> None:
        """Ask for the end of a job, by name; nothing happens where it has ended or isn't there."""

    def trial(self, name: str) -> Trial:
        """One training job, by name; NotFound if there is none."""

    def trials(self, tuning_job: str) -> Sequence[Trial]:
        """All training jobs of a tuning job, by its name; none where it isn't there."""


class SettleTimer(Protocol):
    """Wakes start_run later."""

    def arm(self, change: PendingChange, delay: timedelta) -> None:
        """Wake start_run after `delay` for this change."""


class Announcer(Protocol):
    """Tells people."""

    def publish(self, message: Message) -> None:
        """Send to all who subscribed."""


class Ports(Protocol):
    """All of them, each made when it is first used."""

    @property
    def clock(self) -> Clock: ...
    @property
    def bucket(self) -> Bucket: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def jobs(self) -> Jobs: ...
    @property
    def timer(self) -> SettleTimer: ...
    @property
    def announcer(self) -> Announcer: ...
