"""Model archives come from outside: each is read, or refused with a sentence."""

import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trainer.painting import archive
from trainer import archive as archives
from trainer.archive import HEAD, read_model
from trainer.errors import UnreadableModel
from trainer.keras_loader import keras

# NumPy 2 warns of the way in which Keras 3.15 turns TensorFlow's variables into arrays.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

FACTS = b'{"labels": ["a", "b"], "image_size": 32}'


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A head.keras of five features and two labels."""
    file = tmp_path_factory.mktemp("network") / HEAD
    keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)]).save(file)
    return file.read_bytes()


def test_a_complete_archive_is_read(network: bytes, tmp_path: Path) -> None:
    model = read_model(archive(tmp_path / "m.tar.gz", head__keras=network, model__json=FACTS), HEAD, tmp_path / "x")
    assert (model.labels, model.image_size, model.network.input_shape) == (["a", "b"], 32, (None, 5))


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (b"{", "can't be read"),
        (b"[]", "can't be read"),
        (b'{"labels": ["a"], "image_size": 32}', "does not describe its network"),
        (b'{"labels": ["a", "b"], "image_size": 99999}', "does not describe its network"),
        (b'{"labels": ["a", "b"]}', "image_size"),
    ],
)
def test_facts_that_do_not_fit_are_refused(facts: bytes, reason: str, network: bytes, tmp_path: Path) -> None:
    with pytest.raises(UnreadableModel, match=reason):
        read_model(archive(tmp_path / "m.tar.gz", head__keras=network, model__json=facts), HEAD, tmp_path / "x")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableModel, match=r"holds no head\.keras"):
        read_model(archive(tmp_path / "m.tar.gz", model__json=FACTS), HEAD, tmp_path / "x")


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableModel, match="There is no model at"):
        read_model(tmp_path / "m.tar.gz", HEAD, tmp_path / "x")


@pytest.mark.parametrize("spoil", [lambda whole: whole[:200], lambda whole: b"text", lambda whole: b""])
def test_a_damaged_archive_is_refused(spoil: Callable[[bytes], bytes], network: bytes, tmp_path: Path) -> None:
    file = archive(tmp_path / "m.tar.gz", head__keras=network, model__json=FACTS)
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(UnreadableModel, match=r"m\.tar\.gz can't be read"):
        read_model(file, HEAD, tmp_path / "x")


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", "folder/../../escaped"])
def test_members_that_point_outside_are_not_written(name: str, network: bytes, tmp_path: Path) -> None:
    file = tmp_path / "m.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        for member, content in ((name, b"x"), (HEAD, network), ("model.json", FACTS)):
            entry = tarfile.TarInfo(member)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    read_model(file, HEAD, tmp_path / "x")
    assert {path.name for path in (tmp_path / "x").iterdir()} == {HEAD, "model.json"}


def test_a_link_in_place_of_the_facts_is_not_followed(network: bytes, tmp_path: Path) -> None:
    (tmp_path / "facts").write_bytes(FACTS)
    file = tmp_path / "m.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        link = tarfile.TarInfo("model.json")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "facts")
        tar.addfile(link)
    with pytest.raises(UnreadableModel, match=r"no model\.json"):
        read_model(file, HEAD, tmp_path / "x")


def test_an_archive_that_inflates_beyond_the_limit_is_refused(
    network: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_BYTES", 100_000)
    zeros = archive(tmp_path / "tar/m.tar.gz", zeros=bytes(200_000), head__keras=network, model__json=FACTS)
    with pytest.raises(UnreadableModel, match="more than 100,000 bytes"):
        read_model(zeros, HEAD, tmp_path / "x")
    inflated = io.BytesIO()
    with zipfile.ZipFile(inflated, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("model.weights.h5", bytes(200_000))
    zipped = archive(tmp_path / "zip/m.tar.gz", head__keras=inflated.getvalue(), model__json=FACTS)
    with pytest.raises(UnreadableModel, match=r"head\.keras holds more than 100,000 bytes"):
        read_model(zipped, HEAD, tmp_path / "y")


def test_code_inside_a_model_is_not_run(tmp_path: Path) -> None:
    file = tmp_path / HEAD
    keras.Sequential([keras.Input((5,)), keras.layers.Lambda(lambda x: x[:, :2])]).save(file)
    with zipfile.ZipFile(file) as parts:
        assert "__lambda__" in json.dumps(json.loads(parts.read("config.json")))
    hostile = archive(tmp_path / "m.tar.gz", head__keras=file.read_bytes(), model__json=FACTS)
    with pytest.raises(UnreadableModel):
        read_model(hostile, HEAD, tmp_path / "x")
