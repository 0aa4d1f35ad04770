"""The pack on disk: it is read as written, and damaged or hostile files are refused with a sentence."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.trainer.painting import paint
from trainer import pack
from trainer.decoding.images import read_image, resize
from trainer.decoding.pool import DecoderPool
from trainer.errors import BadInput, OtherTrainer
from trainer.photos import LONGEST_SIDE, Photos, write_photos
from trainer.version import version

GREEN = (40, 160, 60)
LABELS = ["Maize", "Größe 100% #1+"]
NAMES = ["Maize/a\nb.png", "Maize/day 1/x+y.png", "Größe 100% #1+/ä.jpg"]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Photographs with names that need care."""
    for seed, name in enumerate(NAMES):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        paint(GREEN, seed).save(tmp_path / "images" / name)
    return tmp_path / "images"


def zipped(path: Path, *entries: tuple[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def png(seed: int = 0) -> bytes:
    content = io.BytesIO()
    paint(GREEN, seed).save(content, "PNG")
    return content.getvalue()


def test_photographs_come_back_in_their_order_with_names_and_labels(
    images: Path, tmp_path: Path, decoders: DecoderPool
) -> None:
    write_photos(tmp_path / "images.zip", images, NAMES, (), decoders)
    photos = Photos(tmp_path / "images.zip", LABELS)
    assert photos.names == NAMES
    assert photos.labels.tolist() == [0, 0, 1]
    expected = [resize(read_image(images / name), 24) for name in (NAMES[2], NAMES[0])]
    assert np.array_equal(photos.load([2, 0], 24), expected)


def test_a_folder_is_a_label_in_any_spelling(tmp_path: Path) -> None:
    names = ["Maize/a.png", "maize /a.png", "GRÖSSE 100% #1+/a.png"]
    photos = Photos(zipped(tmp_path / "images.zip", *((name, png()) for name in names)), LABELS)
    assert photos.labels.tolist() == [0, 0, 1]


def test_small_photographs_are_kept_to_the_byte(images: Path, tmp_path: Path, decoders: DecoderPool) -> None:
    write_photos(tmp_path / "images.zip", images, NAMES, (), decoders)
    with zipfile.ZipFile(tmp_path / "images.zip") as archive:
        assert [archive.read(name) for name in NAMES] == [(images / name).read_bytes() for name in NAMES]


def test_a_large_photograph_is_shrunk_and_stays_upright(tmp_path: Path, decoders: DecoderPool) -> None:
    (tmp_path / "Maize").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    paint(GREEN, 1, side=1000).crop((0, 0, 1000, 500)).save(tmp_path / "Maize/big.jpg", exif=exif)
    write_photos(tmp_path / "images.zip", tmp_path, ["Maize/big.jpg"], ["Maize/big.jpg"], decoders)
    with zipfile.ZipFile(tmp_path / "images.zip") as archive, Image.open(archive.open("Maize/big.jpg")) as image:
        assert (image.format, image.size) == ("PNG", (LONGEST_SIDE // 2, LONGEST_SIDE))


def test_the_same_images_make_the_same_archive(images: Path, tmp_path: Path, decoders: DecoderPool) -> None:
    for name in ("one.zip", "two.zip"):
        write_photos(tmp_path / name, images, NAMES, NAMES[:1], decoders)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


@pytest.mark.parametrize(
    "name", ["../Maize/a.png", "/etc/passwd", "Maize", "Maize/", "Other/a.png", "C:\\Maize\\a.png", "Maize\\a.png"]
)
def test_an_archive_with_a_name_of_no_label_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="damaged: run prepare again"):
        Photos(zipped(tmp_path / "images.zip", (name, png())), LABELS)


def test_names_are_never_paths(tmp_path: Path) -> None:
    photos = Photos(zipped(tmp_path / "images.zip", ("Maize/../../../outside.png", png())), LABELS)
    assert photos.load([0], 16).shape == (1, 16, 16, 3)
    assert not list(tmp_path.parent.glob("**/outside.png"))


def test_an_archive_that_would_inflate_is_refused(tmp_path: Path) -> None:
    bomb = zipped(tmp_path / "images.zip", ("Maize/a.png", bytes(10**7)), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(BadInput, match="damaged"):
        Photos(bomb, LABELS)


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_a_missing_or_damaged_archive_is_refused(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "images.zip").write_bytes(content)
    with pytest.raises(BadInput, match=r"images\.zip is missing or damaged"):
        Photos(tmp_path / "images.zip", LABELS)


def test_an_empty_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="empty"):
        Photos(zipped(tmp_path / "images.zip"), LABELS)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_that_names_an_image_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="twice"):
        Photos(zipped(tmp_path / "images.zip", ("Maize/a.png", png(1)), ("Maize/a.png", png(2))), LABELS)


@pytest.mark.parametrize("content", [b"", b"text", png()[:900]])
def test_a_photograph_that_cannot_be_read_is_named(content: bytes, tmp_path: Path) -> None:
    photos = Photos(zipped(tmp_path / "images.zip", ("Maize/a.png", content)), LABELS)
    with pytest.raises(BadInput, match=r"Maize/a\.png"):
        photos.load([0], 16)


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    file = zipped(tmp_path / "images.zip", ("Maize/a.png", png()))
    content = bytearray(file.read_bytes())
    content[500] ^= 1
    file.write_bytes(content)
    with pytest.raises(BadInput, match=r"Maize/a\.png"):
        Photos(file, LABELS).load([0], 16)


def described(folder: Path) -> Path:
    folder.mkdir()
    pack.describe(folder, pack.Description(["lite", "other"], 48, 32, LABELS))
    return folder


def test_a_written_description_is_read_back(tmp_path: Path) -> None:
    assert pack.read_description(described(tmp_path / "pack")) == pack.Description(["lite", "other"], 48, 32, LABELS)
    read = json.loads((tmp_path / "pack/pack.json").read_text(encoding="utf-8"))
    facts = {"backbones": ["lite", "other"], "image_size": 48, "fine_tune_size": 32, "labels": LABELS}
    assert read == {**facts, "trainer": version()}


@pytest.mark.parametrize("content", ["", "[]", '{"labels": []}', None])
def test_a_folder_without_a_complete_description_is_not_a_pack(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "pack.json").write_text(content)
    with pytest.raises(BadInput, match="holds no pack made by prepare"):
        pack.read_description(tmp_path)


def test_features_are_found_by_backbone_and_split(tmp_path: Path) -> None:
    folder = described(tmp_path / "features")
    pack.create_array(folder / pack.features_file("other", "train"), (3, 2, 4), np.float16)[:] = 7
    pack.write_labels(folder / pack.labels_file("train"), [1, 0, 1])
    features, labels = pack.read_features(folder, "other", "train")
    assert (features == 7).all()
    assert labels.tolist() == [1, 0, 1]


@pytest.mark.parametrize("backbone", ["unknown", "../../secret", "a" * 999])
def test_features_of_a_backbone_that_was_not_packed_are_refused(backbone: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"holds no features of .* but of lite, other"):
        pack.read_features(described(tmp_path / "features"), backbone, "train")


def test_arrays_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    folder = described(tmp_path / "training")
    pack.create_array(folder / pack.images_file("train"), (3, 8, 8, 3), np.uint8)
    pack.write_labels(folder / pack.labels_file("train"), [1, 0])
    with pytest.raises(BadInput, match="don't belong together"):
        pack.read_training(folder, "train")
    with pytest.raises(BadInput, match=r"validation\.npy is missing or damaged"):
        pack.read_training(folder, "validation")


def test_a_pack_of_another_version_of_the_trainer_is_refused(tmp_path: Path) -> None:
    folder = described(tmp_path / "pack")
    facts = json.loads((folder / pack.DESCRIPTION).read_text(encoding="utf-8"))
    for earlier in ({**facts, "trainer": "0123456789abcdef"}, {n: v for n, v in facts.items() if n != "trainer"}):
        (folder / pack.DESCRIPTION).write_text(json.dumps(earlier), encoding="utf-8")
        for read in (
            pack.read_description,
            pack.read_photos,
            lambda folder: pack.read_features(folder, "lite", "train"),
        ):
            with pytest.raises(OtherTrainer, match=r"^The pack was made by another version of the trainer: "):
                read(folder)


def test_another_layout_of_a_later_trainer_is_refused_as_such(tmp_path: Path) -> None:
    (tmp_path / pack.DESCRIPTION).write_text(json.dumps({"trainer": "fedcba9876543210", "colours": 4}))
    with pytest.raises(OtherTrainer):
        pack.read_description(tmp_path)


def test_every_change_of_the_source_makes_another_version(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    for name in ("views.py", "exports/onnx.py"):
        (tmp_path / name).write_text("VIEWS = 8\n")
    (tmp_path / "report.html").write_text("not part of the version")
    versions = [version.__wrapped__(tmp_path)]
    for name, text in (("views.py", "VIEWS = 7\n"), ("exports/onnx.py", ""), ("new.py", ""), ("report.html", "")):
        (tmp_path / name).write_text(text)
        versions.append(version.__wrapped__(tmp_path))
    assert len(set(versions)) == 4
    assert versions[-1] == versions[-2]
