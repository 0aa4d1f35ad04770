"""A head may train on a sample of the images: which ones, and that a job uses them alone."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trainer.conftest import HYPERPARAMETERS, Flow, Run, training_job
from tests.trainer.packs import places, write_features
from trainer import pack
from trainer.job import JobPaths
from trainer.training.augment_features import batches
from trainer.training.hyperparameters import Hyperparameters
from trainer.training.sample import RAREST, stratified_sample
from trainer.training.train_head import HeadData, HeadSplit, head_recipe, read_head_data

BACKBONE = "efficientnet-lite0"
NAMES = [f"label {number}" for number in range(8)]


def numbers(counts: list[int]) -> np.ndarray:
    """Label numbers in the order of file names: label by label."""
    return np.repeat(np.arange(len(counts)), counts).astype(np.int32)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=8).filter(any), st.integers(1, 2000))
def test_a_sample_has_its_size_and_each_label_its_share(counts: list[int], size: int) -> None:
    labels = numbers(counts)
    rows = stratified_sample(labels, NAMES[: len(counts)], size)

    assert (np.diff(rows) > 0).all()
    assert len(rows) == min(max(size, sum(map(bool, counts))), len(labels))
    taken = np.bincount(labels[rows], minlength=len(counts))
    fewest = max(1, min(RAREST, size // (2 * len(counts))))
    for count, got in zip(counts, taken, strict=True):
        assert min(count, fewest) <= got <= count
        assert got <= max(fewest, len(rows) * count / len(labels) + 1)


def test_without_rare_labels_the_shares_are_the_datasets() -> None:
    labels = numbers([1000, 2000, 3000])
    taken = np.bincount(labels[stratified_sample(labels, NAMES[:3], 600)])
    assert taken.tolist() == [100, 200, 300]


@pytest.mark.parametrize("size", [0, 30, 31, 10**9])
def test_a_size_of_zero_or_more_than_there_are_takes_all(size: int) -> None:
    assert stratified_sample(numbers([10, 20]), NAMES[:2], size).tolist() == list(range(30))


def test_added_images_change_few_rows() -> None:
    before, after = numbers([4000, 8000]), numbers([4040, 8080, 50])
    kept = {
        (label, row - int(np.searchsorted(labels, label)))
        for labels, names in ((before, NAMES[:2]),)
        for row in stratified_sample(labels, names, 1000)
        for label in [int(labels[row])]
    }
    now = {
        (int(after[row]), row - int(np.searchsorted(after, after[row])))
        for row in stratified_sample(after, NAMES[:3], 1000)
    }
    assert len(kept & now) >= 0.9 * len(kept)


def test_evenly_spaced_rows_are_of_every_part() -> None:
    rows = np.arange(100, 1100)
    assert rows[pack.evenly_spaced(len(rows), 5)].tolist() == [100, 349, 599, 849, 1099]
    assert rows[pack.evenly_spaced(len(rows), 5000)].tolist() == rows.tolist()


def test_a_head_standardises_by_images_of_all_labels() -> None:
    labels = numbers([9000, 1000])
    features = np.where(labels == 0, 0, 10).astype(np.float16)[:, None, None]
    training = HeadSplit(pack.FeatureSplit(features, labels), np.arange(len(labels)))
    data = HeadData(training, training, pack.Description([BACKBONE], 32, 0, NAMES[:2]))

    network = head_recipe(data, Hyperparameters()).recipe.network

    mean, variance = network.get_layer("standardise").get_weights()
    assert (mean.item(), variance.item()) == pytest.approx((1.0, 9.0), rel=0.01)


def features_channel(base: Path) -> JobPaths:
    """A job whose channel has 300 training and 90 validation images of three labels, in two views."""
    folder = base / "input/data/features"
    rng = np.random.default_rng(3)
    description = pack.Description([BACKBONE], 32, 0, NAMES[:3])
    for split, counts in (("train", [50, 100, 150]), ("validation", [15, 30, 45])):
        values = rng.normal(size=(sum(counts), 2, 6)).astype(np.float16)
        write_features(folder, description, BACKBONE, split, values)
        pack.write_places(folder, split, places(len(values)))
        pack.write_labels(folder, split, numbers(counts).tolist())
        description = pack.read_description(folder)
    return JobPaths(base)


def test_a_mapped_sample_gives_the_same_batches_as_one_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, chosen = features_channel(tmp_path), Hyperparameters(batch_size=16, sample=60)
    in_memory = read_head_data(job, BACKBONE, chosen.sample)
    monkeypatch.setattr(pack, "MAX_FLOAT32_BYTES", 0)
    mapped = read_head_data(job, BACKBONE, chosen.sample)

    assert [len(data.split.labels) for data in (in_memory.training, mapped.training)] == [60, 300]
    one, other = (list(batches(*data.training, chosen, 3, np.random.default_rng(4))) for data in (in_memory, mapped))
    assert sum(len(batch.targets) for batch in one) == 60
    for batch, same in zip(one, other, strict=True):
        assert all(np.array_equal(*pair) for pair in zip(batch, same, strict=True))
    for data in (in_memory, mapped):
        recipe = head_recipe(data, chosen).recipe
        assert recipe.validate().shape == (60, 3)
        assert np.bincount(recipe.truth).tolist() == [10, 20, 30]


def test_a_job_trains_on_its_sample(prepared: Flow, run_trainer: Run, tmp_path: Path) -> None:
    training_job(tmp_path, {**HYPERPARAMETERS, "sample": "12"}, features=prepared.pack / "features")
    done = run_trainer(tmp_path, "train")

    assert done.returncode == 0, done.stderr
    facts = json.loads((tmp_path / "model/model.json").read_text())
    assert facts["hyperparameters"]["sample"] == 12
