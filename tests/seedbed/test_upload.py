"""Which files of a folder are uploaded, and under which keys; a folder that can't be meant is refused before."""

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


def test_each_file_has_its_labels_key_and_a_stray_one_goes_too(tmp_path: Path) -> None:
    folder = with_files(tmp_path, "Maize/1.png", "Küchen#schelle/2 %.png", "notes.txt")
    (folder / "Maize/link.png").symlink_to("1.png")
    assert files_of(folder) == [
        (folder / "Küchen#schelle/2 %.png", "seedlings/Küchen#schelle/2 %.png"),
        (folder / "Maize/1.png", "seedlings/Maize/1.png"),
        (folder / "notes.txt", "seedlings/notes.txt"),
    ]


def test_a_folder_above_the_labels_is_refused_with_the_one_that_is_meant(tmp_path: Path) -> None:
    with_files(tmp_path, *(f"train/{label}/{n}.png" for label in ("Maize", "Charlock") for n in range(3)))
    with_files(tmp_path, "test/1.png", "README.md")
    with pytest.raises(SeedbedError, match=rf"not at <label>/<file>\. Did you mean {tmp_path / 'train'}\?"):
        files_of(tmp_path)


def test_a_folder_without_labels_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SeedbedError, match="a sub-folder of images for each label"):
        files_of(with_files(tmp_path, "1.png", "2.png"))


@pytest.mark.parametrize("folder", ["empty", "nowhere"])
def test_nothing_to_upload_is_told(folder: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SeedbedError, match="sub-folder of images for each label"):
        files_of(tmp_path / folder)
