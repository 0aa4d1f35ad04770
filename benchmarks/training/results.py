"""The measurements of the benchmark's parts; times are in seconds."""

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
    """The speed of an engine, and its largest difference from Keras's features, relative to the largest feature."""

    name: str
    images_per_second: float
    difference: float


class Verb(NamedTuple):
    """One run of a container's verb: its command, its purpose, and the seconds that its process took."""

    command: str
    purpose: str
    seconds: float


class Scores(NamedTuple):
    """Scores of one model on the test split."""

    images: int
    accuracy: float
    macro_f1: float


@dataclass(frozen=True)
class HeadWay:
    """A way from raw images to a scored head: prepare, one trial and evaluate, in this order."""

    title: str
    verbs: list[Verb]
    scores: Scores

    @property
    def seconds(self) -> float:
        return sum(verb.seconds for verb in self.verbs)


class Epoch(NamedTuple):
    """One epoch; `seconds` count from the start of the fine-tuning trial's process."""

    number: int
    seconds: float
    validation_accuracy: float


@dataclass(frozen=True)
class FineTuning:
    """One fine-tuning trial, from a head, with `images` images per epoch, and its evaluation."""

    images: int
    verbs: list[Verb]
    epochs: list[Epoch]
    scores: Scores


@dataclass(frozen=True)
class Results:
    """The results of one run of the benchmark."""

    images: int
    drawn: bool
    shortest: HeadWay
    default: HeadWay
    fine_tuning: FineTuning
    engines: list[Speed]
    plain: list[Training]
    founding: Training
