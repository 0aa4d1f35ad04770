"""The API's answers about predictions: those of a run for its test images, and two runs' for the same images."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..domain.dataset import UPLOADS
from ..domain.errors import NotFound, WrongRequest
from ..domain.predictions.paired import paired, wilson_interval
from ..domain.predictions.prediction import Prediction, by_interest, confusion, same_images
from ..domain.results.evaluation import LABELS_CONFUSED
from ..ports import Ports
from .answers.predictions import Compared, Comparison, DifferentlyPredicted, PredictedImage, PredictionList

DIFFERING_SHOWN = 48


@dataclass(frozen=True)
class Cell:
    """The images of a label that are predicted as another; an empty one stands for any."""

    label: str = ""
    predicted: str = ""

    def holds(self, prediction: Prediction) -> bool:
        """Whether it is one of them."""
        return self.label in {"", prediction.truth} and self.predicted in {"", prediction.predicted}


Pairs = Sequence[tuple[Prediction, Prediction]]


def predictions(run_id: str, ports: Ports, cell: Cell, limit: int, cursor: str) -> PredictionList:
    """What a run's model predicts for its test images in a cell of the confusion matrix.

    Raises NotFound for an unknown run or one that kept no predictions, WrongRequest for an unknown cursor.
    """
    if not re.fullmatch("[0-9]{0,7}", cursor):
        raise WrongRequest("The cursor is not one that an answer gave as `next`. Ask without it.")
    wanted = by_interest(filter(cell.holds, predictions_of(run_id, ports)))
    start = int(cursor or 0)
    page = tuple(
        PredictedImage(
            file=found.file,
            url=ports.bucket.link(UPLOADS + found.file),
            label=found.truth,
            predicted=found.predicted,
            confidence=found.confidence,
        )
        for found in wanted[start : start + limit]
    )
    return PredictionList(run_id, len(wanted), page, str(start + limit) if len(wanted) > start + limit else None)


def predictions_of(run_id: str, ports: Ports) -> Sequence[Prediction]:
    """Raises NotFound, with why, for an unknown run or one that kept no predictions."""
    run = ports.runs.get(run_id)
    try:
        return ports.bucket.read_predictions(run_id)
    except NotFound:
        why = "it was evaluated by an older version" if run.evaluation else f"its state is {run.state}"
        raise NotFound(f"The run {run_id} has no predictions: {why}.") from None


def comparison(first: str, second: str, ports: Ports) -> Comparison:
    """Two runs' models on the images that are in both test splits.

    Raises NotFound if there are none, if a run is unknown, or if it kept no predictions.
    """
    of_first, of_second = predictions_of(first, ports), predictions_of(second, ports)
    pairs = same_images(of_first, of_second)
    if not pairs:
        raise NotFound(f"No image is in the test splits of both {first} and {second}, so they can't be compared.")
    labels = tuple(sorted({one.truth for one, _ in pairs} | {found.predicted for pair in pairs for found in pair}))
    found = paired(pairs)
    return Comparison(
        images=found.images,
        labels=labels,
        first=compared(first, len(of_first), [one for one, _ in pairs], labels),
        second=compared(second, len(of_second), [other for _, other in pairs], labels),
        both_right=found.both,
        only_first_right=found.only_first,
        only_second_right=found.only_second,
        neither_right=found.neither,
        difference=round(found.difference, 4),
        difference_interval=rounded(found.interval),
        p_value=round(found.p_value, 6),
        differing=tuple(differing(pairs, ports)),
    )


def compared(run_id: str, test_images: int, known: Sequence[Prediction], labels: Sequence[str]) -> Compared:
    right = sum(prediction.right for prediction in known)
    return Compared(
        run_id=run_id,
        test_images=test_images,
        accuracy=round(right / len(known), 4),
        accuracy_interval=rounded(wilson_interval(right, len(known))),
        confusion=confusion(known, labels) if len(labels) <= LABELS_CONFUSED else (),
    )


def differing(pairs: Pairs, ports: Ports) -> Iterable[DifferentlyPredicted]:
    """The images that only one of them predicts right, those first that both are surest of."""
    apart = [pair for pair in pairs if pair[0].right != pair[1].right]
    apart.sort(key=lambda pair: (-min(one.confidence for one in pair), pair[0].file))
    return (
        DifferentlyPredicted(
            file=one.file,
            url=ports.bucket.link(UPLOADS + one.file),
            label=one.truth,
            first=one.predicted,
            second=other.predicted,
        )
        for one, other in apart[:DIFFERING_SHOWN]
    )


def rounded(interval: tuple[float, float]) -> tuple[float, float]:
    return round(interval[0], 4), round(interval[1], 4)
