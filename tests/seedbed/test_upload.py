"""Which files of a folder are uploaded, and with which keys; a wrong folder is refused."""

from pathlib import Path

import pytest

from seedbed.errors import SeedbedError
from seedbed.upload import files_of


def with_files(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"image")
    return folder


def test_each_file_gets_its_key_even_outside_a_label(tmp_path: Path) -> None:
    folder = with_files(tmp_path, "Maize/1.png", "Küchen#schelle/2 %.png", "notes.txt")
    (folder / "Maize/link.png").symlink_to("1.png")
    assert files_of(folder) == [
        (folder / "Küchen#schelle/2 %.png", "seedlings/Küchen#schelle/2 %.png"),
        (folder / "Maize/1.png", "seedlings/Maize/1.png"),
        (folder / "notes.txt", "seedlings/notes.txt"),
    ]


def test_a_parent_of_the_images_folder_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    with_files(tmp_path, *(f"train/{label}/{n}.png" for label in ("Maize", "Charlock") for n in range(3)))
    with_files(tmp_path, "test/1.png", "README.md")
    with pytest.raises(SeedbedError, match=rf"not at <label>/<file>\. Did you mean {tmp_path / 'train'}\?"):
        files_of(tmp_path)


def test_a_folder_without_labels_is_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(SeedbedError, match="a sub-folder of images for each label"):
        files_of(with_files(tmp_path, "1.png", "2.png"))


@pytest.mark.parametrize("folder", ["empty", "nowhere"])
def test_an_empty_or_missing_folder_is_refused(folder: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SeedbedError, match="sub-folder of images for each label"):
        files_of(tmp_path / folder)
