"""Input from outside is read or refused with a sentence: it causes no crash and no hang."""

import csv
import io
import json
import random
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.spoiled import spoiled_bytes, spoiled_text
from tests.trainer.costly_pictures import SLOW, saved
from tests.trainer.small_model import write_small_model
from trainer import pack
from trainer.archive import WHOLE, Model, read_model, write_archive
from trainer.decoding.limits import TOO_LONG, DecodingLimits
from trainer.decoding.pool import DecoderPool
from trainer.errors import BadHyperparameter, BadInput, RequestRefused, UnreadableModel
from trainer.inference.invocation import Invocations
from trainer.predict import PredictOptions, predict
from trainer.training.hyperparameters import Hyperparameters, read_hyperparameters

# NumPy 2 warns of the way in which Keras 3.15 turns TensorFlow's variables into arrays.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

COUNT = 2500
STRICT = DecodingLimits(seconds=0.15, seconds_per_megapixel=0)
ARCHIVES = 400
HYPERPARAMETERS = json.dumps({"kind": "head", "epochs": "30", "learning_rate": "0.003", "seed": "7", "backbone": "b"})


def test_hyperparameters_are_numbers_within_their_limits_or_named(tmp_path: Path) -> None:
    chance = random.Random(1)
    file = tmp_path / "hyperparameters.json"
    read, reasons = [], []

    for _ in range(COUNT):
        file.write_bytes(spoiled_text(chance, HYPERPARAMETERS).encode(errors="surrogateescape"))
        try:
            read.append(read_hyperparameters(file))
        except BadHyperparameter as error:
            reasons.append(str(error))
    assert len(read) > 20
    assert len(reasons) > 20
    assert all(isinstance(chosen, Hyperparameters) and 1 <= chosen.epochs <= 10_000 for chosen in read)
    assert all(1e-8 <= chosen.learning_rate <= 1 for chosen in read)
    assert all(reason.isprintable() and len(reason) < 1000 for reason in reasons)


def test_a_packs_description_is_read_or_refused(tmp_path: Path) -> None:
    chance = random.Random(2)
    pack.describe(tmp_path, pack.Description(["efficientnet-lite0"], 288, 160, ["Maize", "Sugar beet"]))
    whole = (tmp_path / pack.DESCRIPTION).read_text(encoding="utf-8")
    refused = 0

    for _ in range(COUNT):
        (tmp_path / pack.DESCRIPTION).write_bytes(spoiled_bytes(chance, whole.encode()))
        try:
            pack.read_description(tmp_path)
        except BadInput:
            refused += 1
    assert refused > 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_model(tmp_path_factory.mktemp("model") / "whole")


@pytest.mark.parametrize("part", ["the archive", WHOLE, "model.json"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_spoiled_archive_is_read_or_refused_and_writes_nothing_else(part: str, folder: Path, tmp_path: Path) -> None:
    chance = random.Random(part)
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    archive, spoiled = tmp_path / "in" / "model.tar.gz", tmp_path / "spoiled"
    archive.parent.mkdir()
    spoiled.mkdir()
    read, reasons = 0, []

    for number in range(ARCHIVES):
        for name, body in files.items():
            (spoiled / name).write_bytes(spoiled_bytes(chance, body) if name == part else body)
        write_archive(archive, sorted(spoiled.iterdir()))
        if part == "the archive":
            archive.write_bytes(spoiled_bytes(chance, archive.read_bytes()))
        scratch = tmp_path / f"scratch {number}"
        try:
            model = read_model(archive, WHOLE, scratch)
        except UnreadableModel as error:
            reasons.append(str(error))
        else:
            assert model.network.output_shape == (None, len(model.labels))
            read += 1
        if scratch.exists():
            assert {file.name for file in scratch.iterdir()} <= files.keys()
    assert read + len(reasons) == ARCHIVES
    assert len(reasons) > 20
    assert all("model.tar.gz can't be read: " in reason for reason in reasons)
    assert {path.name for path in (tmp_path / "in").iterdir()} == {"model.tar.gz"}


def test_a_spoiled_body_is_answered_or_refused_as_a_client_error(folder: Path, decoders: DecoderPool) -> None:
    chance = random.Random(3)
    invocations = Invocations(read_model(folder, WHOLE, folder.parent / "unused"), decoders)
    picture = io.BytesIO()
    Image.effect_noise((16, 16), 80).save(picture, "PNG")
    statuses = []

    for _ in range(COUNT // 5):
        body, kind = spoiled_bytes(chance, picture.getvalue()), "image/png"
        if chance.random() < 0.5:
            body, kind = (
                spoiled_text(chance, '{"images": ["aGVsbG8="]}').encode(errors="surrogateescape"),
                "application/json",
            )
        try:
            statuses.append(200 if invocations.answer(kind, body, "*/*").text else 0)
        except RequestRefused as error:
            statuses.append(error.status if str(error) else 0)
    assert set(statuses) == {200, 400}


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return read_model(folder, WHOLE, folder.parent / "never made")


def refused(invocations: Invocations, body: bytes) -> tuple[int, str]:
    with pytest.raises(RequestRefused) as caught:
        invocations.answer("image/jpeg", body, "*/*")
    return caught.value.status, str(caught.value)


def test_costly_images_are_refused_while_an_ordinary_one_is_answered(model: Model) -> None:
    costly = SLOW["PNG of many texts"]()
    with DecoderPool(STRICT, count=2) as decoders, ThreadPoolExecutor(5) as threads:
        invocations = Invocations(model, decoders)
        refusals = [threads.submit(refused, invocations, costly) for _ in range(4)]
        honest = threads.submit(invocations.answer, "image/png", saved(Image.new("RGB", (9, 9)), "PNG"), "*/*")
        assert honest.result().text
        assert {refusal.result() for refusal in refusals} == {(400, f"The image can't be used: {TOO_LONG}.")}


def test_images_beyond_the_answer_time_are_refused(
    model: Model, decoders: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.inference.invocation.ANSWER_SECONDS", -1)
    status, reason = refused(Invocations(model, decoders), saved(Image.new("RGB", (9, 9)), "PNG"))
    assert (status, reason.endswith("send fewer or smaller ones.")) == (503, True)


def test_a_request_during_shutdown_is_refused(model: Model) -> None:
    with DecoderPool() as decoders:
        invocations = Invocations(model, decoders)
    assert refused(invocations, saved(Image.new("RGB", (9, 9)), "PNG")) == (503, "No more images are decoded.")


def test_predict_names_a_costly_image_and_labels_the_others(folder: Path, tmp_path: Path) -> None:
    for name, content in (("a", saved(Image.new("RGB", (9, 9)), "PNG")), ("b", SLOW["GIF of many comments"]())):
        (tmp_path / name).write_bytes(content)
    shutil.copy(tmp_path / "a", tmp_path / "c")
    refusals, table = io.StringIO(), tmp_path / "labels.csv"
    predict(folder, [tmp_path / name for name in "abc"], str(table), refusals, PredictOptions(limits=STRICT))
    assert refusals.getvalue() == f"{tmp_path / 'b'}: {TOO_LONG}\n"
    with table.open(newline="", encoding="utf-8") as rows:
        assert [row["file"] for row in csv.DictReader(rows)] == [str(tmp_path / name) for name in "ac"]


def test_labels_and_files_like_formulas_are_text_in_a_spreadsheet(
    folder: Path, tmp_path: Path, decoders: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    for file in folder.iterdir():
        (hostile / file.name).write_bytes(file.read_bytes())
    facts = json.loads((hostile / "model.json").read_text(encoding="utf-8"))
    facts["labels"] = ["=cmd|' /C calc'!A0", "@SUM(1)", "-1+1"]
    (hostile / "model.json").write_text(json.dumps(facts))
    Image.new("RGB", (20, 20), "green").save(tmp_path / "=1+1.png")
    monkeypatch.chdir(tmp_path)

    predict(hostile, [Path("=1+1.png")], "labels.csv", io.StringIO())

    with Path("labels.csv").open(newline="", encoding="utf-8") as rows:
        (row,) = csv.DictReader(rows)
    assert row["file"] == "./=1+1.png"
    assert row["label"] in {f"'{label}" for label in facts["labels"]}
    model = Model(read_model(hostile, WHOLE, tmp_path / "x").network, facts, facts["labels"], 16)
    answer = Invocations(model, decoders).answer("image/png", Path("=1+1.png").read_bytes(), "text/csv")
    said = answer.text
    assert said.splitlines()[1].lstrip('"').startswith("'")
    assert np.isfinite(float(next(csv.DictReader(io.StringIO(said)))["confidence"]))
