"""A notification: facts for programs, and for people a subject, a summary and sections of lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ..results.scores import ChampionScore

VERSION = 1


class Kind(StrEnum):
    """What has happened to a run."""

    STARTED = "started"
    WAITING = "waiting"
    FINISHED = "finished"
    REFUSED = "refused"
    FAILED = "failed"
    STOPPED = "stopped"


class Outcome(StrEnum):
    """What a run came to: `open` until it ends; `first_model` had no other model to beat."""

    OPEN = "open"
    FIRST_MODEL = "first_model"
    NEW_BEST = "new_best"
    NOT_BETTER = "not_better"
    NO_MODEL = "no_model"


class Form(StrEnum):
    """What a line is: a `fact` has a name, a `command` is typed into a shell, an `address` is an object's."""

    SENTENCE = "sentence"
    FACT = "fact"
    ITEM = "item"
    COMMAND = "command"
    ADDRESS = "address"


@dataclass(frozen=True)
class Line:
    """A line of a section: printable text without a line break.

    `arguments` are what a command gives to `seedbed`, without the stack's name, which its text has.
    """

    form: Form
    text: str
    name: str = ""
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """Lines under a title."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Scores:
    """How good the model of a run is: shares from 0 to 1.

    `champion` is what the best model before it scores on the same test images. `difference` is how much higher the
    model's accuracy is than that, None if there is none to compare with. `under_changes` is the mean accuracy on
    harmlessly changed test images, and `most_confused` are the two labels that were taken for each other most often.
    """

    test_images: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    macro_f1: float
    champion: ChampionScore | None = None
    difference: float | None = None
    under_changes: float | None = None
    most_confused: tuple[str, str] | None = None


@dataclass(frozen=True)
class ImageCounts:
    """How many files a run found, how many it used, and why it left out the others."""

    found: int
    used: int
    refused: int
    duplicates: int
    near_duplicates: int
    likely_wrong_labels: int


@dataclass(frozen=True, kw_only=True)
class Notification:
    """What has happened to a run of a stack. Money is in US dollars, times are in UTC.

    `subject` has at most 99 printable ASCII characters. `summary` and `sections` say everything in words. `better` is
    whether the model beat the best one before it, None if there was no comparison. `champion_before` is the run of that
    model. `reason` is why a run ended without a model, or what it waits for. What is not known is null.
    """

    kind: Kind
    outcome: Outcome
    run_id: str
    stack: str
    state: str
    subject: str
    summary: tuple[str, ...]
    created_at: datetime
    upper_bound_usd: float
    version: int = VERSION
    better: bool | None = None
    champion_before: str | None = None
    ended_at: datetime | None = None
    duration_seconds: int | None = None
    cost_usd: float = 0.0
    expected_usd: tuple[float, float] | None = None
    reason: str | None = None
    notice: str | None = None
    scores: Scores | None = None
    images: ImageCounts | None = None
    sections: tuple[Section, ...] = ()

    @property
    def attributes(self) -> Mapping[str, str]:
        """What a subscriber can filter by: strings of ASCII."""
        facts = {"kind": self.kind.value, "outcome": self.outcome.value, "stack": self.stack, "run_id": self.run_id}
        return facts if self.better is None else {**facts, "better": str(self.better).lower()}
