"""A submission to Kaggle's competition has a row for every image."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from seedbed import submission
from seedbed.cli import app
from seedbed.errors import SeedbedError
from seedbed.submission import write_submission
from tests.trainer.painting import paint
from tests.trainer.small_model import LABELS, write_small_model

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Six images, one of them linked and one without a suffix, six that can't be read, and what is not an image."""
    folder = tmp_path / "test"
    (folder / "more").mkdir(parents=True)
    for number, name in enumerate(("0021e90e4.png", "003d61042.png", "more/1b490196c.jpg", "large.PNG")):
        paint((90, 140, 60), number).save(folder / name)
    (folder / "empty.png").touch()
    (folder / "torn.JPG").write_bytes(b"\xff\xd8\xff")
    (folder / "begun").write_bytes(b"\xff\xd8\xff\0")
    (folder / "torn").write_bytes((folder / "003d61042.png").read_bytes()[:200])
    (folder / "link.png").symlink_to("0021e90e4.png")
    (folder / "gone.png").symlink_to("elsewhere.png")
    (folder / "no suffix").write_bytes((folder / "003d61042.png").read_bytes())
    (folder / "sample_submission.csv").write_text("file,species\n")
    (folder / "saved page.png").write_text("<html>")
    (folder / "phone.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (folder / "film.png").write_bytes(b"\0\0\0\x18ftypmp42\0\0\0\0isommp42")
    (folder / "weights.bin").write_bytes(bytes(range(256)))
    for name in ("._0021e90e4.png", "Thumbs.db", "__MACOSX/003d61042.png", ".git/1.png", "@eaDir/large.PNG"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes((folder / "003d61042.png").read_bytes())
    return folder


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_a_submission_has_a_row_for_each_image_and_no_other(photos: Path, tmp_path: Path) -> None:
    target = tmp_path / "submission.csv"

    summary = write_submission(write_small_model(tmp_path / "model"), [photos], target)

    header, *found = rows(target)
    assert header == ["file", "species"]
    readable = ["0021e90e4.png", "003d61042.png", "1b490196c.jpg", "large.PNG", "link.png", "no suffix"]
    unread = ["begun", "empty.png", "gone.png", "phone.HEIC", "torn", "torn.JPG"]
    assert [name for name, _ in found] == sorted(readable + unread)
    labels = dict(found)
    assert set(labels.values()) <= set(LABELS)
    commonest = Counter(labels[name] for name in readable).most_common(1)[0][0]
    assert {labels[name] for name in unread} == {commonest}
    assert labels["link.png"] == labels["0021e90e4.png"]
    assert summary == (
        f"{target} has a row for each image, 12 in all. 6 can't be read and have the most common label, "
        f"{commonest}: {', '.join(unread)}."
    )


def labelled(label: str) -> object:
    """A fake of `predict` that gives every PNG the same label, and no other file any."""

    def predict(_: Path, paths: Sequence[Path], target: Path, *, every_image: bool) -> None:
        files = (file for path in paths for file in path.rglob("*.*"))
        answers = (f"{file},{label},0.9,sure" if file.suffix == ".png" else f"{file},,," for file in files)
        target.write_text("\n".join(["file,label,confidence,sure", *answers]))

    return predict


@pytest.mark.parametrize("damaged", [False, True])
def test_two_images_with_one_name_are_refused(damaged: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "predict", labelled("Maize"))
    for name in ("a/1.png", "b/1.png", "b/2.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    if damaged:
        (tmp_path / "a/1.png").rename(tmp_path / "a/2.gif")
        (tmp_path / "b/2.gif").touch()
    with pytest.raises(SeedbedError, match=rf"Two images are called {'2.gif' if damaged else '1.png'}"):
        write_submission(tmp_path / "model", [tmp_path], tmp_path / "submission.csv")
    assert not (tmp_path / "submission.csv").exists()


def test_the_summary_is_short_if_all_images_are_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "predict", labelled("Fat Hen"))
    (tmp_path / "1.png").touch()
    summary = write_submission(tmp_path / "model", [tmp_path], tmp_path / "submission.csv")
    assert summary == f"{tmp_path / 'submission.csv'} has a row for each image, 1 in all."
    assert rows(tmp_path / "submission.csv") == [["file", "species"], ["1.png", "Fat Hen"]]


def test_the_summary_names_the_first_unreadable_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "predict", labelled("Fat Hen"))
    for name in ("1.png", *(f"{number:02}.jpg" for number in range(25))):
        (tmp_path / name).touch()
    summary = write_submission(tmp_path / "model", [tmp_path], tmp_path / "submission.csv")
    assert "26 in all. 25 can't be read" in summary
    assert summary.endswith("18.jpg, 19.jpg and 5 more.")


def test_a_missing_target_folder_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(SeedbedError, match="its folder does not exist"):
        write_submission(tmp_path / "no model", [tmp_path], tmp_path / "nowhere/submission.csv")


def test_csv_and_submission_exclude_each_other(tmp_path: Path) -> None:
    asked = ["predict", str(tmp_path), "--csv", str(tmp_path / "a.csv"), "--submission", str(tmp_path / "b.csv")]
    done = CliRunner().invoke(app, asked)
    assert str(done.exception) == "Choose one of --csv and --submission."
