"""The confusion matrix as rows of cells, and as the pairs of labels that are confused most."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

LABELS_SHOWN = 24
PAIRS_SHOWN = 12
LEVELS = 6

Address = Callable[[str, str], str]
"""A label and the label that is predicted → the address of the photographs."""


@dataclass(frozen=True)
class Cell:
    """How many photographs of a label are predicted as one; `level` from 0 to 6 is its share of the label's."""

    images: int
    level: int
    right: bool
    predicted: str
    address: str


@dataclass(frozen=True)
class Row:
    """A label with its number, and how its photographs are predicted."""

    number: int
    label: str
    images: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Pair:
    """A label that is taken for another; `share` is of the label's photographs."""

    label: str
    predicted: str
    images: int
    share: float
    address: str


@dataclass(frozen=True)
class Matrix:
    """A row for each label that is shown; `hidden` more labels have fewer mistakes, and `mistakes` counts all."""

    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    more_pairs: int
    hidden: int
    mistakes: int


def matrix(labels: Sequence[str], confusion: Sequence[Sequence[int]], address: Address) -> Matrix | None:
    """The matrix of counts; None if they are not known. Of many labels those with the most mistakes are shown."""
    if not confusion or len(confusion) != len(labels):
        return None
    shown = sorted(most_confused(confusion))
    pairs = sorted(all_pairs(labels, confusion, address), key=lambda pair: (-pair.images, -pair.share, pair.label))
    rows = [
        Row(
            number=number,
            label=labels[i],
            images=sum(confusion[i]),
            cells=tuple(
                Cell(
                    images=confusion[i][j],
                    level=level(confusion[i][j], sum(confusion[i])),
                    right=i == j,
                    predicted=labels[j],
                    address=address(labels[i], labels[j]),
                )
                for j in shown
            ),
        )
        for number, i in enumerate(shown, 1)
    ]
    return Matrix(
        rows=tuple(rows),
        pairs=tuple(pairs[:PAIRS_SHOWN]),
        more_pairs=max(0, len(pairs) - PAIRS_SHOWN),
        hidden=len(labels) - len(shown),
        mistakes=sum(pair.images for pair in pairs),
    )


def most_confused(confusion: Sequence[Sequence[int]]) -> list[int]:
    """The numbers of the labels to show: all of a few, or those of many that are mistaken most often, either way."""
    count = len(confusion)
    if count <= LABELS_SHOWN:
        return list(range(count))
    as_others = [sum(row) - row[i] for i, row in enumerate(confusion)]
    others = [sum(row[j] for row in confusion) - confusion[j][j] for j in range(count)]
    return sorted(range(count), key=lambda i: -(as_others[i] + others[i]))[:LABELS_SHOWN]


def all_pairs(labels: Sequence[str], confusion: Sequence[Sequence[int]], address: Address) -> list[Pair]:
    return [
        Pair(labels[i], labels[j], images, images / sum(row), address(labels[i], labels[j]))
        for i, row in enumerate(confusion)
        for j, images in enumerate(row)
        if images and i != j
    ]


def level(images: int, of_label: int) -> int:
    """How dark a cell is: 0 for none, else from 1 to 6."""
    return 0 if not images else max(1, round(LEVELS * images / of_label))
