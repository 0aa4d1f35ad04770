"""From trials to the model that is used: chosen on the validation split, scored on the test split."""

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from trainer import pack
from trainer.archive import (
    DISTANCE,
    FACTS,
    WHOLE,
    Model,
    check_recorded,
    read_model,
    read_trial,
    sha256_of,
    write_archive,
)
from trainer.errors import BadInput, UnreadableModel
from trainer.evaluation import exports, model_card, summary
from trainer.evaluation.calibration import reliabilities
from trainer.evaluation.candidates import Candidate, candidates, choose
from trainer.evaluation.certainty import fit_certainty
from trainer.evaluation.ensemble import combine_members, combined_parts, divide_logits, to_whole_model
from trainer.evaluation.mistakes import most_confident_mistakes
from trainer.evaluation.predictions import predictions, write_pictures
from trainer.evaluation.report import Findings, write_report
from trainer.evaluation.test_split import TestSplit
from trainer.evaluation.validation_outputs import validation_outputs
from trainer.inference import photo_kind
from trainer.photos import Photos
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

    `changed_images` is how many test photographs are scored under harmless changes, too; `sure_error_rate` is how often
    the model may be wrong when it is sure, 0 to 1. `run` and `champion_run` are the names of this run and of the
    champion's, for the report.
    """

    views: int
    exports: tuple[str, ...]
    champion_sha256: str | None = None
    changed_images: int = 0
    sure_error_rate: float = 0.05
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
    model = _export_model(chosen, validation, options, say)
    sample = validation.load(pack.evenly_spaced(len(validation.names), SAMPLED), model.image_size)
    model.facts["photographs"] = photo_kind.describe(sample)
    _write_model(model, output)

    judge = TestSplit(test, labels, options.changed_images, say)
    answers = judge.answers_of(model)
    temperature = float(model.facts["temperature"])
    before, after = reliabilities(answers.averaged, test.labels, temperature)
    evaluation = judge.findings(model, answers) | summary.choice(found, chosen, temperature)
    evaluation["calibration"] = summary.calibration(before, after, answers.changed, temperature)
    evaluation["when_sure"] = summary.when_sure(model.facts, judge.sureness(answers))
    evaluation["model_sha256"] = sha256_of(output / ARCHIVE)
    evaluation["champion"] = _champion(inputs.champion, options, judge)
    evaluation["exports"] = exports.export(model, sample, output / "exports", options.exports)
    model_card.write(output, model.facts, evaluation)
    evaluation["files"] = {name: sha256_of(output / name) for name in (FACTS, model_card.MARKDOWN)}
    _write_json(output / "evaluation.json", evaluation)
    probabilities = answers.verdicts.probabilities
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


def _export_model(chosen: Candidate, validation: Photos, options: EvaluateOptions, say: Say) -> Model:
    """One calibrated network for the chosen members, with the facts that are needed to use it."""
    best, network = chosen.members[0], combine_members(chosen.members)
    size = network.input_shape[1]
    combined = Model(network, best.facts, best.labels, size, parts=combined_parts(chosen.members))
    outputs = validation_outputs(combined, validation, chosen.probabilities, chosen.views, say)
    certainty = fit_certainty(outputs, options.sure_error_rate)
    divide_logits(chosen.members, certainty.temperature)
    facts = {
        **best.facts,
        "image_size": size,
        "validation_accuracy": round(chosen.accuracy, 4),
        "temperature": certainty.temperature,
        "views": chosen.views,
        "members": chosen.names,
        "preprocessing": str(model_card.PREPROCESSING),
        **certainty.facts,
    }
    return replace(combined, facts=facts, distance=certainty.distance)


def _write_model(model: Model, output: Path) -> None:
    """Writes the archive, and beside it model.json as a file of its own."""
    _write_json(output / FACTS, model.facts)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, WHOLE), output / FACTS]
        model.network.save(files[0])
        if model.distance:
            files.append(Path(folder, DISTANCE))
            model.distance.save(files[-1])
        write_archive(output / ARCHIVE, files)


def _champion(archive: Path, options: EvaluateOptions, judge: TestSplit) -> dict[str, Any] | None:
    """The champion's scores on the same photographs, at its own image size and number of views; None without one."""
    if not archive.exists():
        return None
    try:
        check_recorded(archive, options.champion_sha256)
        with tempfile.TemporaryDirectory() as scratch:
            champion = read_model(archive, WHOLE, Path(scratch, "champion"))
        answers = judge.answers_of(champion)
        return {
            **judge.score(champion, answers.averaged).summary(),
            "changes": answers.changed and answers.changed.scores,
        }
    except UnreadableModel as error:
        return {"error": str(error)}


def _write_json(path: Path, content: dict[str, Any] | list[dict[str, Any]]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
