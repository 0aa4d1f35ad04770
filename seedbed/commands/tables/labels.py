"""The table of how well each label is recognised."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group
from rich.text import Text

from ...terminal.table import Column, FittedTable, Row
from ...terminal.text import counted, printable
from .values import percent

LABELS_SHOWN = 30
COLUMNS = (
    Column("Label", wraps=True),
    Column("Precision", rank=1, right=True),
    Column("Recall", rank=2, right=True),
    Column("F1", rank=5, right=True),
    Column("Images", rank=4, right=True),
    Column("Most often taken for", rank=3, wraps=True),
)


def labels_table(evaluation: Mapping[str, Any]) -> Group:
    """The scores on the test split of the hardest labels, the hardest first, and how many others there are."""
    scores = sorted(evaluation["per_label"].items(), key=lambda item: item[1]["f1"])
    tested = [(label, score) for label, score in scores if score["images"]]
    shown = [row(evaluation, label, score) for label, score in tested[:LABELS_SHOWN]]
    return Group(FittedTable(COLUMNS, shown), *others(len(tested) - len(shown), len(scores) - len(tested)))


def others(easier: int, untested: int) -> Iterator[Text]:
    """What is said of labels that the table leaves out."""
    if easier:
        yield Text(f"{counted(easier, 'other label')} scored as well as these or better.")
    if untested:
        yield Text(f"{counted(untested, 'label')} had no test images: how well they are recognised is not known.")


def row(evaluation: Mapping[str, Any], label: str, score: Mapping[str, Any]) -> Row:
    """One label's row."""
    shares = [percent(score[name]) for name in ("precision", "recall", "f1")]
    return Row((printable(label), *shares, str(score["images"]), printable(confused_with(evaluation, label))))


def confused_with(evaluation: Mapping[str, Any], label: str) -> str:
    """The label that this one was most often taken for, and how often; empty if never, or if that is not known."""
    labels = evaluation["labels"]
    if not evaluation["confusion"]:
        return ""
    mistakes = [
        (count, name)
        for name, count in zip(labels, evaluation["confusion"][labels.index(label)], strict=True)
        if name != label and count
    ]
    return "{1} ({0})".format(*max(mistakes)) if mistakes else ""
