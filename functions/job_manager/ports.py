"""What the steps need from outside, one Protocol per service: `aws/` implements them on AWS, the tests in memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from .domain.dataset import DatasetReport, ExcludedFile, Snapshot, StoredObject
from .domain.images.thumbnails import Thumbnails
from .domain.images.wrong_label import WrongLabel
from .domain.job import Job, Progress
from .domain.listing import Listing
from .domain.measurement import Measurement
from .domain.notifications.notification import Notification
from .domain.notifications.plain_text import Message
from .domain.predictions.prediction import Prediction
from .domain.ranges import GivenRanges
from .domain.results.evaluation import Evaluation
from .domain.results.scores import Mistake
from .domain.results.trial import Epoch, Heads, Trial
from .domain.run import Record, Run, RunState
from .domain.run_request import RunRequest
from .domain.settling import PendingChange


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """This moment, in UTC."""


class Bucket(Protocol):
    """The bucket of images and artifacts. Reading raises NotFound or, for a damaged object, MalformedOutput."""

    def objects(self) -> Iterator[StoredObject]:
        """All objects but those of runs, pretrained weights and the ranges of the search, in key order, by pages."""

    def read_ranges(self) -> GivenRanges | None:
        """The ranges that a person chose for the search, if there are any. Raises RunRefused if they can't be read."""

    def uri(self, key: str) -> str:
        """A key's s3:// address."""

    def write_snapshot(self, run: Run, snapshot: Snapshot) -> None:
        """Save the snapshot that a run uses, and the manifest for prepare."""

    def kept_runs(self) -> Iterator[Run]:
        """Every run as it was when its snapshot was written."""

    def read_refused(self, run_id: str) -> Sequence[ExcludedFile]:
        """The files that the run's snapshot refuses."""

    def read_dataset_report(self, run_id: str) -> DatasetReport:
        """The report that prepare wrote."""

    def read_evaluation(self, run_id: str) -> Evaluation:
        """The scores that evaluate wrote."""

    def read_mistakes(self, run_id: str) -> Sequence[Mistake]:
        """The most confident mistakes on the test split that evaluate wrote."""

    def read_predictions(self, run_id: str) -> Sequence[Prediction]:
        """What the run's model predicts for each image of the test split, as evaluate wrote it."""

    def read_wrong_labels(self, run_id: str) -> Sequence[WrongLabel]:
        """The images whose label is likely wrong, the most certain ones first, as prepare wrote them."""

    def read_thumbnails(self, run_id: str) -> Thumbnails:
        """Which images have a thumbnail, as prepare wrote it."""

    def link(self, key: str) -> str:
        """An address by which anybody can read an object for a quarter of an hour, whether there is one or not."""

    def read_heads(self, run_id: str, trial: str) -> Heads:
        """What the heads of a training job scored, as the job wrote it."""

    def has(self, key: str) -> bool:
        """Whether there is an object with this key."""

    def mark_notified(self, key: str, content: Message | Notification) -> None:
        """Set the outbox mark of this key: this e-mail was sent, or this notification was published to programs."""

    def write_record(self, record: Record) -> None:
        """Save how a run ended."""

    def read_record(self, run_id: str) -> Record:
        """How a run ended."""

    def ask_to_stop(self, run_id: str, at: datetime) -> None:
        """Save that a person asked for this run to be stopped."""

    def let_expire(self, run_id: str) -> None:
        """Tag what nothing reads once the run has ended, so that the bucket's lifecycle ends it."""

    def ask_to_retry(self, run_id: str, at: datetime) -> None:
        """Save that a person asked for another attempt after this run."""


class Runs(Protocol):
    """The table of runs, their trials, the champion, and the change that waits for a run."""

    def note_change(self, at: datetime) -> PendingChange:
        """Save that the bucket changed; return the whole pending change, which may end later than `at`.

        A pending change from a clock that has been set back since is replaced: it would hide all later ones.
        """

    def pending(self) -> PendingChange | None:
        """The change that waits for a run."""

    def request(self, request: RunRequest) -> PendingChange:
        """Save a person's request for a run now, as a change of the bucket; return the whole pending change.

        Raises Conflict if there is a request already.
        """

    def clear_pending(self, seen: PendingChange) -> None:
        """Delete the pending change; if it has grown since it was seen, delete only the request that was seen."""

    def listing(self) -> Listing | None:
        """The latest listing of the bucket that found nothing new."""

    def save_listing(self, listing: Listing) -> None:
        """Save a listing of the bucket that found nothing new."""

    def create(self, run: Run) -> None:
        """Add a run.

        Raises Conflict if it exists, if another run is open and this one has not ended, or if it won over a run that is
        not the champion.
        """

    def move(self, run: Run, came_from: RunState) -> None:
        """Save a run that moved.

        Raises Conflict if it was not in `came_from`, or if it won over a run that is not the champion.
        """

    def get(self, run_id: str) -> Run:
        """A run by name. Raises NotFound if there is none."""

    def open_run(self) -> Run | None:
        """The run in progress."""

    def recent(self, limit: int, before: Run | None = None) -> Sequence[Run]:
        """The latest runs, or the latest of those created before this one, newest first."""

    def since(self, at: datetime) -> Iterator[Run]:
        """The runs created at that time or later."""

    def champion(self) -> Run | None:
        """The run with the best model."""

    def save_trial(self, run_id: str, trial: Trial) -> None:
        """Add or replace a trial; one that has ended is never replaced by one in progress."""

    def trials(self, run_id: str) -> Sequence[Trial]:
        """A run's trials, in the order they were started."""

    def unnotified(self) -> Sequence[str]:
        """The names of the runs that ended without a recorded notification."""

    def announced(self, run: Run) -> None:
        """Save a run that ended with whether anybody could have heard of it; nothing happens if it is not there."""

    def notified(self, run_id: str) -> None:
        """Record that people were notified of this run's end."""

    def remind(self, run_id: str, at: datetime) -> None:
        """Have notify called again for a run that ended."""


class Jobs(Protocol):
    """SageMaker. Starting a job that exists changes nothing; a job that does not exist is None.

    Starting a job raises JobRejected if SageMaker will never accept it, JobDelayed if it does not accept it now. Every
    other call raises JobDelayed if the permission for it is missing. Starting or describing a job of a run raises
    NameTaken if the job of that name works on another bucket.
    """

    @property
    def prefix(self) -> str:
        """What the names of this stack's runs begin with; it may use no other jobs."""

    def start_prepare(self, run: Run) -> None:
        """Start the processing job that packs the dataset."""

    def start_merge(self, run: Run) -> None:
        """Start the processing job that makes one pack of what several instances prepared."""

    def start_tuning(self, run: Run) -> None:
        """Start the tuning job that trains the heads."""

    def start_refit(self, run: Run) -> None:
        """Start the training job that trains the run's best head again, on all training images."""

    def start_fine_tuning(self, run: Run, parents: Sequence[str] = ()) -> None:
        """Start the tuning job that trains the whole network, starting from the run's best head.

        `parents` are the tuning jobs that warm-start it.
        """

    def start_evaluation(self, run: Run, models: Mapping[str, str], champion_sha256: str | None = None) -> None:
        """Start the processing job that scores models on the test split: `model`, and `rival` and `champion` if any.

        The job does not load a champion whose archive differs from `champion_sha256`; None accepts any.
        """

    def prepare_job(self, run_id: str) -> Job | None:
        """The run's prepare job."""

    def merge_job(self, run_id: str) -> Job | None:
        """The run's merge job."""

    def refit_job(self, run_id: str) -> Job | None:
        """The run's training job on all training images."""

    def tuning_job(self, name: str) -> Job | None:
        """A tuning job, by name."""

    def evaluation_job(self, run_id: str) -> Job | None:
        """The run's evaluate job."""

    def stop(self, name: str) -> None:
        """Stop a job, by name; nothing happens if it has ended or does not exist."""

    def trial(self, name: str) -> Trial:
        """A training job in full, by name. Raises NotFound if there is none."""

    def trials(self, tuning_job: str) -> Sequence[Trial]:
        """All training jobs of a tuning job, by its name; none if it does not exist.

        Of each it tells the status, times, objective, reason and tuned hyperparameters, not the billable seconds and
        the model's address.
        """


class Logs(Protocol):
    """What the jobs print."""

    def epochs(self, trial: str) -> Sequence[Epoch]:
        """The epochs that a training job has printed so far, in order; none if it has printed nothing yet."""

    def progress(self, job: str) -> Progress | None:
        """How far a processing job has printed that it is; None if it has not."""


class SettleTimer(Protocol):
    """A delayed call of start_run."""

    def arm(self, change: PendingChange, delay: timedelta) -> None:
        """Call start_run for this change after `delay`, or after 15 minutes if that is sooner."""


class Announcer(Protocol):
    """Tells people, and programs, each on a topic of their own."""

    @property
    def stack(self) -> str:
        """The stack's name, which commands for people need."""

    def mail(self, notification: Notification) -> None:
        """Send a notification to all e-mail addresses."""

    def announce(self, notification: Notification) -> None:
        """Publish a notification to all programs that subscribe."""

    def is_heard(self) -> bool:
        """Whether anybody has confirmed a subscription."""


class Metrics(Protocol):
    """What dashboards show and alarms watch."""

    def record(self, measurements: Iterable[Measurement], run_id: str | None = None) -> None:
        """Publish what was measured, of a run if it is named."""


class Ports(Protocol):
    """All ports, each made when it is first used."""

    @property
    def clock(self) -> Clock: ...
    @property
    def bucket(self) -> Bucket: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def jobs(self) -> Jobs: ...
    @property
    def logs(self) -> Logs: ...
    @property
    def timer(self) -> SettleTimer: ...
    @property
    def announcer(self) -> Announcer: ...
    @property
    def metrics(self) -> Metrics: ...
