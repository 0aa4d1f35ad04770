"""What the API answers about models."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ...domain.results.scores import ChampionScore, SingleView, UnderChanges, WhenSure


@dataclass(frozen=True)
class DatasetInShort:
    """The images that a model was made from: how many were seen, how many were used, and their labels."""

    images: int
    used: int
    labels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Model:
    """A run's model: its address, its scores and what it was made from. What is not known yet is null.

    `validation_accuracy` is the model's as it is used, averaged over `views`, on the images that it was chosen on; null
    in older runs. `objective` is what the best trial measured on them in training, from one view.
    """

    run_id: str
    model_uri: str | None
    model_sha256: str | None
    objective: float | None
    validation_accuracy: float | None
    test_accuracy: float | None
    test_accuracy_interval: tuple[float, float] | None
    macro_f1: float | None
    single_view: SingleView | None
    views: int | None
    changes: UnderChanges | None
    when_sure: WhenSure | None
    hyperparameters: Mapping[str, str] | None
    dataset: DatasetInShort | None
    cost_usd: float
    created_at: datetime
    report_uri: str | None
    model_card_uri: str | None
    mosaic_uri: str | None


@dataclass(frozen=True, kw_only=True)
class Champion(Model):
    """A model that was the best for a time. It beat `champion_before`, which scored `champion` on the same images."""

    ended_at: datetime | None
    champion_before: str | None
    champion: ChampionScore | None


@dataclass(frozen=True)
class ModelList:
    """The best model and those before it, newest first; `next` is the cursor of older ones, if there are any."""

    models: tuple[Champion, ...]
    next: str | None
