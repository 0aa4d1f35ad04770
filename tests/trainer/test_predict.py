"""Labels for folders of images, averaged over the model's views."""

import csv
import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.trainer.painting import paint
from tests.trainer.small_model import LABELS, SIZE, write_small_model
from trainer.answering.verdicts import Verdicts
from trainer.archive import WHOLE, Model, read_model, write_archive
from trainer.decoding.images import resize
from trainer.errors import BadInput, UnreadableModel
from trainer.inference.averaging import classify
from trainer.predict import predict
from trainer.views import apply_view

# NumPy 2 warns of the way in which Keras 3.15 turns TensorFlow's variables into arrays.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

Archive = Callable[[int], Path]
Row = tuple[str, str, str]


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Makes a model.tar.gz of the small model with a number of views."""

    def of(views: int) -> Path:
        folder = write_small_model(tmp_path / f"model of {views}", views)
        write_archive(tmp_path / f"{views}.tar.gz", folder.iterdir())
        return tmp_path / f"{views}.tar.gz"

    return of


@pytest.fixture
def photos(tmp_path: Path) -> dict[str, Image.Image]:
    """Seventy photographs by file, some in a sub-folder."""
    (tmp_path / "photos/later").mkdir(parents=True)
    files = [str(tmp_path / "photos" / ("later" if number % 2 else "") / f"{number:02}.png") for number in range(70)]
    painted = {file: paint((90, 140, 60), number, side=40) for number, file in enumerate(files)}
    for file, photo in painted.items():
        photo.save(file)
    return painted


def rows_of(model: Path, folder: Path, refusals: io.StringIO | None = None) -> list[Row]:
    predict(model, [folder], str(folder.parent / "labels.csv"), refusals or io.StringIO())
    text = (folder.parent / "labels.csv").read_text(encoding="utf-8", errors="surrogateescape")
    header, *rows = csv.reader(io.StringIO(text))
    assert header == ["file", "label", "confidence", "sure"]
    return [(file, label, confidence) for file, label, confidence, _ in rows]


def answers(model: Model, photo: Image.Image, views: int) -> np.ndarray:
    """The normalised geometric mean of the probabilities of each view: (labels,)."""
    pixels = resize(photo, SIZE)[np.newaxis]
    by_view = [
        model.network.predict_on_batch(np.ascontiguousarray(apply_view(pixels, view)))[0] for view in range(views)
    ]
    mean = np.exp(np.log(by_view).mean(axis=0))
    return np.asarray(mean / mean.sum())


@pytest.mark.parametrize("views", [1, 3, 8])
def test_each_prediction_is_averaged_over_the_models_views(
    views: int, archive: Archive, photos: dict[str, Image.Image], tmp_path: Path
) -> None:
    model = read_model(archive(views), WHOLE, tmp_path / "scratch")
    expected = {file: answers(model, photo, views) for file, photo in photos.items()}

    rows = rows_of(tmp_path / f"{views}.tar.gz", tmp_path / "photos")

    assert [file for file, _, _ in rows] == sorted(photos)
    for file, label, confidence in rows:
        assert label == LABELS[expected[file].argmax()]
        assert float(confidence) == pytest.approx(expected[file].max(), abs=6e-5)


def test_another_number_of_views_changes_the_confidence(
    archive: Archive, photos: dict[str, Image.Image], tmp_path: Path
) -> None:
    assert rows_of(archive(1), tmp_path / "photos") != rows_of(archive(8), tmp_path / "photos")


def test_images_are_classified_in_batches(
    archive: Archive, photos: dict[str, Image.Image], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def counted(model: Model, images: np.ndarray) -> Verdicts:
        sizes.append(len(images))
        return classify(model, images)

    monkeypatch.setattr("trainer.predict.classify", counted)
    rows_of(archive(1), tmp_path / "photos")
    assert sizes == [8, 8, 8, 8, 8, 8, 8, 8, 6]


def test_files_that_are_not_images_are_named_and_the_others_labelled(
    archive: Archive, photos: dict[str, Image.Image], tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    (folder / "notes.txt").write_text("weed the third row")
    (folder / "empty.png").touch()
    (folder / "link.png").symlink_to("00.png")
    (folder / "again.png").symlink_to("again.png")
    (tmp_path / "elsewhere/within").mkdir(parents=True)
    paint((90, 140, 60), 2).save(tmp_path / "elsewhere/1.png")
    (tmp_path / "elsewhere/within/up").symlink_to(tmp_path / "elsewhere")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(folder / "pipe.png")
    paint((90, 140, 60), 1).save(folder / os.fsdecode(b"\xff.png"))
    refusals = io.StringIO()

    rows = rows_of(archive(1), folder, refusals)

    more = (os.fsdecode(b"\xff.png"), "link.png", "linked/1.png")
    assert {file for file, _, _ in rows} == {*photos, *(str(folder / name) for name in more)}
    assert refusals.getvalue().splitlines() == [
        f"{folder}/again.png: a link that leads back to itself",
        f"{folder}/pipe.png: not a file but a pipe, a socket or a device",
        f"{folder}/linked/within/up: a link to the folder linked/, which is taken already",
        f"{folder}/empty.png: an empty file",
        f"{folder}/notes.txt: not an image: a text file by its content",
    ]


def test_a_path_that_is_not_there_is_named_and_the_others_labelled(
    archive: Archive, photos: dict[str, Image.Image], tmp_path: Path
) -> None:
    (tmp_path / "round.png").symlink_to("round.png")
    paths = [tmp_path / "gone.png", tmp_path / ("m" * 300), tmp_path / "round.png", tmp_path / "photos"]
    refusals = io.StringIO()
    predict(archive(1), paths, str(tmp_path / "labels.csv"), refusals)
    assert refusals.getvalue().splitlines() == [
        f"{paths[0]}: it isn't there",
        f"{paths[1]}: it can't be read (File name too long)",
        f"{paths[2]}: a link that leads back to itself",
    ]
    assert len((tmp_path / "labels.csv").read_text().splitlines()) == 1 + len(photos)


def test_a_folder_without_images_is_refused(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(BadInput, match="No image could be read"):
        rows_of(archive(1), tmp_path / "photos")


@pytest.mark.parametrize("views", [0, 9, -1])
def test_a_model_with_an_invalid_number_of_views_is_refused(views: int, archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(UnreadableModel, match="does not name 1 to 8 views"):
        rows_of(archive(views), tmp_path / "photos")


def test_answers_that_are_not_sure_are_marked_and_counted(photos: dict[str, Image.Image], tmp_path: Path) -> None:
    plain = write_small_model(tmp_path / "plain", views=1)
    confidences = [float(confidence) for _, _, confidence in rows_of(plain, tmp_path / "photos")]
    threshold = float(np.median(confidences)) + 1e-5
    folder = write_small_model(tmp_path / "model", views=1, thresholds={"confidence": threshold, "error_rate": 0.05})
    refusals = io.StringIO()

    predict(folder, [tmp_path / "photos"], str(tmp_path / "labels.csv"), refusals)

    with (tmp_path / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["sure"] for row in rows] == ["sure" if of >= threshold else "not sure" for of in confidences]
    doubtful = sum(of < threshold for of in confidences)
    assert 0 < doubtful < len(rows)
    assert refusals.getvalue() == f"The model is not sure of {doubtful} of 70 answers: look at these yourself.\n"


def test_photographs_unlike_those_the_model_learnt_from_are_told_and_labelled(
    photos: dict[str, Image.Image], tmp_path: Path
) -> None:
    learnt = {"brightness": [180.0, 10.0], "sharpness": [0.0, 100.0]}
    folder = write_small_model(tmp_path / "model", views=1, photographs=learnt)
    refusals = io.StringIO()

    assert len(rows_of(folder, tmp_path / "photos", refusals)) == len(photos)

    assert refusals.getvalue() == (
        "On average these 70 photographs are darker than those that the model learnt from: its answers may be less "
        "accurate than its scores say.\n"
    )
