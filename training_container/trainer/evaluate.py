"""From trials to the model that is used: chosen on the validation split, scored on the test split."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainer import pack
from trainer.archive import FACTS, WHOLE, Model, check_recorded, read_model, read_trial, sha256_of, write_archive
from trainer.errors import BadInput, UnreadableModel
from trainer.evaluation import exports, model_card
from trainer.evaluation.calibration import Reliability, apply_temperature, reliability
from trainer.evaluation.candidates import Candidate, candidates, choose
from trainer.evaluation.ensemble import combine_members, to_whole_model
from trainer.evaluation.mistakes import most_confident_mistakes
from trainer.evaluation.predictions import predictions, write_pictures
from trainer.evaluation.report import Findings, write_report
from trainer.evaluation.test_split import TestSplit, evenly_spaced
from trainer.inference import photo_kind
from trainer.types import Say

ARCHIVE = "model.tar.gz"
REPORT = "report.html"
MISTAKES, PREDICTIONS = "mistakes.json", "predictions.json"
SAMPLED = 128


@dataclass(frozen=True)
class Inputs:
    """Folders of two splits and of pretrained weights, and three archives; only the splits and `model` must exist."""

    test: Path
    validation: Path
    pretrained: Path
    model: Path
    rival: Path
    champion: Path


@dataclass(frozen=True)
class EvaluateOptions:
    """The arguments of `evaluate`; `champion_sha256` is None if it was not recorded.

    `changed_images` is how many test photographs are scored under harmless changes, too. `run` and `champion_run` are
    the names of this run and of the champion's, for the report.
    """

    views: int
    exports: tuple[str, ...]
    champion_sha256: str | None = None
    changed_images: int = 0
    run: str = ""
    champion_run: str = ""


def evaluate(inputs: Inputs, output: Path, options: EvaluateOptions, say: Say) -> None:
    """Writes the scores, the model, exports, the model card, predictions, mistakes with pictures, and the report."""
    output.mkdir(parents=True, exist_ok=True)
    labels = pack.read_description(inputs.test).labels
    test, validation = pack.read_photos(inputs.test), pack.read_photos(inputs.validation)
    found = candidates(_read_trials(inputs, labels, say), validation, options.views, say)
    chosen = choose(found)
    say(f"chosen: {' and '.join(chosen.names)}, {chosen.views} views - validation_accuracy: {chosen.accuracy:.4f};")
    model = _export_model(chosen)
    sample = validation.load(evenly_spaced(len(validation.names), SAMPLED), model.image_size)
    model.facts["photographs"] = photo_kind.describe(sample)
    _write_model(model, output)

    judge = TestSplit(test, labels, options.changed_images, say)
    answers = judge.answers_of(model)
    probabilities = answers.averaged
    before = reliability(apply_temperature(probabilities, 1 / chosen.temperature), test.labels)
    after = reliability(probabilities, test.labels)
    evaluation = judge.findings(model, answers) | _choice(found, chosen, before, after)
    evaluation["model_sha256"] = sha256_of(output / ARCHIVE)
    evaluation["champion"] = _champion(inputs.champion, options, judge)
    evaluation["exports"] = exports.export(model, sample, output / "exports", options.exports)
    model_card.write(output, model.facts, evaluation)
    evaluation["files"] = {name: sha256_of(output / name) for name in (FACTS, model_card.MARKDOWN)}
    _write_json(output / "evaluation.json", evaluation)
    mistakes = most_confident_mistakes(probabilities, test, labels, chosen.members[0])
    _write_json(output / MISTAKES, write_pictures(mistakes, output))
    _write_json(output / PREDICTIONS, predictions(probabilities, test, labels))
    findings = Findings(
        evaluation=evaluation,
        facts=model.facts,
        candidates=found,
        chosen=chosen,
        validation_counts=np.bincount(validation.labels, minlength=len(labels)).tolist(),
        parameters=model.network.count_params(),
        reliability_before=before,
        reliability_after=after,
        mistakes=mistakes,
        run=options.run,
        champion_run=options.champion_run,
    )
    write_report(output / REPORT, findings)


def _read_trials(inputs: Inputs, labels: list[str], say: Say) -> list[Model]:
    """The whole models of the best trial and, if it can be used, of its rival."""
    trials = [_read_trial(inputs.model, inputs.pretrained, labels)]
    if inputs.rival.exists():
        try:
            trials.append(_read_trial(inputs.rival, inputs.pretrained, labels))
        except BadInput as error:
            say(f"The rival is left out. {error}")
    return trials


def _read_trial(archive: Path, pretrained: Path, labels: list[str]) -> Model:
    with tempfile.TemporaryDirectory() as scratch:
        trial = to_whole_model(read_trial(archive, Path(scratch, "trial")), pretrained)
    if trial.labels != labels:
        raise BadInput("The trial's labels differ from the test split's: they are from different runs.")
    return trial


def _export_model(chosen: Candidate) -> Model:
    """One calibrated network for the chosen members, with the facts that are needed to use it."""
    best, network = chosen.members[0], combine_members(chosen.members, chosen.temperature)
    facts = {
        **best.facts,
        "image_size": network.input_shape[1],
        "validation_accuracy": round(chosen.accuracy, 4),
        "temperature": chosen.temperature,
        "views": chosen.views,
        "members": chosen.names,
        "preprocessing": str(model_card.PREPROCESSING),
    }
    return Model(network, facts, best.labels, network.input_shape[1])


def _write_model(model: Model, output: Path) -> None:
    """Writes the archive, and beside it model.json as a file of its own."""
    _write_json(output / FACTS, model.facts)
    with tempfile.TemporaryDirectory() as folder:
        network = Path(folder, WHOLE)
        model.network.save(network)
        write_archive(output / ARCHIVE, (network, output / FACTS))


def _champion(archive: Path, options: EvaluateOptions, judge: TestSplit) -> dict[str, Any] | None:
    """The champion's scores on the same photographs, at its own image size and number of views; None without one."""
    if not archive.exists():
        return None
    try:
        check_recorded(archive, options.champion_sha256)
        with tempfile.TemporaryDirectory() as scratch:
            champion = read_model(archive, WHOLE, Path(scratch, "champion"))
        answers = judge.answers_of(champion)
        return {**judge.score(champion, answers.averaged).summary(), "changes": answers.under_changes}
    except UnreadableModel as error:
        return {"error": str(error)}


def _choice(found: Sequence[Candidate], chosen: Candidate, before: Reliability, after: Reliability) -> dict[str, Any]:
    return {
        "validation_accuracy": round(chosen.accuracy, 4),
        "views": chosen.views,
        "temperature": chosen.temperature,
        "calibration": {"ece_before": round(before.error, 4), "ece_after": round(after.error, 4)},
        "members": chosen.names,
        "candidates": [_summary(candidate, chosen) for candidate in found],
    }


def _summary(candidate: Candidate, chosen: Candidate) -> dict[str, Any]:
    return {
        "name": candidate.title,
        "members": candidate.names,
        "views": candidate.views,
        "validation_accuracy": round(candidate.accuracy, 4),
        "validation_log_loss": round(candidate.log_loss, 4),
        "chosen": candidate is chosen,
    }


def _write_json(path: Path, content: dict[str, Any] | list[dict[str, Any]]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
