"""What a person can do for a better model, or a better measured one, by the figures of an evaluation."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from trainer.evaluation.metrics import wilson_interval

FEW = 15
"""Test photographs of a label below which its figures say little: about a hundred of all its photographs."""
NAMED = 5
LOST_UNDER_CHANGE = 0.05
SURE = 0.9
FULL_PLAN = "Only heads were trained. The full plan trains the whole network too: seedbed up --plan full."
ISOLATED = "\u2068{}\u2069"
"""A label between signs that keep its writing direction to itself."""


def advice(evaluation: Mapping[str, Any], confidences: list[float], *, only_heads: bool) -> list[str]:
    """Sentences, the most useful first.

    `confidences` are those of the mistakes that the report shows; `only_heads` is whether no network was trained as a
    whole.
    """
    found = [
        few_photographs(evaluation["per_label"]),
        confused(evaluation),
        doubtful_labels(confidences),
        weakest_change(evaluation["changes"]),
        FULL_PLAN if only_heads else "",
    ]
    return [sentence for sentence in found if sentence]


def few_photographs(per_label: Mapping[str, Mapping[str, Any]]) -> str:
    """Which labels have too few test photographs to measure them, and how far off their figures may be."""
    few = sorted((scores["images"], label) for label, scores in per_label.items() if scores["images"] < FEW)
    if not few:
        return ""
    off = max((uncertainty(per_label[label]) for images, label in few if images), default=1.0)
    names = list(names_of(few))
    which = f"{names[0]} has" if len(few) == 1 else f"{len(few)} labels have"
    such = "" if len(few) == 1 else f", such as {listed(names)}" if len(few) > NAMED else f": {listed(names)}"
    return (
        f"{which} fewer than {FEW} test photographs{such}. Their figures may be off by up to {100 * off:.0f} points. "
        "More photographs help most there: about 15% of them are for testing, so a label needs a hundred."
    )


def names_of(few: list[tuple[int, str]]) -> Iterator[str]:
    for images, label in few[:NAMED]:
        yield f"{ISOLATED.format(label)} ({images})"


def listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def uncertainty(scores: Mapping[str, Any]) -> float:
    """The longer side of the 95% interval of a label's recall."""
    low, high = wilson_interval(round(scores["recall"] * scores["images"]), scores["images"])
    return float(max(scores["recall"] - low, high - scores["recall"]))


def confused(evaluation: Mapping[str, Any]) -> str:
    """The labels that are mistaken for each other most often, if that happened more than once."""
    labels, matrix = evaluation["labels"], evaluation["confusion"]
    pairs = [(matrix[i][j], i, j) for i, j in product(range(len(labels)), repeat=2) if i != j and matrix[i][j] > 1]
    if not pairs:
        return ""
    images, i, j = max(pairs, key=lambda pair: (pair[0], -pair[1]))
    truth, predicted = (ISOLATED.format(labels[at]) for at in (i, j))
    share = f"{images} of its {sum(matrix[i])} test photographs"
    return f"{truth} was taken for {predicted} most often: {share}. Add some of both."


def doubtful_labels(confidences: list[float]) -> str:
    """How many mistakes the model was sure of."""
    sure = sum(confidence >= SURE for confidence in confidences)
    if not sure:
        return ""
    mistakes = "One mistake was" if sure == 1 else f"{sure} mistakes were"
    return f"{mistakes} made with a confidence of at least {SURE:.0%}: see below whether the label is wrong."


def weakest_change(changes: Mapping[str, Any] | None) -> str:
    """The harmless change that costs most, if it costs 5 points or more."""
    if not changes or not changes["by_change"]:
        return ""
    name, scores = min(changes["by_change"].items(), key=lambda item: item[1]["accuracy"])
    lost = changes["unchanged"]["accuracy"] - scores["accuracy"]
    if lost < LOST_UNDER_CHANGE:
        return ""
    return (
        f"The change that costs most is “{name}”: {100 * lost:.1f} points. If your photographs come out like that, "
        "upload some that do."
    )
