"""What the page on the best model shows."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ..answers.evaluation import Export
from ..answers.models import Model
from ..answers.runs import Run
from ..charts.intervals import Bar, intervals
from ..words import count, dollars, interval, moment, percent, size

KERAS = "keras"
NAMES = {
    "keras": ("Keras", "for Keras and TensorFlow"),
    "onnx": ("ONNX", "for onnxruntime, in any language"),
    "saved_model": ("SavedModel", "for TensorFlow Serving"),
    "litert": ("LiteRT", "for phones and small computers"),
    "litert_int8": ("LiteRT, 8-bit", "the smallest and quickest"),
}
FIRST = "It is the first model, so it had none to beat."
FEW = 100


@dataclass(frozen=True)
class Form:
    """The model in one format: `name`, what it is `good_for`, and its size; `format` is what commands call it."""

    format: str
    name: str
    good_for: str
    size: str
    agreement: str


@dataclass(frozen=True)
class Best:
    """The best model at a glance."""

    run_id: str
    accuracy: str
    interval: str
    test_images: str
    beat: str
    chart: Markup | None
    changes: str
    weakest: str
    caution: str
    made: str
    labels: tuple[str, ...]
    images: str
    validation: str
    cost: str
    forms: tuple[Form, ...]


@dataclass(frozen=True)
class Past:
    """A model that was the best for a time, in a line of the history."""

    run_id: str
    since: str
    accuracy: str
    interval: str
    beat: str
    images: str
    changes: str


def best(model: Model, run: Run) -> Best:
    """The best model, with the run that made it."""
    evaluation = run.evaluation
    return Best(
        run_id=model.run_id,
        accuracy=percent(model.test_accuracy),
        interval=interval(model.test_accuracy_interval),
        test_images=count(evaluation.images if evaluation else None),
        beat=beat(model),
        chart=chart(model),
        changes=percent(model.changes.accuracy) if model.changes else "",
        weakest=weakest(model),
        caution=caution(evaluation.images if evaluation else None),
        made=moment(model.ended_at or model.created_at),
        labels=model.dataset.labels if model.dataset else (),
        images=count(model.dataset.used if model.dataset else None),
        validation=percent(model.validation_accuracy),
        cost=dollars(model.cost_usd) if run.expected_usd or model.cost_usd else "nothing",
        forms=forms(evaluation.exports if evaluation else ()),
    )


def beat(model: Model) -> str:
    """What the model beat, on the same images, and by how much."""
    if not model.champion_before or not model.champion:
        return FIRST
    if model.champion.error:
        return f"The one before it, {model.champion_before}, could not be scored: {model.champion.error}"
    before = f"The one before it gets {percent(model.champion.accuracy)} of the same images right"
    return f"{before}{difference(model.test_accuracy, model.champion.accuracy)}."


def chart(model: Model) -> Markup | None:
    """The model beside the one before it, on the same images; None while one of them has no interval."""
    if model.test_accuracy is None or model.test_accuracy_interval is None:
        return None
    bars = [Bar("this one", model.test_accuracy, model.test_accuracy_interval)]
    if model.champion and not model.champion.error and any(model.champion.accuracy_interval):
        bars.append(Bar("the one before", model.champion.accuracy, model.champion.accuracy_interval))
    return intervals(bars)


def difference(ours: float | None, theirs: float) -> str:
    """How much better ours is, in percentage points."""
    points = round(100 * ((ours or 0.0) - theirs), 1)
    if points == 0:
        return ", as many"
    return f", {abs(points):.1f} points {'fewer' if points > 0 else 'more'}"


def weakest(model: Model) -> str:
    """Under which change the model does worst."""
    if not model.changes or model.changes.weakest not in model.changes.by_change:
        return ""
    name = model.changes.weakest
    return f"{name.replace('_', ' ')}: {percent(model.changes.by_change[name].accuracy)}"


def caution(test_images: int | None) -> str:
    """What to bear in mind where few images were tested; empty where there were enough."""
    if test_images is None or test_images >= FEW:
        return ""
    return f"Only {test_images} test images: the true figure may be anywhere in the interval. More images narrow it."


def forms(exports: Sequence[Export]) -> tuple[Form, ...]:
    """The formats that the model can be taken in; Keras always."""
    made = [export for export in exports if export.files and not export.error and export.format in NAMES]
    listed = [form(export.format, export.bytes, export.agreement) for export in made]
    return (form(KERAS, None, None), *listed)


def form(format_: str, bytes_: int | None, agreement: float | None) -> Form:
    """One format; its agreement is with the Keras model, on validation images."""
    name, good_for = NAMES[format_]
    agrees = f"same label as Keras for {percent(agreement)} of validation images" if agreement is not None else ""
    return Form(format_, name, good_for, size(bytes_) if bytes_ else "", agrees)


def history(models: Sequence[Model]) -> tuple[Past, ...]:
    """The best models, newest first."""
    return tuple(
        Past(
            run_id=model.run_id,
            since=moment(model.ended_at or model.created_at),
            accuracy=percent(model.test_accuracy),
            interval=interval(model.test_accuracy_interval),
            beat=percent(model.champion.accuracy) if model.champion and not model.champion.error else "",
            images=count(model.dataset.used if model.dataset else None),
            changes=percent(model.changes.accuracy) if model.changes else "",
        )
        for model in models
    )
