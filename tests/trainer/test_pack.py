"""The pack on disk: it is read as written, and damaged or hostile files are refused with a sentence."""

import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.trainer.packs import places, write_features, write_photos
from tests.trainer.painting import paint
from trainer import pack
from trainer.decoding.images import decode_image, read_image, resize
from trainer.decoding.pool import DecoderPool
from trainer.errors import BadInput, OtherTrainer
from trainer.photos import LONGEST_SIDE, Photos
from trainer.preparation import shards
from trainer.preparation.shards import ArrayShards
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


def photos_in(archive: Path, count: int = 1) -> Photos:
    return Photos([archive], places(count), LABELS)


def png(seed: int = 0) -> bytes:
    content = io.BytesIO()
    paint(GREEN, seed).save(content, "PNG")
    return content.getvalue()


def test_photographs_come_back_in_their_order_with_names_and_labels(
    images: Path, tmp_path: Path, decoders: DecoderPool
) -> None:
    photos = pack.read_photos(write_photos(tmp_path / "test", images, NAMES, LABELS, decoders))
    assert photos.names == NAMES
    assert photos.labels.tolist() == [0, 0, 1]
    expected = [resize(read_image(images / name), 24) for name in (NAMES[2], NAMES[0])]
    assert np.array_equal(photos.load([2, 0], 24), expected)


def test_a_folder_is_a_label_in_any_spelling(tmp_path: Path) -> None:
    spelt = ["Maize/a.png", "maize /a.png", "GRÖSSE 100% #1+/a.png"]
    photos = photos_in(zipped(tmp_path / "images.zip", *((name, png()) for name in spelt)), 3)
    assert photos.labels.tolist() == [0, 0, 1]


def test_small_photographs_are_kept_to_the_byte(images: Path, tmp_path: Path, decoders: DecoderPool) -> None:
    write_photos(tmp_path / "test", images, NAMES, LABELS, decoders)
    with zipfile.ZipFile(tmp_path / "test/algo-1-0000.zip") as archive:
        assert [archive.read(name) for name in NAMES] == [(images / name).read_bytes() for name in NAMES]


def test_a_large_photograph_is_shrunk_and_stays_upright(tmp_path: Path, decoders: DecoderPool) -> None:
    (tmp_path / "Maize").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    paint(GREEN, 1, side=1000).crop((0, 0, 1000, 500)).save(tmp_path / "Maize/big.jpg", exif=exif)
    write_photos(tmp_path / "test", tmp_path, ["Maize/big.jpg"], LABELS, decoders, large=["Maize/big.jpg"])
    with (
        zipfile.ZipFile(tmp_path / "test/algo-1-0000.zip") as archive,
        Image.open(archive.open("Maize/big.jpg")) as image,
    ):
        assert (image.format, image.size) == ("PNG", (LONGEST_SIDE // 2, LONGEST_SIDE))


def test_the_same_images_make_the_same_archive(images: Path, tmp_path: Path, decoders: DecoderPool) -> None:
    one, two = (
        write_photos(tmp_path / name, images, NAMES, LABELS, decoders, large=NAMES[:1]) for name in ("one", "two")
    )
    assert (one / "algo-1-0000.zip").read_bytes() == (two / "algo-1-0000.zip").read_bytes()


@pytest.mark.parametrize(
    "name", ["../Maize/a.png", "/etc/passwd", "Maize", "Maize/", "Other/a.png", "C:\\Maize\\a.png", "Maize\\a.png"]
)
def test_an_archive_with_a_name_of_no_label_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="damaged: run prepare again"):
        photos_in(zipped(tmp_path / "images.zip", (name, png())))


def test_names_are_never_paths(tmp_path: Path) -> None:
    photos = photos_in(zipped(tmp_path / "images.zip", ("Maize/../../../outside.png", png())))
    assert photos.load([0], 16).shape == (1, 16, 16, 3)
    assert not list(tmp_path.parent.glob("**/outside.png"))


def test_an_archive_that_would_inflate_is_refused(tmp_path: Path) -> None:
    bomb = zipped(tmp_path / "images.zip", ("Maize/a.png", bytes(10**7)), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(BadInput, match="damaged"):
        photos_in(bomb)


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_a_missing_or_damaged_archive_is_refused(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "images.zip").write_bytes(content)
    with pytest.raises(BadInput, match=r"images\.zip is missing or damaged"):
        photos_in(tmp_path / "images.zip")


def test_an_empty_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no photographs"):
        photos_in(zipped(tmp_path / "images.zip"), 0)


def test_a_photograph_that_the_archive_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="don't belong to its index"):
        photos_in(zipped(tmp_path / "images.zip", ("Maize/a.png", png())), 2)


def test_photographs_that_the_index_leaves_out_are_passed_over(tmp_path: Path) -> None:
    one = zipped(tmp_path / "one.zip", ("Maize/a.png", png(1)), ("Maize/left out.png", png(2)), ("Maize/c.png", png(3)))
    two = zipped(tmp_path / "two.zip", ("Maize/b.png", png(4)))
    photos = Photos([one, two], np.array([[0, 0], [1, 0], [0, 2]]), LABELS)
    assert photos.names == ["Maize/a.png", "Maize/b.png", "Maize/c.png"]
    expected = [resize(decode_image(io.BytesIO(png(seed))), 24) for seed in (4, 1)]
    assert np.array_equal(photos.load([1, 0], 24), expected)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_that_names_an_image_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="twice"):
        photos_in(zipped(tmp_path / "images.zip", ("Maize/a.png", png(1)), ("Maize/a.png", png(2))), 2)


@pytest.mark.parametrize("content", [b"", b"text", png()[:900]])
def test_a_photograph_that_cannot_be_read_is_named(content: bytes, tmp_path: Path) -> None:
    photos = photos_in(zipped(tmp_path / "images.zip", ("Maize/a.png", content)))
    with pytest.raises(BadInput, match=r"Maize/a\.png"):
        photos.load([0], 16)


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    file = zipped(tmp_path / "images.zip", ("Maize/a.png", png()))
    content = bytearray(file.read_bytes())
    content[500] ^= 1
    file.write_bytes(content)
    with pytest.raises(BadInput, match=r"Maize/a\.png"):
        photos_in(file).load([0], 16)


def described(folder: Path) -> Path:
    folder.mkdir()
    pack.describe(folder, pack.Description(["lite", "other"], 48, 32, LABELS))
    return folder


def test_a_written_description_is_read_back(tmp_path: Path) -> None:
    assert pack.read_description(described(tmp_path / "pack")) == pack.Description(["lite", "other"], 48, 32, LABELS)
    read = json.loads((tmp_path / "pack/pack.json").read_text(encoding="utf-8"))
    facts = {"backbones": ["lite", "other"], "image_size": 48, "fine_tune_size": 32, "labels": LABELS, "shards": {}}
    assert read == {**facts, "trainer": version()}


@pytest.mark.parametrize("shard", ["../algo-1", "", "a/b", "a.b", 7])
def test_a_shard_whose_name_is_a_path_is_refused(shard: object, tmp_path: Path) -> None:
    facts = vars(pack.Description(["lite"], 48, 32, LABELS)) | {"shards": {"train": [shard]}, "trainer": version()}
    (tmp_path / pack.DESCRIPTION).write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(BadInput, match="holds no pack made by prepare"):
        pack.read_description(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", '{"labels": []}', None])
def test_a_folder_without_a_complete_description_is_not_a_pack(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "pack.json").write_text(content)
    with pytest.raises(BadInput, match="holds no pack made by prepare"):
        pack.read_description(tmp_path)


def split_folder(folder: Path, features: np.ndarray, rows: np.ndarray | None = None) -> Path:
    """A folder `features/` with a split "train" of two labels in turn."""
    folder.mkdir()
    write_features(folder, pack.Description(["lite", "other"], 48, 32, LABELS), "other", "train", features)
    rows = places(len(features)) if rows is None else rows
    pack.write_places(folder, "train", rows)
    pack.write_labels(folder, "train", [row % 2 for row in range(len(rows))])
    return folder


def numbered(rows: int) -> np.ndarray:
    """Features (rows, 3, 5) that differ everywhere."""
    return np.arange(rows * 15).reshape(rows, 3, 5).astype(np.float16)


def test_features_are_found_by_backbone_and_split(tmp_path: Path) -> None:
    features, labels = pack.read_features(split_folder(tmp_path / "features", numbered(3)), "other", "train")
    assert isinstance(features, np.ndarray)
    assert np.array_equal(features, numbered(3))
    assert features.dtype == np.float32
    assert labels.tolist() == [0, 1, 0]


@given(st.integers(1, 40), st.integers(1, 9), st.data())
@settings(max_examples=60, deadline=None)
def test_shards_are_read_as_one_array(rows: int, rows_of_a_shard: int, data: st.DataObject) -> None:
    """Whatever is asked for, in whatever order: rows, slices, views, views row by row."""
    order = np.array(data.draw(st.permutations(range(rows)))[: data.draw(st.integers(1, rows))])
    asked = np.array(data.draw(st.lists(st.integers(-len(order), len(order) - 1), max_size=12)), np.int64)
    views = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(asked), max_size=len(asked))), np.int64)
    start, end = data.draw(st.integers(0, rows)), data.draw(st.integers(0, rows))
    whole = numbered(rows)
    with tempfile.TemporaryDirectory() as created, patch.object(shards, "ROWS", rows_of_a_shard):
        folder = Path(created)
        with ArrayShards(lambda number: folder / f"{number}.npy", (3, 5), np.float16) as written:
            for part in np.array_split(whole, 4):
                written.append(part)
        files = sorted(folder.iterdir(), key=lambda file: int(file.stem))
        assert len(files) == -(-rows // rows_of_a_shard)
        array = pack.ShardedArray(files, np.stack(np.divmod(order, rows_of_a_shard), axis=1))

        assert (array.shape, len(array), array.size) == ((len(order), 3, 5), len(order), len(order) * 15)
        expected = whole[order]
        for key in (asked, (asked, views), (asked, 1), slice(start, end), (slice(start, end), 0), (slice(None), 2), 0):
            read = array[key]
            assert (read.dtype, read.shape) == (np.dtype(np.float16), expected[key].shape)
            assert np.array_equal(read, expected[key])
        with pytest.raises(IndexError):
            array[[len(order)]]


def test_many_features_stay_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack, "MAX_FLOAT32_BYTES", 100)
    features, _ = pack.read_features(split_folder(tmp_path / "features", numbered(3)), "other", "train")
    assert isinstance(features, pack.ShardedArray)
    assert np.array_equal(features[:, 0], numbered(3)[:, 0])


def test_the_views_that_all_parts_have_are_read(tmp_path: Path) -> None:
    for name, views in (("a", 3), ("b", 2)):
        np.save(tmp_path / f"{name}.npy", numbered(2)[:, :views])
    array = pack.ShardedArray([tmp_path / "a.npy", tmp_path / "b.npy"], np.array([[1, 0], [0, 1]]))
    assert array.shape == (2, 2, 5)
    assert np.array_equal(array[:], numbered(2)[:, :2])


@pytest.mark.parametrize("damage", ["missing", "cut off", "no array", "another width", "too few rows"])
def test_a_damaged_shard_is_named(damage: str, tmp_path: Path) -> None:
    folder = split_folder(tmp_path / "features", numbered(3))
    (shard,) = folder.glob("train-other-*.npy")
    match damage:
        case "missing":
            shard.unlink()
        case "cut off":
            shard.write_bytes(shard.read_bytes()[:-1])
        case "no array":
            shard.write_bytes(b"text")
        case "another width":
            np.save(shard, np.zeros((3, 5), np.float16))
        case _:
            np.save(shard, numbered(2))
    with pytest.raises(
        BadInput, match=rf"{shard.name} (is missing or damaged|don't belong together): run prepare again"
    ):
        pack.read_features(folder, "other", "train")


@pytest.mark.parametrize("rows", [[[1, 0]], [[0, 3]], [[0, -1]], [[-1, 0]], [0, 1], [[0.0, 1.0]], []])
def test_an_index_of_rows_that_are_not_there_is_refused(rows: list[Any], tmp_path: Path) -> None:
    folder = split_folder(tmp_path / "features", numbered(3))
    np.save(folder / pack.places_file("train"), np.array(rows))
    pack.write_labels(folder, "train", [0] * len(rows))
    with pytest.raises(BadInput, match="run prepare again"):
        pack.read_features(folder, "other", "train")


@pytest.mark.parametrize("backbone", ["unknown", "../../secret", "a" * 999])
def test_features_of_a_backbone_that_was_not_packed_are_refused(backbone: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"holds no features of .* but of lite, other"):
        pack.read_features(described(tmp_path / "features"), backbone, "train")


def test_arrays_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    folder = split_folder(tmp_path / "features", numbered(3))
    pack.write_labels(folder, "train", [1, 0])
    with pytest.raises(BadInput, match="don't belong together"):
        pack.read_features(folder, "other", "train")
    with pytest.raises(BadInput, match=r"validation-places\.npy is missing or damaged"):
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
