"""What the parts of the benchmark measure. Times in seconds."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Training:
    """A network trained for one pass over `images` images; the rate is the median over its steps."""

    network: str
    images: int
    seconds: float
    images_per_second: float


class Speed(NamedTuple):
    """Of an engine that extracts features: its largest difference from Keras is by the largest feature."""

    name: str
    images_per_second: float
    difference: float


class Verb(NamedTuple):
    """One of the container's verbs: its command, what it was for, and how long its process took."""

    command: str
    purpose: str
    seconds: float


class Scores(NamedTuple):
    """Of one model on the test split."""

    images: int
    accuracy: float
    macro_f1: float


@dataclass(frozen=True)
class HeadWay:
    """From raw images to a scored head: prepare, one trial, evaluate, in this order."""

    title: str
    verbs: list[Verb]
    scores: Scores

    @property
    def seconds(self) -> float:
        return sum(verb.seconds for verb in self.verbs)


class Epoch(NamedTuple):
    """`seconds` since the fine-tuning trial's process started."""

    number: int
    seconds: float
    validation_accuracy: float


@dataclass(frozen=True)
class FineTuning:
    """One trial of the whole network on `images` images, from a head on, and its evaluation."""

    images: int
    verbs: list[Verb]
    epochs: list[Epoch]
    scores: Scores


@dataclass(frozen=True)
class Results:
    """All of one run of the benchmark."""

    images: int
    drawn: bool
    shortest: HeadWay
    default: HeadWay
    fine_tuning: FineTuning
    engines: list[Speed]
    plain: list[Training]
    founding: Training
