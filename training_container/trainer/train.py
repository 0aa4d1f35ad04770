"""Runs one training job of either kind, and writes the model of its best epoch."""

import json
from dataclasses import asdict

from trainer.archive import FACTS
from trainer.job import JobPaths
from trainer.training.devices import share_batches
from trainer.training.fine_tune import fine_tune_recipe
from trainer.training.heads import train_heads
from trainer.training.hyperparameters import HEAD_KIND, Hyperparameters
from trainer.training.loop import StopRequest
from trainer.training.trial import Surroundings, run_trial
from trainer.types import Say


def train(job: JobPaths, chosen: Hyperparameters, say: Say) -> None:
    """Prints the metrics of each epoch, and writes the model and `model.json` into the job's model folder."""
    around = Surroundings(StopRequest(), job.own_checkpoints(), job.output_data, say)
    if chosen.kind == HEAD_KIND:
        trained = train_heads(job, chosen, around)
    else:
        devices = share_batches(say)
        trained = run_trial(lambda: fine_tune_recipe(job, chosen, devices), chosen, around)
    job.model.mkdir(parents=True, exist_ok=True)
    trained.setup.save(job.model)
    facts = {
        "kind": trained.chosen.kind,
        "backbone": trained.chosen.backbone,
        "image_size": trained.setup.image_size,
        "labels": trained.setup.labels,
        "hyperparameters": asdict(trained.chosen),
        "validation_accuracy": round(trained.best.metrics.validation_accuracy, 4),
    }
    (job.model / FACTS).write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
