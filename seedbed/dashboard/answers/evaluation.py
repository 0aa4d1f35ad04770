"""How well a model does, in the API's answers."""

from msgspec import field

from .part import Answer, Interval


class LabelScore(Answer, frozen=True):
    """Scores of one label on its test images."""

    precision: float
    recall: float
    f1: float
    images: int


class Scores(Answer, frozen=True):
    """Accuracy and macro-F1 on a set of photographs."""

    accuracy: float
    macro_f1: float


class UnderChanges(Answer, frozen=True):
    """Scores on the same photographs under harmless changes, by the change's name, and their means."""

    images: int
    accuracy: float
    macro_f1: float
    weakest: str = ""
    by_change: dict[str, Scores] = field(default_factory=dict)
    unchanged: Scores | None = None


class Sureness(Answer, frozen=True):
    """Shares of photographs: what a model is sure of, what of that is wrong, and what is unlike all it learnt."""

    images: int
    sure: float
    wrong: float | None = None
    unlike: float = 0.0


class WhenSure(Answer, frozen=True):
    """From which confidence on a model is sure, None for never, and how that holds on its test photographs."""

    error_rate: float
    test: Sureness
    confidence: float | None = None
    changed: Sureness | None = None


class ChampionScore(Answer, frozen=True):
    """The champion's scores on the new model's test images; `error` if it could not be scored."""

    accuracy: float = 0.0
    macro_f1: float = 0.0
    accuracy_interval: Interval = (0.0, 0.0)
    error: str | None = None
    changes: UnderChanges | None = None


class Export(Answer, frozen=True):
    """The model in another format, or `error` if it could not be exported; `agreement` is a share of photographs."""

    format: str
    file: str | None = None
    bytes: int | None = None
    largest_difference: float | None = None
    agreement: float | None = None
    error: str | None = None
    files: dict[str, str] = field(default_factory=dict)


class Evaluation(Answer, frozen=True):
    """Scores on the test images; `confusion[i][j]` counts images of label i that were predicted as label j."""

    images: int
    accuracy: float
    accuracy_interval: Interval
    macro_f1: float
    labels: tuple[str, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    per_label: dict[str, LabelScore] = field(default_factory=dict)
    champion: ChampionScore | None = None
    single_view: Scores | None = None
    views: int = 1
    exports: tuple[Export, ...] = ()
    changes: UnderChanges | None = None
    when_sure: WhenSure | None = None
