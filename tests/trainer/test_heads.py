"""Heads that share a training job: the proposal and its variations, the best of them, and an interrupted job."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.children import started
from tests.trainer.conftest import CONTAINER, HYPERPARAMETERS, Flow, Run, training_job
from trainer import pack
from trainer.errors import BadHyperparameter, Diverged
from trainer.job import JobPaths
from trainer.training import heads
from trainer.training.hyperparameters import RANGES, Hyperparameters
from trainer.training.loop import BestEpoch, EpochMetrics, StopRequest
from trainer.training.train_head import HeadData, HeadSplit, with_enough_steps
from trainer.training.trial import Surroundings, Trained
from trainer.training.variations import VARIED, variations

THREE = {**HYPERPARAMETERS, "heads": "3"}
CHOSEN = Hyperparameters(learning_rate=0.003, epochs=20, weight_decay=1.0, augmentation=0.95, dropout=0.02, heads=5)
LIKELY = st.builds(
    Hyperparameters,
    learning_rate=st.floats(*RANGES["learning_rate"]),
    batch_size=st.integers(1, 65_536),
    augmentation=st.floats(*RANGES["augmentation"]),
    dropout=st.floats(*RANGES["dropout"]),
    weight_decay=st.floats(*RANGES["weight_decay"]),
    heads=st.integers(1, 8),
    seed=st.integers(0, 2**32 - 1),
)


@given(LIKELY)
def test_the_first_head_is_the_proposal_and_the_others_vary_it_within_the_limits(chosen: Hyperparameters) -> None:
    made = variations(chosen)

    assert made[0] == chosen
    assert len(made) == chosen.heads
    for variation in made:
        assert replace(variation, **{name: getattr(chosen, name) for name in VARIED}) == chosen
        for name, (least, most) in RANGES.items():
            assert least <= getattr(variation, name) <= most


def test_the_same_proposal_has_the_same_variations_and_another_has_others() -> None:
    made, other = variations(CHOSEN), variations(replace(CHOSEN, learning_rate=0.002))

    assert variations(CHOSEN) == made
    assert len({head.seed for head in made}) == len({head.learning_rate for head in made}) == CHOSEN.heads
    assert [replace(head, sample=0) for head in variations(replace(CHOSEN, sample=500))] == made
    factors = [[head.learning_rate / of[0].learning_rate for head in of[1:]] for of in (made, other)]
    assert factors[0] != pytest.approx(factors[1], rel=1e-3)


@given(LIKELY)
def test_heads_vary_only_what_is_searched_and_stay_within_its_range(chosen: Hyperparameters) -> None:
    ends = sorted((chosen.dropout, chosen.dropout / 2))
    limited = replace(chosen, varied=json.dumps({"dropout": ends, "epochs": [1, 10]}))

    for variation in variations(limited):
        assert ends[0] <= variation.dropout <= ends[1]
        assert replace(variation, dropout=chosen.dropout, seed=chosen.seed) == limited


def test_limits_beyond_the_trainers_own_are_not_used() -> None:
    made = variations(replace(CHOSEN, dropout=0.89, heads=50, varied='{"dropout": [0, 1]}'))

    assert max(head.dropout for head in made) == RANGES["dropout"][1]


@pytest.mark.parametrize(
    "text", ["dropout", "[0, 1]", '{"dropout": 0.1}', '{"dropout": [0.3, 0.1]}', '{"dropout": [null, 1]}']
)
def test_limits_that_cannot_be_read_fail_the_job_with_an_example(text: str) -> None:
    with pytest.raises(BadHyperparameter, match=re.escape('varied must be JSON such as {"dropout": [0.1, 0.4]}')):
        variations(replace(CHOSEN, varied=text))


@pytest.mark.parametrize(("images", "batch"), [(63, 8), (250, 15), (1144, 71), (2048, 128), (100_000, 128)])
def test_a_head_takes_smaller_and_slower_steps_on_few_images(images: int, batch: int) -> None:
    one = with_enough_steps(replace(CHOSEN, batch_size=128, learning_rate=0.004), images)

    assert one.batch_size == batch
    assert one.learning_rate == pytest.approx(0.004 * (batch / 128) ** 0.5)


def test_a_small_batch_is_taken_as_it_is_given() -> None:
    small = replace(CHOSEN, batch_size=4)

    assert with_enough_steps(small, 20) == small


@pytest.fixture(scope="module")
def shared(prepared: Flow, run_trainer: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A job that trained three heads, and the lines of its log."""
    base = tmp_path_factory.mktemp("heads")
    training_job(base, THREE, features=prepared.pack / "features")
    return base, run_trainer(base, "train").stdout.splitlines()


def results(base: Path, folder: str = "model") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((base / folder / "heads.json").read_text())
    return found


def test_the_last_line_has_the_metrics_of_the_best_head(shared: tuple[Path, list[str]]) -> None:
    base, lines = shared
    of_heads = [line.partition(" - ")[2] for line in lines if line.startswith("best epoch")]
    found = results(base)

    assert len(of_heads) == len(found["heads"]) == 3
    assert lines[-1] == f"best head {found['best']}/3 - {of_heads[found['best'] - 1]}"
    accuracies = [head["validation_accuracy"] for head in found["heads"]]
    assert accuracies[found["best"] - 1] == max(accuracies)
    for head, metrics in zip(found["heads"], of_heads, strict=True):
        assert f"validation_accuracy: {head['validation_accuracy']:.4f};" in metrics


def test_the_model_is_the_best_heads_with_its_own_hyperparameters(shared: tuple[Path, list[str]]) -> None:
    base, _ = shared
    found = results(base)
    best = found["heads"][found["best"] - 1]
    facts = json.loads((base / "model/model.json").read_text())

    assert {file.name for file in (base / "model").iterdir()} == {"head.keras", "model.json", "heads.json"}
    assert {name: str(facts["hyperparameters"][name]) for name in VARIED} == best["hyperparameters"]
    assert facts["validation_accuracy"] == best["validation_accuracy"]


def noisy(images: int, seed: int) -> pack.FeatureSplit:
    """Features that tell two labels apart most of the time."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, images).astype(np.int32)
    features = rng.normal(0.3 * labels[:, None, None], 1.0, (images, 2, 20)).astype(np.float32)
    return pack.FeatureSplit(features, labels)


def test_linear_heads_become_their_mean_which_is_scored_as_it_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    training, validation = (HeadSplit(noisy(images, seed), np.arange(images)) for images, seed in ((60, 1), (200, 2)))
    data = HeadData(training, validation, pack.Description(["efficientnet-lite0"], 64, 0, ["maize", "thistle"]))
    monkeypatch.setattr(heads, "read_head_data", lambda *_: data)
    job, said = JobPaths(tmp_path), list[str]()
    around = Surroundings(StopRequest(), job.checkpoints, job.output_data, said.append)
    result = heads.train_heads(job, replace(CHOSEN, heads=4, augmentation=0.0, dropout=0.5), around)

    losses = [float(loss) for line in said for loss in re.findall(r"^best epoch.*validation_loss: (\S+);", line)]
    metrics = result.best.metrics
    assert said[-1] == f"mean of 4 heads - {metrics}"
    assert len(losses) == 4
    assert metrics.validation_loss < min(losses)
    answers = result.setup.recipe.network.predict_on_batch(validation.split.features[:, 0])
    assert metrics.validation_accuracy == (answers.argmax(axis=1) == validation.split.labels).mean()
    found = results(tmp_path)
    assert found["best"] > 0
    assert len(found["heads"]) == 4


def test_each_head_has_a_run_in_tensorboard(shared: tuple[Path, list[str]]) -> None:
    base, _ = shared
    assert sorted(folder.name for folder in (base / "output/data").iterdir()) == ["head-1", "head-2", "head-3"]


def test_the_job_manager_can_read_the_heads_among_the_checkpoints(shared: tuple[Path, list[str]]) -> None:
    base, _ = shared
    assert results(base, "checkpoints") == results(base)


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM])
def test_an_interrupted_job_continues_to_the_same_result(
    by: signal.Signals, shared: tuple[Path, list[str]], prepared: Flow, run_trainer: Run, tmp_path: Path
) -> None:
    training_job(tmp_path, THREE, features=prepared.pack / "features")
    stopped_at(tmp_path, "epoch 2/3", head=2, by=by)

    again = run_trainer(tmp_path, "train").stdout.splitlines()

    whole, lines = shared
    continued = re.findall(r"^continuing after epoch (\d+)", "\n".join(again), re.MULTILINE)
    assert continued[0] == "3"  # the first head is not trained again
    assert len(continued) >= 2
    assert again[-1] == lines[-1]
    assert results(tmp_path) == results(whole)
    facts = [(base / "model/model.json").read_text() for base in (tmp_path, whole)]
    assert facts[0] == facts[1]


def test_a_stopped_job_leaves_the_best_head_so_far(prepared: Flow, tmp_path: Path) -> None:
    training_job(tmp_path, {**THREE, "epochs": "500"}, features=prepared.pack / "features")

    stopped_at(tmp_path, "epoch 2/500", head=1, by=signal.SIGTERM)

    assert len(results(tmp_path)["heads"]) == results(tmp_path)["best"] == 1
    assert (tmp_path / "model/head.keras").is_file()


def stopped_at(base: Path, line_begins: str, head: int, by: signal.Signals) -> None:
    """Trains until this head prints such a line, then sends the signal, and waits for the process to end."""
    command, reached = [sys.executable, "-m", "trainer", "train"], 0
    environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(base)}
    with started(command, cwd=CONTAINER, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout
        for line in process.stdout:
            number = re.match(r"head (\d+)/", line)
            reached = int(number.group(1)) if number else reached
            if reached == head and line.startswith(line_begins):
                process.send_signal(by)
                break
        process.stdout.read()
    assert process.returncode == (-signal.SIGKILL if by is signal.SIGKILL else 0)


def trained(accuracy: float) -> Trained:
    """A head with a hidden layer, as their mean is never taken."""
    metrics = EpochMetrics(0.5, 0.8, 0.4, accuracy)
    return Trained(None, replace(CHOSEN, hidden_units=8), BestEpoch(1, metrics, []))  # type: ignore[arg-type]


@pytest.mark.parametrize(("scores", "best"), [((None, 0.8, 0.9), 3), ((0.9, None, None), 1), ((None, 0.7, 0.7), 2)])
def test_a_head_that_diverges_is_left_out(
    scores: tuple[float | None, ...], best: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = train_as_if(scores, monkeypatch, tmp_path)

    assert results(tmp_path)["best"] == best
    assert ["validation_accuracy" in head for head in results(tmp_path)["heads"]] == [bool(score) for score in scores]
    assert said[-1].startswith(f"best head {best}/3 - ")


def test_a_job_whose_heads_all_diverge_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(Diverged, match="try a lower learning rate"):
        train_as_if((None, None, None), monkeypatch, tmp_path)


def train_as_if(scores: tuple[float | None, ...], monkeypatch: pytest.MonkeyPatch, base: Path) -> list[str]:
    """The log of a job whose heads score like this; None is one that diverges."""
    left = iter(scores)

    def run_trial(*_: object) -> Trained:
        score = next(left)
        if score is None:
            raise Diverged
        return trained(score)

    monkeypatch.setattr(heads, "run_trial", run_trial)
    monkeypatch.setattr(heads, "read_head_data", lambda *_: None)
    job, said = JobPaths(base), list[str]()
    around = Surroundings(StopRequest(), job.checkpoints, job.output_data, said.append)
    heads.train_heads(job, replace(CHOSEN, heads=3), around)
    return said
