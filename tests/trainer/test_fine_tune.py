"""Fine-tuning: smaller images first, and as many images an epoch as help."""

from pathlib import Path

import numpy as np
import pytest

from tests.trainer.conftest import FINE_TUNING, Flow, training_job
from trainer import pack
from trainer.job import JobPaths
from trainer.training import fine_tune
from trainer.training.augment_images import shrunk
from trainer.training.fine_tune import batches, fine_tune_recipe
from trainer.training.hyperparameters import Hyperparameters, parse_hyperparameters
from trainer.training.loop import Recipe

SIDE = 40
FEW = Hyperparameters(kind="fine-tune", batch_size=4, augmentation=0.5)


def recipe(prepared: Flow, folder: Path, **changes: str) -> Recipe:
    """The recipe of a trial on the pack, whose images have 40 pixels a side."""
    training_job(folder, FINE_TUNING, training=prepared.pack / "training")
    return fine_tune_recipe(JobPaths(folder), parse_hyperparameters({**FINE_TUNING, **changes})).recipe


def photographs(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), np.uint8)


def split(count: int) -> pack.TrainingSplit:
    return pack.TrainingSplit(photographs(count), np.arange(count, dtype=np.int32) % 3)


def test_the_first_epochs_train_the_same_network_on_smaller_images(prepared: Flow, tmp_path: Path) -> None:
    made = recipe(prepared, tmp_path, epochs="4", early_share="0.5")

    assert made.early is not None
    assert made.early.count == 2
    (batch, *_) = made.early.batches(np.random.default_rng(0))
    assert batch.inputs.shape == (16, 32, 32, 3)
    (full, *_) = made.batches(np.random.default_rng(0))
    assert full.inputs.shape == (16, SIDE, SIDE, 3)

    before = [weights.numpy() for weights in made.network.trainable_variables]
    for _ in range(2):  # the first has a learning rate of 0
        made.early.network.train_on_batch(*batch)
    after = [weights.numpy() for weights in made.network.trainable_variables]
    assert all(not np.array_equal(old, new) for old, new in zip(before, after, strict=True))
    made.network.train_on_batch(*full)
    assert int(made.network.optimizer.iterations) == 3


@pytest.mark.parametrize("changes", [{"early_share": "0"}, {"epochs": "1"}])
def test_without_early_epochs_all_images_have_full_size(
    changes: dict[str, str], prepared: Flow, tmp_path: Path
) -> None:
    assert recipe(prepared, tmp_path, **changes).early is None


def test_an_epoch_sees_a_limited_number_of_images_and_others_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fine_tune, "EPOCH_IMAGES", 8)
    rng, weights = np.random.default_rng(1), np.ones(3, np.float32)
    first, second = (list(batches(split(30), SIDE, FEW, weights, rng)) for _ in range(2))
    assert [len(batch.targets) for batch in first] == [4, 4]
    assert not np.array_equal(first[0].targets, second[0].targets)


def test_the_predictions_of_odd_numbers_of_images_are_those_of_each(prepared: Flow, tmp_path: Path) -> None:
    made = recipe(prepared, tmp_path)
    images = pack.read_training(prepared.pack / "training", "validation").images
    expected = made.network.predict_on_batch(np.asarray(images, np.float32))
    assert made.validate() == pytest.approx(expected, abs=1e-5)


def test_shrunk_images_keep_their_colours() -> None:
    images = photographs(2)
    assert shrunk(images, SIDE) is images
    assert shrunk(images, 20).shape == (2, 20, 20, 3)
    assert shrunk(images, 20).mean() == pytest.approx(images.mean(), abs=1)
