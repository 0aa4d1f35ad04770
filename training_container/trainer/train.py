"""Runs one trial of either kind, and writes the model of its best epoch."""

import json
from contextlib import closing
from dataclasses import asdict

import numpy as np

from trainer.archive import FACTS
from trainer.job import JobPaths
from trainer.keras_loader import keras
from trainer.training.checkpoint import Checkpoints
from trainer.training.fine_tune import fine_tune_recipe
from trainer.training.hyperparameters import HEAD_KIND, Hyperparameters
from trainer.training.loop import StopRequest, TrialContext, run_epochs
from trainer.training.tensorboard import EventLog
from trainer.training.train_head import head_recipe
from trainer.types import Say


def train(job: JobPaths, chosen: Hyperparameters, say: Say) -> None:
    """Prints the metrics of each epoch, and writes the model and `model.json` into the job's model folder."""
    stop = StopRequest()
    keras.utils.set_random_seed(chosen.seed)
    trial = head_recipe(job, chosen) if chosen.kind == HEAD_KIND else fine_tune_recipe(job, chosen)
    checkpoints = Checkpoints(job.checkpoints, asdict(chosen), say)
    with closing(EventLog(job.output_data)) as log:
        best = run_epochs(trial.recipe, np.random.default_rng(chosen.seed), TrialContext(stop, checkpoints, log, say))
    job.model.mkdir(parents=True, exist_ok=True)
    trial.recipe.network.save(job.model / trial.file)
    facts = {
        "kind": chosen.kind,
        "backbone": chosen.backbone,
        "image_size": trial.image_size,
        "labels": trial.labels,
        "hyperparameters": asdict(chosen),
        "validation_accuracy": round(best.metrics.validation_accuracy, 4),
    }
    (job.model / FACTS).write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
