"""What to do after a run: what would make the next model better, and the commands for this one."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ..dataset import DatasetReport
from ..results.evaluation import Evaluation
from ..run import Run, RunState
from .lines import command, item, said
from .notification import Line
from .scores import most_confused
from .wording import counted, name

Z = 1.959964
"""The normal quantile of a 95% interval."""
UNCERTAIN, WANTED = 0.20, 0.10
"""A label's figure is uncertain if it may be off by the first; images are wanted to bring that to the second."""
MOST_IMAGES = 1000
LABELS_NAMED = 3


@dataclass(frozen=True)
class FewImages:
    """A label with few test images: by how much its recall may be off, and how many images make it certain enough.

    `off_by` is a share. `used` are all of the label's images, `wanted` as many as would bring `off_by` down to a tenth.
    """

    label: str
    test: int
    used: int
    off_by: float
    wanted: int


def better_next_time(run: Run, stack: str) -> Iterator[Line]:
    """What would make the next model better, the surest first."""
    evaluation, dataset = run.evaluation, run.dataset
    if run.state is not RunState.COMPLETED:
        return
    if dataset and dataset.likely_wrong_labels:
        wrong = counted(dataset.likely_wrong_labels, "label looks", "labels look")
        yield item(f"{wrong} wrong. Look at the images in the report, and move each wrong one to its right folder.")
    if evaluation:
        yield from more_images(evaluation, dataset)
    if run.plan.fine_tuning is None:
        yield item("The full plan also trains the whole network: it takes longer, and is often several points better.")
        yield command(stack, "run", "--plan", "full")


def more_images(evaluation: Evaluation, dataset: DatasetReport | None) -> Iterator[Line]:
    """Of which labels more images help."""
    confused = most_confused(evaluation)
    if confused:
        yield item(f"Add images of {name(confused[0])} and {name(confused[1])}: they are confused most often.")
    few = uncertain_labels(evaluation, dataset) if dataset else []
    if len(few) > LABELS_NAMED:
        least, most = min(label.test for label in few), max(label.test for label in few)
        test = f"{least} to {most}" if least < most else f"{most}"
        off, wanted = points_off(min(label.off_by for label in few)), max(label.wanted for label in few)
        yield item(
            f"{len(few)} labels have only {test} test images each: their figures may be off by {off} points or more. "
            f"With some {wanted:,} images a label they are off by 10 at most."
        )
        return
    for label in few:
        yield item(
            f"Only {label.used:,} images of {name(label.label)}, {label.test:,} of them for testing: its figure may be "
            f"off by {points_off(label.off_by)} points. With some {label.wanted:,} it is off by 10 at most."
        )


def uncertain_labels(evaluation: Evaluation, dataset: DatasetReport) -> list[FewImages]:
    """The tested labels with so few test images that their recall says little, the fewest first."""
    found = []
    for label, score in evaluation.per_label.items():
        split = dataset.labels.get(label)
        if split is None or not score.images:
            continue
        off_by, used = farthest(score.recall, score.images), split.train + split.validation + split.test
        if off_by >= UNCERTAIN:
            wanted = images_wanted(score.recall, score.images / max(used, score.images))
            found.append(FewImages(label, score.images, used, off_by, wanted))
    return sorted(found, key=lambda few: (few.test, few.label))


def farthest(share: float, images: int) -> float:
    """How far the farther end of Wilson's 95% interval is from a share measured on some images."""
    z2 = Z * Z / images
    centre = (share + z2 / 2) / (1 + z2)
    half = Z * math.sqrt(share * (1 - share) / images + z2 / (4 * images)) / (1 + z2)
    return max(share - (centre - half), (centre + half) - share)


def images_wanted(share: float, tested: float) -> int:
    """How many images bring the share's error down to WANTED if that part of them is tested, rounded up to tens."""
    test = next((n for n in range(1, MOST_IMAGES) if farthest(share, n) <= WANTED), MOST_IMAGES)
    return -(-math.ceil(test / tested) // 10) * 10


def points_off(share: float) -> int:
    return round(100 * share)


def commands(run: Run, stack: str) -> Iterator[Line]:
    """What can be done with what the run left."""
    if run.report_uri:
        yield said("See the report, with the photographs that it got wrong:")
        yield command(stack, "report", run.run_id, "--open")
    if run.won and run.model_uri:
        yield said("Ask the new best model about photographs:")
        yield command(stack, "predict", "photo.jpg")
    if run.model_uri:
        yield said("Take this model home, with its model card:")
        yield command(stack, "model", run.run_id)


def another_attempt(run: Run, stack: str) -> Iterator[Line]:
    """How a run that failed or was stopped is repeated; it begins again by itself, or a person asks for it."""
    if run.state not in {RunState.FAILED, RunState.STOPPED}:
        return
    if run.begins_again:
        yield said("It begins again by itself.")
        return
    yield said("Give the same images another attempt:")
    yield command(stack, "retry", run.run_id)
