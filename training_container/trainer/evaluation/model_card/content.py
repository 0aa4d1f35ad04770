"""SageMaker's ModelCard content, within the lengths that its schema allows.

Schema: "Model package model card schema" and "model card JSON schema" in the SageMaker developer guide. Fields that the
two and the SDK's classes describe differently, such as `objective_function`, are left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trainer.evaluation.model_card import statements
from trainer.evaluation.model_card.wording import one_line, percent, short

AXIS_NAME, DETAIL, USE = 63, 1024, 2048
MAX_CROSSED = 20
MAX_BARS = 100
"""The schema limits only the whole content, to 100,000 characters."""
MAX_HYPERPARAMETERS, MAX_EXPORTS = 30, 20
HYPERPARAMETER, EXPORT = 100, 255

Json = dict[str, Any]


def content(facts: Mapping[str, Any], evaluation: Mapping[str, Any]) -> Json:
    """The content from those of model.json and evaluation.json."""
    labels = f"{len(evaluation['labels'])} labels: {', '.join(evaluation['labels'])}"
    return {
        "model_overview": {
            "model_description": one_line(f"{statements.PURPOSE} {labels}.", DETAIL),
            "problem_type": "Multiclass image classification",
            "algorithm_type": one_line(f"Convolutional network: {', '.join(evaluation['members'])}", DETAIL),
        },
        "intended_uses": {
            "purpose_of_model": one_line(statements.PURPOSE, USE),
            "intended_uses": one_line(statements.USES, USE),
            "factors_affecting_model_efficiency": one_line(statements.FACTORS, USE),
            "risk_rating": "Unknown",
            "explanations_for_risk_rating": one_line(statements.RISK, USE),
        },
        "training_details": _training(facts),
        "evaluation_details": [
            {
                "name": "Test split",
                "evaluation_observation": one_line(f"{statements.SPLIT} {statements.CALIBRATION}", USE),
                "metric_groups": list(_metric_groups(evaluation)),
            }
        ],
        "additional_information": {
            "caveats_and_recommendations": one_line(statements.NOT_FOR, USE),
            "custom_details": dict(_details(facts, evaluation)),
        },
    }


def _training(facts: Mapping[str, Any]) -> Json:
    settings = list(facts["hyperparameters"].items())[:MAX_HYPERPARAMETERS]
    return {
        "training_observations": one_line(statements.licence(str(facts["backbone"])), DETAIL),
        "training_job_details": {
            "hyper_parameters": [
                {"name": one_line(name, HYPERPARAMETER) or "?", "value": one_line(value, HYPERPARAMETER) or "?"}
                for name, value in settings
            ],
            "training_metrics": [{"name": "validation_accuracy", "value": facts["validation_accuracy"]}],
        },
    }


def _metric_groups(evaluation: Mapping[str, Any]) -> Iterator[Json]:
    yield _group("Scores", list(_scores(evaluation)))
    if evaluation["champion"] and "error" not in evaluation["champion"]:
        figures = ("accuracy", "macro_f1")
        yield _group("The champion before it", [_number(name, evaluation["champion"][name]) for name in figures])
    if evaluation["changes"]:
        yield _group("Under harmless changes", list(_under_changes(evaluation["changes"])))
    scores = {label: of_label for label, of_label in evaluation["per_label"].items() if of_label["images"]}
    weakest = sorted(scores, key=lambda label: scores[label]["f1"])[:MAX_BARS]
    bars = ("precision", "recall", "f1", "images")
    yield _group("Labels, the weakest first", [_bars(name, weakest, scores, name) for name in bars])
    if len(evaluation["labels"]) <= MAX_CROSSED:
        yield _group("Confusion", [_matrix(evaluation["labels"], evaluation["confusion"])])


def _scores(evaluation: Mapping[str, Any]) -> Iterator[Json]:
    low, high = evaluation["accuracy_interval"]
    yield _number("accuracy", evaluation["accuracy"], f"{percent(low)} to {percent(high)}. {statements.INTERVAL}")
    yield _number("macro_f1", evaluation["macro_f1"], "Every label has equal weight.")
    yield _number("accuracy of a single view", evaluation["single_view"]["accuracy"])
    yield _number("expected calibration error", evaluation["calibration"]["ece_after"])
    yield _number("expected calibration error before", evaluation["calibration"]["ece_before"], "the temperature")
    if evaluation["when_sure"]:
        yield from _when_sure(evaluation["when_sure"])
    yield _number("images", evaluation["images"])


def _when_sure(found: Mapping[str, Any]) -> Iterator[Json]:
    yield _number("share it is sure of", found["test"]["sure"], f"to be wrong at most {percent(found['error_rate'])}")
    if found["test"]["wrong"] is not None:
        yield _number("error rate when sure", found["test"]["wrong"])


def _under_changes(changes: Mapping[str, Any]) -> Iterator[Json]:
    yield _number("accuracy under changes", changes["accuracy"], f"the mean over {len(changes['by_change'])} changes")
    yield _number("accuracy unchanged", changes["unchanged"]["accuracy"], "of the same photographs")
    yield _bars("accuracy by change", list(changes["by_change"]), changes["by_change"], "accuracy")
    yield _number("images changed", changes["images"], statements.CHANGES)


def _details(facts: Mapping[str, Any], evaluation: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "takes", f"square RGB images of {facts['image_size']} pixels a side, 0 to 255"
    yield "gives", f"probabilities of {len(evaluation['labels'])} labels, in the order of evaluation.json"
    yield "views", f"{evaluation['views']} views to average"
    yield "temperature", f"{evaluation['temperature']}, included in the network"
    for made in evaluation["exports"][:MAX_EXPORTS]:
        yield one_line(f"export {made['format']}", AXIS_NAME), one_line(_export_detail(made), EXPORT)


def _export_detail(made: Mapping[str, Any]) -> str:
    if "error" in made:
        return str(made["error"])
    return (
        f"{made['file']}, {made['bytes']:,} bytes: the same label as the model for {percent(made['agreement'])} of the "
        f"validation photographs, no probability more than {short(made['largest_difference'])} from the model's"
    )


def _group(name: str, metrics: list[Json]) -> Json:
    return {"name": name, "metric_data": metrics}


def _number(name: str, value: float, notes: str | None = None) -> Json:
    return {"name": name, "type": "number", "value": value, **({"notes": notes} if notes else {})}


def _bars(name: str, labels: Sequence[str], scores: Mapping[str, Mapping[str, float]], figure: str) -> Json:
    values = [scores[label][figure] for label in labels]
    return {"name": name, "type": "bar_chart", "value": values, "x_axis_name": _axis(labels)}


def _matrix(labels: Sequence[str], confusion: Sequence[Sequence[int]]) -> Json:
    return {
        "name": "images of a row's label taken for a column's",
        "type": "matrix",
        "value": confusion,
        "x_axis_name": _axis(labels),
        "y_axis_name": _axis(labels),
    }


def _axis(labels: Sequence[str]) -> list[str]:
    return [one_line(label, AXIS_NAME) for label in labels]
