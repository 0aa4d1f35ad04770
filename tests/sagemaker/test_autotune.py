"""Autotune: the ranges and settings that it fills in."""

from typing import Any

import pytest

from seedbed.local_cloud.sagemaker.search.ranges import read_ranges
from seedbed.local_cloud.sagemaker.tuning.autotune import fill, range_around
from seedbed.local_cloud.sagemaker.tuning.definitions import read_definitions

HINTS: dict[str, tuple[str, str, str, str]] = {
    "64": ("integer", "16", "256", "Logarithmic"),
    "2": ("integer", "1", "8", "Logarithmic"),
    "0": ("integer", "0", "4", "Linear"),
    "-8": ("integer", "-32", "-2", "Linear"),
    "0.001": ("continuous", "0.0001", "0.01", "Logarithmic"),
    "1e-4": ("continuous", "1e-05", "0.001", "Logarithmic"),
    "0.5": ("continuous", "0.25", "0.75", "Linear"),
    "2.5": ("continuous", "0.25", "25.0", "Logarithmic"),
    "0.0": ("continuous", "0.0", "1.0", "Linear"),
    "-0.5": ("continuous", "-5.0", "-0.05", "Linear"),
}


@pytest.mark.parametrize("hint", HINTS)
def test_a_number_becomes_a_range_around_it(hint: str) -> None:
    kind, low, high, scaling = HINTS[hint]
    found = range_around(hint)
    assert found == (kind, low, high, scaling)
    assert float(low) <= float(hint) <= float(high)


def test_a_range_near_one_scales_its_distance_to_one() -> None:
    kind, low, high, scaling = range_around("0.99") or ("", "", "", "")
    assert (kind, scaling) == ("continuous", "ReverseLogarithmic")
    assert [float(low), float(high)] == pytest.approx([0.9, 0.999])


@pytest.mark.parametrize(
    ("hint", "found"),
    [("true", ["true", "false"]), ("False", ["True", "False"]), ("resnet", None), ("nan", None), ("", None)],
)
def test_a_boolean_hint_has_two_values_and_a_word_only_itself(hint: str, found: list[str] | None) -> None:
    assert range_around(hint) == found


@pytest.mark.parametrize("hint", [*HINTS, "0.99", "0.9", "0.1", "0.10001", "1", "1.0", "1e99", "999999999999999"])
def test_every_range_can_be_searched(hint: str) -> None:
    found = range_around(hint)
    assert isinstance(found, tuple)
    kind, low, high, scaling = found
    field = "IntegerParameterRanges" if kind == "integer" else "ContinuousParameterRanges"
    item = {"Name": "x", "MinValue": low, "MaxValue": high, "ScalingType": scaling}
    assert [item.kind for item in read_ranges({field: [item]})] == [kind]


def request(strategy: str = "Bayesian", **hints: str) -> dict[str, Any]:
    listed = [{"Name": name, "ValueHint": hint} for name, hint in hints.items()]
    return {
        "Autotune": {"Mode": "Enabled"},
        "HyperParameterTuningJobConfig": {
            "Strategy": strategy,
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "accuracy"},
            "ResourceLimits": {"MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"AutoParameters": listed},
        },
        "TrainingJobDefinition": {},
    }


def test_missing_settings_are_filled_in() -> None:
    filled = request(rate="0.001", units="64", name="resnet")
    fill(filled)
    config, (definition,) = filled["HyperParameterTuningJobConfig"], read_definitions(filled)
    assert [(item.name, item.kind) for item in definition.ranges] == [("rate", "continuous"), ("units", "integer")]
    assert definition.static == {"name": "resnet"}
    assert config["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 40, "MaxParallelTrainingJobs": 2}
    assert config["TrainingJobEarlyStoppingType"] == "Auto"
    assert config["TuningJobCompletionCriteria"] == {"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}}
    assert definition.body["RetryStrategy"] == {"MaximumRetryAttempts": 3}


def test_what_was_given_stays() -> None:
    given = request(rate="0.001")
    given["TrainingJobDefinition"]["RetryStrategy"] = {"MaximumRetryAttempts": 7}
    config = given["HyperParameterTuningJobConfig"]
    config["TrainingJobEarlyStoppingType"] = "Off"
    config["ResourceLimits"]["MaxNumberOfTrainingJobs"] = 3
    config["TuningJobCompletionCriteria"] = {"ConvergenceDetected": {"CompleteOnConvergence": "Disabled"}}
    fill(given)
    assert given["TrainingJobDefinition"]["RetryStrategy"] == {"MaximumRetryAttempts": 7}
    assert config["TrainingJobEarlyStoppingType"] == "Off"
    assert config["ResourceLimits"]["MaxNumberOfTrainingJobs"] == 3
    assert config["TuningJobCompletionCriteria"] == {"ConvergenceDetected": {"CompleteOnConvergence": "Disabled"}}


def test_few_choices_make_few_jobs() -> None:
    few = request(augment="true", units="1")
    fill(few)
    assert few["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"] == 8


def test_autotune_keeps_hyperbands_epochs_and_stopping() -> None:
    band = request("Hyperband", rate="0.001", epochs="27")
    fill(band)
    assert band["TrainingJobDefinition"]["StaticHyperParameters"] == {"epochs": "27"}
    assert "TrainingJobEarlyStoppingType" not in band["HyperParameterTuningJobConfig"]


def test_without_autotune_nothing_changes() -> None:
    plain = request(rate="0.001")
    del plain["Autotune"]
    before = repr(plain)
    fill(plain)
    assert repr(plain) == before
