"""Seedbed's way from raw images to scores, with the container's verbs."""

import json
import re
import shlex
from pathlib import Path

from . import jobs
from .results import Epoch, FineTuning, HeadWay, Scores, Verb
from .template import backbone, default, evaluate_arguments, prepare_arguments

# One view of each training image, at a size that costs little (docs/decisions/0007).
SHORTEST = ["--image-size", "224", "--views", "1", "--backbones", backbone()]
EPOCH = re.compile(r"epoch (\d+)/\d+ - .*validation_accuracy: ([0-9.]+)")


def shortest_way(folder: Path, images: Path) -> HeadWay:
    return _head_way("One view at 224 px", folder, images, SHORTEST, ["--exports=", "--changed-images", "0"])


def default_way(folder: Path, images: Path) -> HeadWay:
    return _head_way("The template's defaults", folder, images, prepare_arguments(), evaluate_arguments(exports=""))


def fine_tuning(folder: Path, epochs: int) -> FineTuning:
    """Fine-tunes from the head that `default_way` left in the same `folder`."""
    pack = _pack(folder)
    chosen = {"kind": "fine-tune", "backbone": backbone(), "epochs": str(epochs)}
    head = jobs.archive_of(folder / "head")
    trained = jobs.train(folder / "fine-tune", chosen, {"training": pack / "training", "head": head})
    arguments = evaluate_arguments(default("Exports"))
    evaluated = jobs.evaluate(folder / "evaluate-fine-tune", pack, trained.folder, arguments)
    verbs = [
        Verb("train, kind fine-tune", f"{epochs} epochs of the whole network", trained.seconds),
        Verb(shlex.join(["evaluate", *arguments]), "the fine-tuned network, its exports and report", evaluated.seconds),
    ]
    return FineTuning(_images_an_epoch(pack, trained), verbs, epochs_of(trained), _scores(evaluated))


def _head_way(title: str, folder: Path, images: Path, preparing: list[str], evaluating: list[str]) -> HeadWay:
    prepared = jobs.prepare(folder / "prepare", images, preparing)
    trained = jobs.train(
        folder / "head", {"kind": "head", "backbone": backbone()}, {"features": _pack(folder) / "features"}
    )
    evaluated = jobs.evaluate(folder / "evaluate-head", _pack(folder), trained.folder, evaluating)
    verbs = [
        Verb(
            shlex.join(["prepare", *preparing]), "every image checked, split and turned into features", prepared.seconds
        ),
        Verb("train, kind head", "one head with default hyperparameters", trained.seconds),
        Verb(shlex.join(["evaluate", *evaluating]), "the head on the test split, and its report", evaluated.seconds),
    ]
    return HeadWay(title, verbs, _scores(evaluated))


def _pack(folder: Path) -> Path:
    return folder / "prepare/processing/output"


def _images_an_epoch(pack: Path, trained: jobs.FinishedJob) -> int:
    """The images of the full batches that fine-tuning takes."""
    labels = json.loads((pack / "report.json").read_text())["labels"].values()
    batch: int = json.loads((trained.folder / "model/model.json").read_text())["hyperparameters"]["batch_size"]
    return int(sum(splits["train"] for splits in labels)) // batch * batch


def epochs_of(trained: jobs.FinishedJob) -> list[Epoch]:
    """The epochs from the lines that a training job printed, without the last line about the best epoch."""
    found = ((line.seconds, EPOCH.match(line.text)) for line in trained.lines)
    return [Epoch(int(match[1]), seconds, float(match[2])) for seconds, match in found if match]


def _scores(evaluated: jobs.FinishedJob) -> Scores:
    scores = json.loads((evaluated.folder / "processing/output/evaluation.json").read_text())
    return Scores(scores["images"], scores["accuracy"], scores["macro_f1"])
