"""What the API answers about predictions: a run's test images, and two runs on the same ones."""

import msgspec
import pytest

from job_manager.domain import layout
from job_manager.domain.errors import NotFound, WrongRequest
from job_manager.domain.run import Run
from job_manager.steps.answers.predictions import PredictionList
from job_manager.steps.predictions import Cell, comparison, predictions
from tests.fakes.world import World
from tests.unit.test_api_answers import complete_another

FIRST = [("a/1.png", "a", 0.9), ("a/2.png", "b", 0.6), ("a/3.png", "b", 0.8), ("b/1.png", "b", 0.7)]
EVERY = Cell()
SECOND = [("a/1.png", "a", 0.9), ("a/2.png", "a", 0.7), ("a/3.png", "b", 0.8), ("b/9.png", "a", 0.7)]


def keep(world: World, run: Run, predicted: list[tuple[str, str, float]]) -> None:
    content = [
        {"file": file, "truth": file[0], "predicted": label, "confidence": confidence, "content": "c0"}
        for file, label, confidence in predicted
    ]
    world.bucket.put(layout.predictions(run.run_id), msgspec.json.encode(content))


@pytest.fixture
def two(world: World) -> tuple[str, str]:
    """Two runs whose test splits have three images in common."""
    runs = [complete_another(world, number) for number in (1, 2)]
    for run, predicted in zip(runs, (FIRST, SECOND), strict=True):
        keep(world, run, predicted)
    return runs[0].run_id, runs[1].run_id


def ask(world: World, run_id: str, cell: Cell = EVERY, limit: int = 100, cursor: str = "") -> PredictionList:
    return predictions(run_id, world, cell, limit, cursor)


def test_a_cell_of_the_confusion_matrix_has_its_images(world: World, two: tuple[str, str]) -> None:
    answer = ask(world, two[0], Cell("a", "b"))

    assert (answer.images, answer.next) == (2, None)
    assert [(found.file, found.confidence) for found in answer.predictions] == [("a/3.png", 0.8), ("a/2.png", 0.6)]
    assert answer.predictions[0].url.endswith("/seedlings/a/3.png")


def test_the_images_of_a_label_or_predicted_as_one_can_be_asked_for(world: World, two: tuple[str, str]) -> None:
    assert ask(world, two[0]).images == 4
    assert ask(world, two[0], Cell(label="a")).images == 3
    assert ask(world, two[0], Cell(predicted="b")).images == 3
    assert ask(world, two[0], Cell("<script>")).images == 0


def test_predictions_come_in_pages(world: World, two: tuple[str, str]) -> None:
    pages = [ask(world, two[0], limit=3)]
    while pages[-1].next:
        pages.append(ask(world, two[0], limit=3, cursor=pages[-1].next))

    assert [len(page.predictions) for page in pages] == [3, 1]


def test_a_cursor_that_no_answer_gave_is_refused(world: World, two: tuple[str, str]) -> None:
    with pytest.raises(WrongRequest, match="Ask without it"):
        ask(world, two[0], cursor="-1")


def test_a_run_without_predictions_says_why(world: World) -> None:
    old = complete_another(world, 1)
    world.clock.forward(3600)
    world.upload_dataset(batch="more")
    (running,) = world.settle()

    with pytest.raises(NotFound, match="evaluated by an older version"):
        ask(world, old.run_id)
    with pytest.raises(NotFound, match="its state is Preparing"):
        ask(world, running.run_id)
    with pytest.raises(NotFound, match="There is no run"):
        ask(world, "sb-ffffffffffffffff-1")


def test_two_runs_are_compared_on_the_images_of_both_test_splits(world: World, two: tuple[str, str]) -> None:
    found = comparison(*two, world)

    assert (found.images, found.labels) == (3, ("a", "b"))
    assert (found.first.test_images, found.second.test_images) == (4, 4)
    assert (found.first.accuracy, found.second.accuracy) == (0.3333, 0.6667)
    assert (found.first.confusion, found.second.confusion) == (((1, 2), (0, 0)), ((2, 1), (0, 0)))
    assert (found.both_right, found.only_first_right, found.only_second_right, found.neither_right) == (1, 0, 1, 1)
    assert (found.difference, found.p_value) == (0.3333, 1.0)
    (apart,) = found.differing
    assert (apart.file, apart.label, apart.first, apart.second) == ("a/2.png", "a", "b", "a")


def test_runs_without_a_common_image_cannot_be_compared(world: World, two: tuple[str, str]) -> None:
    other = complete_another(world, 3)
    keep(world, other, [("z/1.png", "z", 0.5)])

    with pytest.raises(NotFound, match="No image is in the test splits of both"):
        comparison(two[0], other.run_id, world)


def test_many_labels_are_compared_without_a_matrix(world: World, two: tuple[str, str]) -> None:
    for run_id in two:
        content = [{"file": f"{n}/1.png", "truth": str(n), "predicted": str(n), "confidence": 1.0} for n in range(150)]
        world.bucket.put(layout.predictions(run_id), msgspec.json.encode(content))

    found = comparison(*two, world)

    assert (found.images, found.first.confusion, found.second.confusion) == (150, (), ())
