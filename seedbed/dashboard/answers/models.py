"""Models that were the best for a time, in the API's answers."""

from datetime import datetime

from .dataset import DatasetInShort
from .evaluation import ChampionScore, UnderChanges
from .part import Answer, Interval


class Model(Answer, frozen=True):
    """A model that was the best for a time. It beat `champion_before`, which scored `champion` on the same images."""

    run_id: str
    created_at: datetime
    ended_at: datetime | None = None
    model_uri: str | None = None
    validation_accuracy: float | None = None
    test_accuracy: float | None = None
    test_accuracy_interval: Interval | None = None
    macro_f1: float | None = None
    views: int | None = None
    changes: UnderChanges | None = None
    hyperparameters: dict[str, str] | None = None
    dataset: DatasetInShort | None = None
    cost_usd: float = 0.0
    report_uri: str | None = None
    champion_before: str | None = None
    champion: ChampionScore | None = None


class ModelList(Answer, frozen=True):
    """The best model and those before it, newest first; `next` is the cursor of older ones."""

    models: tuple[Model, ...]
    next: str | None = None
