"""Two runs side by side, and on the same test images."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ..answers.comparison import Compared, Comparison
from ..answers.evaluation import Scores
from ..answers.runs import Run, RunInShort
from ..charts.bar import interval_bar
from ..words import MISSING, count, dollars, moment, percent, took
from .matrix import Matrix, matrix
from .run import Link, plan_of
from .trials import short

CHANCE = 0.05


@dataclass(frozen=True)
class Row:
    """A figure of both runs; `differs` where both have it and it is not the same."""

    name: str
    first: str
    second: str
    differs: bool = False


@dataclass(frozen=True)
class Choice:
    """A run that can be chosen."""

    run_id: str
    about: str


@dataclass(frozen=True)
class Side:
    """A run's model on the images that both were tested on; `name` is A or B."""

    name: str
    run_id: str
    test_images: str
    accuracy: str
    interval: str
    bar: Markup
    matrix: Matrix | None


@dataclass(frozen=True)
class Apart:
    """A photograph that only one of them predicts right."""

    file: str
    picture: str | None
    label: str
    first: str
    second: str
    first_right: bool


@dataclass(frozen=True)
class Same:
    """Both models on the same images."""

    images: str
    verdict: str
    difference: str
    interval: str
    chance: str
    sides: tuple[Side, Side]
    both_right: str
    only_first: str
    only_second: str
    neither: str
    apart: tuple[Apart, ...]
    more_apart: int


def choices(runs: Sequence[RunInShort], *also: str) -> list[Choice]:
    """The runs that have a model, newest first, and those that were asked for."""
    listed = [
        Choice(run.run_id, f"{moment(run.created_at)}, {percent(run.test_accuracy)}")
        for run in runs
        if run.test_accuracy is not None
    ]
    known = {choice.run_id for choice in listed}
    return listed + [Choice(run_id, "") for run_id in dict.fromkeys(also) if run_id and run_id not in known]


def rows(first: Run, second: Run) -> list[Row]:
    """What the two runs are, did and cost."""
    figures = [(name, figures_of(first)[name], figures_of(second)[name]) for name in figures_of(first)]
    return [Row(name, one, other, MISSING not in {one, other} and one != other) for name, one, other in figures]


def figures_of(run: Run) -> dict[str, str]:
    """A run's figures by name, in the order in which they are shown."""
    found, seconds = run.evaluation, (run.ended_at - run.created_at).total_seconds() if run.ended_at else None
    changes = found.changes if found else None
    return {
        "State": run.state,
        "Started": moment(run.created_at),
        "Took": took(seconds),
        "Cost": dollars(run.cost_usd),
        "Plan": plan_of(run),
        "Images used": count(run.dataset.used if run.dataset else None),
        "Labels": count(len(run.dataset.labels) if run.dataset else None),
        "Own test images": count(found.images if found else None),
        "Accuracy on them": with_interval(run),
        "Macro-F1": percent(found.macro_f1 if found else None),
        "Validation accuracy": percent(run.validation_accuracy),
        "Under changes": percent(changes.accuracy if changes else None),
        "Weakest change": f"{changes.weakest}, {percent(lowest(changes.by_change))}" if changes else MISSING,
    }


def with_interval(run: Run) -> str:
    found = run.evaluation
    return f"{percent(found.accuracy)} ({' to '.join(map(percent, found.accuracy_interval))})" if found else MISSING


def lowest(by_change: dict[str, Scores]) -> float | None:
    return min((scores.accuracy for scores in by_change.values()), default=None)


def hyperparameters(first: Run, second: Run) -> list[Row]:
    """The hyperparameters of the two best trials that differ."""
    one, other = first.hyperparameters or {}, second.hyperparameters or {}
    names = [name for name in dict.fromkeys((*one, *other)) if one.get(name) != other.get(name)]
    return [
        Row(name.replace("_", " "), short(one.get(name, MISSING)), short(other.get(name, MISSING)), True)
        for name in sorted(names)
    ]


def changes(first: Run, second: Run) -> list[Row]:
    """Both models' accuracy under each harmless change, each on its own test images; none unless both were scored."""
    one = first.evaluation.changes if first.evaluation else None
    other = second.evaluation.changes if second.evaluation else None
    if not one or not other:
        return []
    names = sorted(one.by_change.keys() | other.by_change.keys())
    return [
        Row(
            name,
            percent(one.by_change[name].accuracy) if name in one.by_change else MISSING,
            percent(other.by_change[name].accuracy) if name in other.by_change else MISSING,
        )
        for name in names
    ]


def as_recorded(first: Run, second: Run) -> str:
    """What the later run recorded when it was scored against the earlier; empty if neither was the other's champion."""
    return next(recorded(first, second), "")


def recorded(first: Run, second: Run) -> Iterator[str]:
    for name, other_name, run, other in (("A", "B", first, second), ("B", "A", second, first)):
        found = run.evaluation
        if not found or not found.champion or found.champion.error or run.champion_before != other.run_id:
            continue
        under = ""
        if found.changes and found.champion.changes:
            ours, theirs = percent(found.changes.accuracy), percent(found.champion.changes.accuracy)
            under = f", and under changes {ours} against {theirs}"
        yield (
            f"When {name} ended, both were scored on all {count(found.images)} test images of {name}: {name} had "
            f"{percent(found.accuracy)} right, {other_name} {percent(found.champion.accuracy)}{under}. "
            "That decided which is the best model."
        )


def same(found: Comparison, link: Link) -> Same:
    """Both models on the images that are in both test splits."""
    differing = found.only_first_right + found.only_second_right
    ends = [*found.first.accuracy_interval, *found.second.accuracy_interval]
    scale = (max(0.0, min(ends) - 0.03), min(1.0, max(ends) + 0.03))
    return Same(
        images=count(found.images),
        verdict=verdict(found),
        difference=points(found.difference),
        interval=" to ".join(map(points, found.difference_interval)),
        chance=percent(found.p_value, 0) if found.p_value >= 0.01 else "less than 1%",
        sides=(side("A", found.first, found, scale, 1), side("B", found.second, found, scale, 2)),
        both_right=count(found.both_right),
        only_first=count(found.only_first_right),
        only_second=count(found.only_second_right),
        neither=count(found.neither_right),
        apart=tuple(
            Apart(
                file=image.file,
                picture=link(image.url),
                label=image.label,
                first=image.first,
                second=image.second,
                first_right=image.first == image.label,
            )
            for image in found.differing
        ),
        more_apart=differing - len(found.differing),
    )


def side(name: str, run: Compared, found: Comparison, scale: tuple[float, float], series: int) -> Side:
    """One of the two."""
    return Side(
        name=name,
        run_id=run.run_id,
        test_images=count(run.test_images),
        accuracy=percent(run.accuracy),
        interval=" to ".join(map(percent, run.accuracy_interval)),
        bar=interval_bar(run.accuracy, run.accuracy_interval, scale, series),
        matrix=matrix(found.labels, run.confusion, lambda *_: ""),
    )


def verdict(found: Comparison) -> str:
    """Which is better, if the images can tell."""
    images = f"the same {count(found.images)} images"
    if found.only_first_right == found.only_second_right:
        return f"On {images} both are right equally often."
    better = "B" if found.difference > 0 else "A"
    ahead = points(abs(found.difference)).removeprefix("+")
    if found.p_value < CHANCE:
        return f"{better} is better: {ahead} more on {images}, which chance alone would hardly give."
    return f"{better} has {ahead} more on {images}, which may be chance: more test images would tell."


def points(share: float) -> str:
    """A difference of two shares in percentage points, with its sign."""
    return f"{100 * share:+.1f}".replace("-", "\N{MINUS SIGN}") + "\N{NO-BREAK SPACE}points"
