"""What the search for hyperparameters looks like, as charts: history, parallel coordinates, importance, curves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from ..answers.runs import Run
from ..answers.trials import Epoch
from ..charts.bar import bar
from ..charts.coordinates import Axis, Line, coordinates
from ..charts.curves import Curve, curves
from ..charts.drawing import value
from ..charts.history import Point, history
from ..words import percent
from .importance import FEWEST, SURE, importances
from .trials import Trial, axes_of, number_in, trials_of

SERIES = {"tune": 1, "refit": 1, "fine-tune": 3}
SEARCHED = ("tune", "fine-tune")


@dataclass(frozen=True)
class ImportanceRow:
    """A hyperparameter's share, and the range of its values in the best quarter of the trials."""

    name: str
    share: str
    best: str
    searched: str
    bar: Markup


@dataclass(frozen=True)
class StageView:
    """A stage's search; `caution` says how far its importances are to be trusted."""

    title: str
    trials: int
    coordinates: Markup
    importance: tuple[ImportanceRow, ...]
    caution: str


@dataclass(frozen=True)
class Search:
    """All of a run's searching; the history is empty while no trial has an accuracy."""

    history: Markup
    has_fine_tuning: bool
    stages: tuple[StageView, ...]


@dataclass(frozen=True)
class CurvesView:
    """A trial's learning curves, empty while its job has printed no epoch; `heads` are those of the job with curves."""

    accuracy: Markup
    loss: Markup
    epochs: int
    head: int
    heads: tuple[int, ...]


def search(run: Run) -> Search:
    """How the run searched."""
    trials = trials_of(run)
    points = [
        Point(trial.number, trial.accuracy, SERIES.get(trial.stage, 1), f"Trial {trial.name}")
        for trial in trials
        if trial.accuracy is not None
    ]
    stages = [stage for stage in SEARCHED if any(trial.stage == stage for trial in trials)]
    return Search(
        history=history(points),
        has_fine_tuning="fine-tune" in stages,
        stages=tuple(
            stage_view(stage, axes_of(run, stage), [trial for trial in trials if trial.stage == stage])
            for stage in stages
        ),
    )


def stage_view(stage: str, axes: Sequence[Axis], trials: Sequence[Trial]) -> StageView:
    """One stage's search."""
    scored = [trial for trial in trials if trial.accuracy is not None]
    axes = [widened(axis, scored) for axis in axes]
    lines = [Line(trial.name, dict(trial.values), trial.accuracy or 0.0) for trial in scored]
    return StageView(
        title="Fine-tuning the network" if stage == "fine-tune" else "Tuning the heads",
        trials=len(scored),
        coordinates=coordinates(axes, lines),
        importance=importance_rows(axes, scored),
        caution=caution(len(scored)),
    )


def widened(axis: Axis, trials: Sequence[Trial]) -> Axis:
    """The axis with all values on it: heads that vary around a job's own may leave the range that jobs search."""
    found = [number for trial in trials if (number := number_in(trial.values.get(axis.name, ""))) is not None]
    if axis.choices or not found:
        return axis
    return replace(axis, low=min(axis.low, *found), high=max(axis.high, *found))


def importance_rows(axes: Sequence[Axis], scored: Sequence[Trial]) -> tuple[ImportanceRow, ...]:
    """The hyperparameters by importance; none for too few trials."""
    known = {axis.name: axis for axis in axes if not axis.choices}
    placed = {name: [axis.place(trial.values.get(name, "")) for trial in scored] for name, axis in known.items()}
    whole = {name: [at for at in places if at is not None] for name, places in placed.items()}
    found = importances(
        {name: places for name, places in whole.items() if len(places) == len(scored)},
        [trial.accuracy or 0.0 for trial in scored],
    )
    return tuple(
        ImportanceRow(
            name=one.name.replace("_", " "),
            share=percent(one.share, 0),
            best=span(shown(known[one.name], one.best_low), shown(known[one.name], one.best_high)),
            searched=" to ".join(known[one.name].ends),
            bar=bar(one.share),
        )
        for one in found
    )


def span(low: str, high: str) -> str:
    """A range in words; the one value that all have."""
    return low if low == high else f"{low} to {high}"


def shown(axis: Axis, at: float) -> str:
    """The value at a place on an axis."""
    if axis.logarithmic and axis.low > 0:
        return value(float(f"{axis.low * (axis.high / axis.low) ** at:.3g}"))
    return value(float(f"{axis.low + at * (axis.high - axis.low):.3g}"))


def caution(trials: int) -> str:
    """How far importances of so many trials are to be trusted."""
    if trials < FEWEST:
        return f"{FEWEST} finished trials are needed to say which hyperparameters matter; there are {trials}."
    if trials < SURE:
        return f"A hint only: of {trials} trials the order changes with chance. From {SURE} on it is mostly right."
    return ""


def curves_view(epochs: Sequence[Epoch], head: str) -> CurvesView:
    """The learning curves of one head of a training job: the one with this number, or else the first."""
    heads = tuple(sorted({epoch.head for epoch in epochs}))
    chosen = next((number for number in heads if str(number) == head), heads[0] if heads else 1)
    own = [epoch for epoch in epochs if epoch.head == chosen]
    return CurvesView(
        accuracy=curves(
            "Accuracy by epoch",
            [
                Curve("training", tuple(epoch.train_accuracy for epoch in own), 2),
                Curve("validation", tuple(epoch.validation_accuracy for epoch in own), 1),
            ],
            in_percent=True,
        ),
        loss=curves(
            "Loss by epoch",
            [
                Curve("training", tuple(epoch.train_loss for epoch in own), 2),
                Curve("validation", tuple(epoch.validation_loss for epoch in own), 1),
            ],
            in_percent=False,
        ),
        epochs=len(own),
        head=chosen,
        heads=heads,
    )
