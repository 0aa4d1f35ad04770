"""The heads of one training job. Its start takes longer than a head, so several share it; their mean is its result."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from trainer.errors import Diverged
from trainer.job import JobPaths
from trainer.training.hyperparameters import Hyperparameters
from trainer.training.loop import validate
from trainer.training.train_head import HeadData, head_recipe, read_head_data
from trainer.training.trial import Surroundings, Trained, run_trial
from trainer.training.variations import variations, varied_values

RESULTS = "heads.json"


def train_heads(job: JobPaths, chosen: Hyperparameters, around: Surroundings) -> Trained:
    """Trains `chosen.heads` heads, and returns their mean, or the best if that has a lower loss.

    A head that diverges is left out unless all do. The metrics of the result are printed last. What each head scored is
    written after each into `heads.json` among the checkpoints, where people and the job manager can read it, and at the
    end into the model folder.
    """
    data = read_head_data(job, chosen.backbone, chosen.sample)
    if chosen.heads == 1:
        return run_trial(lambda: head_recipe(data, chosen), chosen, around)
    best, won = None, 0
    results: list[dict[str, Any]] = []
    usable: list[Trained] = []
    for number, variation in enumerate(variations(chosen), start=1):
        trained = _train(number, variation, data, around)
        results.append(_result(variation, trained))
        usable += [trained] if trained else []
        if trained and (best is None or trained.best.metrics.better_than(best.best.metrics)):
            best, won = trained, number
        if around.checkpoints.is_dir():
            _write(around.checkpoints, won, results)
        if around.stop.received:
            break
    if best is None:
        raise Diverged
    _write(job.model, won, results)
    around.say(f"best head {won}/{chosen.heads} - {best.best.metrics}")
    return _mean_or_best(usable, best, around)


def _mean_or_best(usable: Sequence[Trained], best: Trained, around: Surroundings) -> Trained:
    """The best head, with the mean of all heads' weights if that lowers its validation loss.

    Heads without a hidden layer are linear up to the softmax: the mean of their weights gives the mean of their logits,
    as accurate as asking them all and as fast as one. Its training metrics are the best head's.
    """
    if len(usable) < 2 or best.chosen.hidden_units:
        return best
    recipe = best.setup.recipe
    recipe.network.set_weights(
        [np.mean(same, axis=0) for same in zip(*(one.best.weights for one in usable), strict=True)]
    )
    before = best.best.metrics
    loss, accuracy = validate(recipe)
    metrics = replace(before, validation_loss=loss, validation_accuracy=accuracy)
    if loss > before.validation_loss:
        recipe.network.set_weights(best.best.weights)
        return best
    around.say(f"mean of {len(usable)} heads - {metrics}")
    return best._replace(best=best.best._replace(metrics=metrics, weights=recipe.network.get_weights()))


def _train(number: int, variation: Hyperparameters, data: HeadData, around: Surroundings) -> Trained | None:
    """One head with folders of its own; None if it diverged."""
    settings = ", ".join(f"{name} {value}" for name, value in varied_values(variation).items())
    around.say(f"head {number}/{variation.heads}: {settings}")
    checkpoints, events = (folder / f"head-{number}" for folder in (around.checkpoints, around.events))
    if around.checkpoints.is_dir():
        checkpoints.mkdir(exist_ok=True)
    own = replace(around, checkpoints=checkpoints, events=events)
    try:
        return run_trial(lambda: head_recipe(data, variation), variation, own)
    except Diverged as error:
        around.say(f"head {number}/{variation.heads} is left out. {error}")
        return None


def _result(variation: Hyperparameters, trained: Trained | None) -> dict[str, Any]:
    scores = {name: round(value, 4) for name, value in asdict(trained.best.metrics).items()} if trained else {}
    return {"hyperparameters": varied_values(variation), **scores}


def _write(folder: Path, best: int, results: Sequence[dict[str, Any]]) -> None:
    """Replaces the file in one step; `best` is the best head's number from 1, or 0 while all have diverged."""
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{RESULTS}.part"
    unfinished.write_text(json.dumps({"best": best, "heads": results}, indent=1), encoding="utf-8")
    unfinished.replace(folder / RESULTS)
