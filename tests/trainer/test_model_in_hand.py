"""The model card's lines of Python give the same answers as `seedbed predict`, in each format, for photographs."""

import json
import os
import shutil
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from seedbed.seedlings import draw
from tests.trainer.findings import evaluation_of, facts_of
from trainer.answering.averages import average_probabilities, predict_views
from trainer.archive import Model
from trainer.backbones import build_backbone
from trainer.decoding.images import read_image, resize
from trainer.evaluation import model_card
from trainer.evaluation.ensemble import combine_members
from trainer.evaluation.exports import FORMATS, export, litert
from trainer.evaluation.model_card import usage
from trainer.inference.averaging import classify
from trainer.keras_loader import keras
from trainer.training.head import build_head
from trainer.training.hyperparameters import Hyperparameters
from trainer.types import Floats, Pixels

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

SIZE = 64
LABELS = ["Maize", "Charlock", "Cleavers"]
SPECIES = ("Maize", "Charlock", "Cleavers", "Sugar beet")
PHOTOS = os.environ.get("PLANT_SEEDLINGS", "")
"""A folder with a sub-folder of photographs for each label; without it seedlings are drawn."""
UPSIDE_DOWN = 3


class InHand:
    """A model in every format, its model.json and card in one folder, and photographs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.photos = folder, photographs(folder / "photos")
        squares = self.squares()
        facts = facts_of(LABELS, image_size=SIZE, preprocessing=str(model_card.PREPROCESSING))
        self.model = Model(network_for(squares), facts, LABELS, SIZE)
        made = export(self.model, squares, folder / "exports", [*FORMATS])
        self.model.network.save(folder / "model.keras")
        for path in (folder / "exports").iterdir():
            shutil.move(path, folder / path.name)
        (folder / "model.json").write_text(json.dumps(facts), encoding="utf-8")
        model_card.write(folder, facts, evaluation_of(LABELS, exports=made))

    def squares(self) -> Pixels:
        """The photographs as the trainer reads them."""
        return np.stack([resize(read_image(path), SIZE) for path in self.photos])

    def expected(self, format_: str) -> Floats:
        """What predict answers; for integers, whose answers differ from the network's, what the trainer computes."""
        if format_ != "litert_int8":
            return classify(self.model, self.squares()).probabilities
        in_integers = partial(litert.run, self.folder / "model_int8.tflite")
        return average_probabilities(predict_views(in_integers, self.squares(), self.model.views))

    def by_the_card(self, format_: str, monkeypatch: pytest.MonkeyPatch) -> Floats:
        """The probabilities that the card's lines give."""
        card = (self.folder / "model_card.md").read_text(encoding="utf-8")
        lines, names = usage.USAGES[format_].code, dict[str, Any]()
        assert lines in card
        monkeypatch.chdir(self.folder)
        for code in (usage.PROBABILITIES, lines):
            exec(code, names)
        answers = [names["probabilities"](path, names["predict"]) for path in self.photos]
        return np.array([[answer[label] for label in LABELS] for answer in answers])


def photographs(folder: Path) -> list[Path]:
    """Real photographs, or drawn ones; one of them upside down by its EXIF orientation."""
    folder.mkdir()
    if PHOTOS:
        files = [min(label.iterdir()) for label in sorted(Path(PHOTOS).iterdir())[:6]]
        found = [Path(shutil.copy(file, folder / f"{number}{file.suffix}")) for number, file in enumerate(files)]
    else:
        found = [folder / f"{number}.jpg" for number in range(len(SPECIES))]
        for number, path in enumerate(found):
            draw(SPECIES[number], number, 150).save(path)
    turned, exif = folder / "turned.jpg", Image.Exif()
    exif[0x0112] = UPSIDE_DOWN
    with Image.open(found[0]) as image:
        image.convert("RGB").save(turned, exif=exif)
    return [*found, turned]


def network_for(squares: Pixels) -> keras.Model:
    keras.utils.set_random_seed(3)
    backbone = build_backbone("efficientnet-lite0", SIZE)
    head = build_head(backbone.predict_on_batch(squares), len(LABELS), Hyperparameters(dropout=0.0))
    network = keras.Model(backbone.input, head(backbone.output))
    return combine_members([Model(network, {}, LABELS, SIZE)], temperature=1.3)


@pytest.fixture(scope="module")
def in_hand(tmp_path_factory: pytest.TempPathFactory) -> InHand:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return InHand(tmp_path_factory.mktemp("in-hand"))


@pytest.mark.parametrize(
    ("format_", "tolerance"),
    [("keras", 1e-6), ("saved_model", 1e-5), ("onnx", 1e-5), ("litert", 1e-5), ("litert_int8", 1e-6)],
)
def test_a_format_answers_by_the_cards_lines_as_predict_does(
    in_hand: InHand, format_: str, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = in_hand.expected(format_)

    answers = in_hand.by_the_card(format_, monkeypatch)

    assert np.abs(expected - expected.mean(axis=0)).max() > 0.05, "the photographs differ"
    assert answers == pytest.approx(expected, abs=tolerance)
