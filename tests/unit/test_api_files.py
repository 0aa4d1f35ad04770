"""What the API answers about images: those left out or mistaken, and a dataset as a whole."""

from typing import Any

import msgspec
import pytest

from job_manager.domain import layout
from job_manager.domain.errors import NotFound, WrongRequest
from job_manager.domain.run import PREFIX, Run
from job_manager.steps.answers.files import FileList
from job_manager.steps.files import dataset, files
from tests.fakes.world import World

REPORT: dict[str, Any] = {
    "refused": [
        {"file": "Maize/x.jpg", "reason": "not an image: a text file by its content"},
        {"file": "Maize/y.png", "reason": "the same image under another label: Fat Hen/y.png"},
        {"file": "Maize/z.png", "reason": "nearly the same image under another label: Fat Hen/z.png"},
    ],
    "duplicates": [{"file": "Maize/b.png", "reason": "the same image as Maize/a, of 1.png"}],
    "near_duplicates": [{"file": "Maize/c.png", "reason": "nearly the same as Maize/d.png of the test split"}],
}
MISTAKE = {
    "file": "Maize/e.png",
    "truth": "Maize",
    "predicted": "Common wheat",
    "confidence": 0.97,
    "picture": "mistakes/01.jpg",
    "heat_map": None,
}
WRONG = {"file": "Maize/f.png", "label": "Maize", "suggested": "Fat Hen", "confidence": 0.98}
THUMBNAILS = {
    "side": 144,
    "columns": 2,
    "files": ["Maize/g.png", "Maize/f.png", "Maize/d.png"],
    "samples": {"Maize": ["Maize/g.png"]},
}
BUCKET = "https://seedlings-in-memory.invalid"
LINK = f"{BUCKET}/seedlings/"


def ask(world: World, run: Run, kind: str | None = None, limit: int = 100, cursor: str = "") -> FileList:
    return files(run.run_id, world, kind, limit, cursor)


@pytest.fixture
def evaluated(world: World) -> Run:
    """A run with an image of each kind."""
    world.upload("stray.txt")
    run = world.start()
    world.end_prepare(run.run_id, **REPORT)
    world.bucket.put(layout.wrong_labels(run.run_id), msgspec.json.encode([WRONG]))
    world.bucket.put(layout.thumbnail_index(run.run_id), msgspec.json.encode(THUMBNAILS))
    world.end_tuning(run.run_id)
    world.bucket.put(layout.mistakes(run.run_id), msgspec.json.encode([MISTAKE]))
    return world.end_evaluation(run.run_id)


def test_every_image_is_listed_with_why_and_what_it_is_like(world: World, evaluated: Run) -> None:
    answer = ask(world, evaluated)

    assert answer.counts == {
        "refused": 4,
        "duplicate": 1,
        "near_duplicate": 1,
        "mistake": 1,
        "likely_wrong": 1,
        "sample": 1,
    }
    assert [(file.kind, file.file, file.other) for file in answer.files] == [
        ("refused", "stray.txt", None),
        ("refused", "Maize/x.jpg", None),
        ("refused", "Maize/y.png", "Fat Hen/y.png"),
        ("refused", "Maize/z.png", "Fat Hen/z.png"),
        ("duplicate", "Maize/b.png", "Maize/a, of 1.png"),
        ("near_duplicate", "Maize/c.png", "Maize/d.png"),
        ("mistake", "Maize/e.png", None),
        ("likely_wrong", "Maize/f.png", None),
        ("sample", "Maize/g.png", None),
    ]


def test_images_are_shown_with_the_other_and_files_elsewhere_are_not(world: World, evaluated: Run) -> None:
    stray, _, contradiction, *_ = ask(world, evaluated).files

    assert (stray.url, stray.other_url) == (None, None)
    assert (contradiction.url, contradiction.other_url) == (f"{LINK}Maize/y.png", f"{LINK}Fat%20Hen/y.png")


def test_a_mistake_says_what_the_model_took_it_for(world: World, evaluated: Run) -> None:
    (mistake,) = ask(world, evaluated, kind="mistake").files

    assert (mistake.label, mistake.predicted, mistake.confidence) == ("Maize", "Common wheat", 0.97)
    assert (mistake.url, mistake.reason) == (f"{LINK}Maize/e.png", None)
    assert (
        mistake.picture_url == f"https://seedlings-in-memory.invalid/runs/{evaluated.run_id}/evaluation/mistakes/01.jpg"
    )
    assert mistake.heat_map_url is None


def test_a_label_that_is_likely_wrong_has_a_better_one(world: World, evaluated: Run) -> None:
    (wrong,) = ask(world, evaluated, kind="likely_wrong").files

    assert (wrong.label, wrong.suggested, wrong.confidence) == ("Maize", "Fat Hen", 0.98)
    assert (wrong.url, wrong.predicted) == (f"{LINK}Maize/f.png", None)


def test_images_have_the_numbers_of_their_thumbnails(world: World, evaluated: Run) -> None:
    answer = ask(world, evaluated)

    numbers = {file.file: (file.thumbnail, file.other_thumbnail) for file in answer.files}
    assert numbers["Maize/f.png"] == (1, None)
    assert numbers["Maize/g.png"] == (0, None)
    assert numbers["Maize/c.png"] == (None, 2)
    assert answer.thumbnails
    assert answer.thumbnails.url == f"{BUCKET}/{layout.thumbnails(evaluated.run_id)}"
    assert (answer.thumbnails.side, answer.thumbnails.columns, answer.thumbnails.rows) == (144, 2, 2)


def test_images_come_in_pages(world: World, evaluated: Run) -> None:
    pages = [ask(world, evaluated, limit=3)]
    while pages[-1].next:
        pages.append(ask(world, evaluated, limit=3, cursor=pages[-1].next))

    assert [len(page.files) for page in pages] == [3, 3, 3]
    assert [file for page in pages for file in page.files] == list(ask(world, evaluated).files)


def test_a_run_lists_what_is_known_so_far(world: World) -> None:
    world.upload("stray.txt")
    run = world.start()
    assert [file.file for file in ask(world, run).files] == ["stray.txt"]

    world.end_prepare(run.run_id, **REPORT)
    answer = ask(world, run)
    assert answer.counts["refused"] == 4
    assert (answer.counts["mistake"], answer.counts["likely_wrong"], answer.thumbnails) == (0, 0, None)


@pytest.mark.parametrize("query", [{"kind": "cats"}, {"kind": ""}, {"cursor": "-1"}, {"cursor": "x"}])
def test_a_request_that_makes_no_sense_is_refused(world: World, evaluated: Run, query: dict[str, str]) -> None:
    with pytest.raises(WrongRequest):
        ask(world, evaluated, **query)  # type: ignore[arg-type]


def test_an_unknown_run_has_no_files(world: World) -> None:
    with pytest.raises(NotFound):
        files("sb-ffffffffffffffff-1", world, None, 1, "")


def test_a_dataset_has_its_runs_and_the_latest_report(world: World, evaluated: Run) -> None:
    version = evaluated.run_id.split("-")[1]

    answer = dataset(version, world, PREFIX)

    assert [run.run_id for run in answer.runs] == [evaluated.run_id]
    assert answer.report == evaluated.dataset
    assert answer.mosaic_url == f"https://seedlings-in-memory.invalid/{layout.mosaic(evaluated.run_id)}"


def test_a_dataset_in_preparation_has_no_report_yet(world: World, run: Run) -> None:
    answer = dataset(run.run_id.split("-")[1], world, PREFIX)

    assert (answer.report, answer.mosaic_url) == (None, None)


@pytest.mark.parametrize("version", ["ffffffffffffffff", "f", "../secrets"])
def test_an_unknown_dataset_is_not_found(world: World, version: str) -> None:
    with pytest.raises(NotFound, match="seedbed runs"):
        dataset(version, world, PREFIX)
