"""The rules for a tuning job: each broken one is refused with its code and field."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sagemaker.toy_endpoint import Endpoint

Request = dict[str, Any]
Change = Callable[[Request], Any]

CONFIG = "HyperParameterTuningJobConfig"
DEFINITION = "TrainingJobDefinition"
LIMITS = (CONFIG, "ResourceLimits")
RANGES = (CONFIG, "ParameterRanges")
FLOATS = (*RANGES, "ContinuousParameterRanges")
CRITERIA = (CONFIG, "TuningJobCompletionCriteria")
METRICS = (DEFINITION, "AlgorithmSpecification", "MetricDefinitions")
INVALID = "ValidationException"
EXCEEDED = "ResourceLimitExceeded"


def put(*path_and_value: Any) -> Change:
    """Sets one member of a request, and creates those above it."""
    *path, name, value = path_and_value

    def change(request: Any) -> None:
        for step in path:
            request = request[step] if isinstance(step, int) else request.setdefault(step, {})
        request[name] = value

    return change


def drop(*path: Any) -> Change:
    def change(request: Request) -> None:
        for step in path[:-1]:
            request = request[step]
        del request[path[-1]]

    return change


def both(*changes: Change) -> Change:
    def change(request: Request) -> None:
        for one in changes:
            one(request)

    return change


def static(**values: str) -> Change:
    return put(DEFINITION, "StaticHyperParameters", values)


def floats(count: int) -> list[Request]:
    return [{"Name": f"f{number}", "MinValue": "0", "MaxValue": "1"} for number in range(count)]


def categories(*sizes: int) -> Request:
    listed = [
        {"Name": f"c{place}", "Values": [f"v{number}" for number in range(size)]} for place, size in enumerate(sizes)
    ]
    return {"CategoricalParameterRanges": listed}


def strategy(name: str, jobs: int | None = 4, **config: Any) -> Change:
    def change(request: Request) -> None:
        request[CONFIG].update(Strategy=name, **config)
        request[CONFIG]["ResourceLimits"]["MaxNumberOfTrainingJobs"] = jobs

    return change


def hyperband(least: int | None = None, most: int | None = None, **config: Any) -> Change:
    bounds = {"MinResource": least, "MaxResource": most}
    given = {name: value for name, value in bounds.items() if value is not None}
    return strategy("Hyperband", StrategyConfig={"HyperbandStrategyConfig": given}, **config)


def several(*changes: Change, names: tuple[str, ...] = ("one", "two")) -> Change:
    """Replaces the single definition by a copy for each name."""

    def change(request: Request) -> None:
        config, body = request[CONFIG], request.pop(DEFINITION)
        objective, ranges = config.pop("HyperParameterTuningJobObjective"), config.pop("ParameterRanges")
        request["TrainingJobDefinitions"] = [
            {**body, "DefinitionName": name, "TuningObjective": dict(objective), "HyperParameterRanges": ranges}
            for name in names
        ]
        both(*changes)(request)

    return change


def warm(*parents: str, kind: str = "TransferLearning") -> Change:
    listed = [{"HyperParameterTuningJobName": name} for name in parents]
    return put("WarmStartConfig", {"ParentHyperParameterTuningJobs": listed, "WarmStartType": kind})


SPOT = put(DEFINITION, "EnableManagedSpotTraining", True)
INSTANCE = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
FLEXIBLE = (DEFINITION, "HyperParameterTuningResourceConfig")
METRIC = {"Name": "m", "Regex": "m: (.+)"}
# A child of `elder`, whose static hyperparameters are a, b and epochs.
CHILD = static(a="1", b="red", epochs="1")

RULES: dict[str, tuple[Change, str, str]] = {
    # the service model: required, length, range, pattern, enum, type
    "name pattern": (put("HyperParameterTuningJobName", "no_underscores"), INVALID, "hyperParameterTuningJobName"),
    "name length": (put("HyperParameterTuningJobName", "x" * 33), INVALID, "less than or equal to 32"),
    "no name": (put("HyperParameterTuningJobName", ""), INVALID, "greater than or equal to 1"),
    "missing": (put(*LIMITS, {}), INVALID, "resourceLimits.maxParallelTrainingJobs"),
    "no strategy": (drop(CONFIG, "Strategy"), INVALID, "hyperParameterTuningJobConfig.strategy"),
    "enum": (put(CONFIG, "Strategy", "Guessing"), INVALID, "hyperParameterTuningJobConfig.strategy"),
    "objective type": (
        put(CONFIG, "HyperParameterTuningJobObjective", "Type", "Best"),
        INVALID,
        "hyperParameterTuningJobObjective.type",
    ),
    "no job": (put(*LIMITS, "MaxNumberOfTrainingJobs", 0), INVALID, "greater than or equal to 1"),
    "none at once": (put(*LIMITS, "MaxParallelTrainingJobs", 0), INVALID, "maxParallelTrainingJobs"),
    "too short": (put(*LIMITS, "MaxRuntimeInSeconds", 119), INVALID, "maxRuntimeInSeconds"),
    "too long": (put(*LIMITS, "MaxRuntimeInSeconds", 15_768_001), INVALID, "maxRuntimeInSeconds"),
    "no patience": (
        put(*CRITERIA, "BestObjectiveNotImproving", "MaxNumberOfTrainingJobsNotImproving", 2),
        INVALID,
        "maxNumberOfTrainingJobsNotImproving",
    ),
    "convergence": (
        put(*CRITERIA, "ConvergenceDetected", "CompleteOnConvergence", "Maybe"),
        INVALID,
        "completeOnConvergence",
    ),
    "seed": (put(CONFIG, "RandomSeed", -1), INVALID, "randomSeed"),
    "early stopping": (put(CONFIG, "TrainingJobEarlyStoppingType", "On"), INVALID, "trainingJobEarlyStoppingType"),
    "scaling": (put(*FLOATS, 0, "ScalingType", "Square"), INVALID, "scalingType"),
    "no bound": (drop(*FLOATS, 0, "MaxValue"), INVALID, "continuousParameterRanges.1.member.maxValue"),
    "bound length": (put(*FLOATS, 0, "MaxValue", "1" * 257), INVALID, "maxValue"),
    "31 ranges of a kind": (put(*FLOATS, floats(31)), INVALID, "continuousParameterRanges"),
    "31 values": (put(*RANGES, categories(31)), INVALID, "categoricalParameterRanges.1.member.values"),
    "no value": (put(*RANGES, categories(0)), INVALID, "categoricalParameterRanges.1.member.values"),
    "role": (put(DEFINITION, "RoleArn", "arn:aws:iam::1:role/a-long-enough"), INVALID, "roleArn"),
    "no role": (drop(DEFINITION, "RoleArn"), INVALID, "roleArn"),
    "no output": (drop(DEFINITION, "OutputDataConfig"), INVALID, "outputDataConfig"),
    "value length": (static(a="x" * 2501), INVALID, "a.value"),
    "101 static": (static(**{f"s{n}": "1" for n in range(101)}), INVALID, "staticHyperParameters"),
    "41 metrics": (put(*METRICS, [METRIC] * 41), INVALID, "metricDefinitions"),
    "regex length": (put(*METRICS, 0, "Regex", "(" + "x" * 500 + ")"), INVALID, "less than or equal to 500"),
    "31 retries": (put(DEFINITION, "RetryStrategy", "MaximumRetryAttempts", 31), INVALID, "maximumRetryAttempts"),
    "no retry": (put(DEFINITION, "RetryStrategy", "MaximumRetryAttempts", 0), INVALID, "maximumRetryAttempts"),
    "definition name": (several(names=("a_b", "two")), INVALID, "definitionName"),
    "11 definitions": (several(names=tuple(f"d{n}" for n in range(11))), INVALID, "trainingJobDefinitions"),
    "6 parents": (warm(*[f"p{n}" for n in range(6)]), INVALID, "parentHyperParameterTuningJobs"),
    "no parent": (warm(), INVALID, "parentHyperParameterTuningJobs"),
    "warm start type": (warm("elder", kind="Copy"), INVALID, "warmStartType"),
    "least resource": (hyperband(0, 5), INVALID, "minResource"),
    "autotune": (put("Autotune", "Mode", "Perhaps"), INVALID, "autotune.mode"),
    "tag key": (put("Tags", [{"Key": "a#b", "Value": ""}]), INVALID, "tags.1.member.key"),
    # tags
    "tag twice": (put("Tags", [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]), INVALID, "'a'"),
    "tag of AWS": (put("Tags", [{"Key": "aws:a", "Value": "1"}]), INVALID, "'aws:a'"),
    # the objective and its metric
    "no objective": (drop(CONFIG, "HyperParameterTuningJobObjective"), INVALID, "HyperParameterTuningJobObjective"),
    "two objectives": (
        put(DEFINITION, "TuningObjective", {"Type": "Maximize", "MetricName": "accuracy"}),
        INVALID,
        "TuningObjective",
    ),
    "unknown metric": (put(CONFIG, "HyperParameterTuningJobObjective", "MetricName", "joy"), INVALID, "'joy'"),
    "no metrics": (drop(*METRICS), INVALID, "Provide a metric in the metric definitions"),
    "no regex": (put(*METRICS, 0, "Regex", "loss: ("), INVALID, "metric 'loss'"),
    "no group": (put(*METRICS, 0, "Regex", "loss"), INVALID, "metric 'loss'"),
    "unknown image": (
        put(DEFINITION, "AlgorithmSpecification", "TrainingImage", "elsewhere/other:1"),
        INVALID,
        "'other'",
    ),
    # ranges
    "min above max": (put(*FLOATS, 0, "MinValue", "2"), INVALID, "'rate'"),
    "no number": (put(*FLOATS, 0, "MinValue", "one"), INVALID, "'rate'"),
    "not finite": (put(*FLOATS, 0, "MaxValue", "inf"), INVALID, "'rate'"),
    "logarithm of zero": (put(*FLOATS, 0, "ScalingType", "Logarithmic"), INVALID, "'rate'"),
    "reverse logarithm of one": (put(*FLOATS, 0, "ScalingType", "ReverseLogarithmic"), INVALID, "'rate'"),
    "reverse logarithm of integers": (
        put(
            *RANGES,
            "IntegerParameterRanges",
            [{"Name": "n", "MinValue": "0", "MaxValue": "0", "ScalingType": "ReverseLogarithmic"}],
        ),
        INVALID,
        "'n'",
    ),
    "no whole number": (
        put(*RANGES, "IntegerParameterRanges", [{"Name": "n", "MinValue": "0.5", "MaxValue": "2"}]),
        INVALID,
        "'n'",
    ),
    "huge integer": (
        put(*RANGES, "IntegerParameterRanges", [{"Name": "n", "MinValue": "0", "MaxValue": "9" * 20}]),
        INVALID,
        "'n'",
    ),
    "the same value twice": (
        put(*RANGES, {"CategoricalParameterRanges": [{"Name": "c", "Values": ["a", "a"]}]}),
        INVALID,
        "'c'",
    ),
    "two ranges of one name": (put(*FLOATS, floats(1) * 2), INVALID, "'f0'"),
    "31 ranges": (put(*RANGES, {"ContinuousParameterRanges": floats(29), **categories(2, 2)}), INVALID, "31"),
    "nothing to tune": (put(*RANGES, {}), INVALID, "ParameterRanges"),
    "no ranges": (drop(*RANGES), INVALID, "ParameterRanges"),
    "two sets of ranges": (put(DEFINITION, "HyperParameterRanges", categories(9)), INVALID, "HyperParameterRanges"),
    "both static and tuned": (static(rate="1"), INVALID, "rate"),
    "101 hyperparameters": (static(**{f"s{n}": "1" for n in range(100)}), INVALID, "100"),
    "too few combinations": (put(*RANGES, categories(3)), INVALID, "3 combinations"),
    "automatic ranges": (
        put(*RANGES, "AutoParameters", [{"Name": "a", "ValueHint": "1"}]),
        INVALID,
        "AutoParameters",
    ),
    # strategies
    "grid of numbers": (strategy("Grid", None), INVALID, "['rate']"),
    "grid and its jobs": (
        both(put(*RANGES, categories(3, 3)), strategy("Grid", 8)),
        INVALID,
        "MaxNumberOfTrainingJobs",
    ),
    "grid too large": (both(put(*RANGES, categories(30, 26)), strategy("Grid", None)), EXCEEDED, "750"),
    "resource unknown": (both(static(rounds="9"), hyperband()), INVALID, "MaxResource"),
    "resource unreadable": (both(static(epochs="many"), hyperband()), INVALID, "'epochs'"),
    "resource too large": (hyperband(1, 20_001), INVALID, "20000"),
    "epochs too many": (both(static(epochs="20001"), hyperband()), INVALID, "20000"),
    "resource upside down": (hyperband(9, 3), INVALID, "MinResource"),
    "two kinds of stopping": (
        hyperband(1, 9, TrainingJobEarlyStoppingType="Auto"),
        INVALID,
        "TrainingJobEarlyStoppingType",
    ),
    "resource of another strategy": (
        put(CONFIG, "StrategyConfig", {"HyperbandStrategyConfig": {"MaxResource": 9}}),
        INVALID,
        "StrategyConfig",
    ),
    # limits
    "751 jobs": (strategy("Bayesian", 751), EXCEEDED, "750"),
    "10,001 random jobs": (strategy("Random", 10_001), EXCEEDED, "10000"),
    "101 at once": (both(strategy("Random", 200), put(*LIMITS, "MaxParallelTrainingJobs", 101)), EXCEEDED, "100"),
    "more at once than at all": (put(*LIMITS, "MaxParallelTrainingJobs", 5), INVALID, "MaxParallelTrainingJobs"),
    # resources of the training jobs
    "no resources": (drop(DEFINITION, "ResourceConfig"), INVALID, "ResourceConfig"),
    "two resources": (put(*FLEXIBLE, INSTANCE), INVALID, "HyperParameterTuningResourceConfig"),
    "two instances": (
        both(drop(DEFINITION, "ResourceConfig"), put(*FLEXIBLE, {**INSTANCE, "InstanceConfigs": [INSTANCE]})),
        INVALID,
        "InstanceConfigs",
    ),
    "no instance": (
        both(drop(DEFINITION, "ResourceConfig"), put(*FLEXIBLE, {"InstanceType": "ml.m5.large"})),
        INVALID,
        "InstanceCount",
    ),
    "no wait": (SPOT, INVALID, "MaxWaitTimeInSeconds"),
    "wait without Spot": (
        put(DEFINITION, "StoppingCondition", "MaxWaitTimeInSeconds", 60),
        INVALID,
        "EnableManagedSpotTraining",
    ),
    "wait below run": (
        both(SPOT, put(DEFINITION, "StoppingCondition", {"MaxRuntimeInSeconds": 9, "MaxWaitTimeInSeconds": 8})),
        INVALID,
        "MaxWaitTimeInSeconds",
    ),
    # several definitions
    "no definition": (drop(DEFINITION), INVALID, "TrainingJobDefinition"),
    "one and several": (
        lambda request: request.update(TrainingJobDefinitions=[request[DEFINITION]]),
        INVALID,
        "TrainingJobDefinitions",
    ),
    "names alike": (several(names=("one", "one")), INVALID, "DefinitionName"),
    "nameless": (several(drop("TrainingJobDefinitions", 1, "DefinitionName")), INVALID, "DefinitionName"),
    "no objective of its own": (several(drop("TrainingJobDefinitions", 1, "TuningObjective")), INVALID, "'two'"),
    "no ranges of its own": (several(drop("TrainingJobDefinitions", 1, "HyperParameterRanges")), INVALID, "'two'"),
    "a common objective too": (
        several(put(CONFIG, "HyperParameterTuningJobObjective", {"Type": "Maximize", "MetricName": "accuracy"})),
        INVALID,
        "HyperParameterTuningJobObjective",
    ),
    "objectives at odds": (
        several(put("TrainingJobDefinitions", 1, "TuningObjective", "Type", "Minimize")),
        INVALID,
        "TuningObjective",
    ),
    "several and early stopping": (
        several(put(CONFIG, "TrainingJobEarlyStoppingType", "Auto")),
        INVALID,
        "TrainingJobEarlyStoppingType",
    ),
    "several and warm start": (several(warm("elder")), INVALID, "WarmStartConfig"),
    "49 variables": (
        several(
            put("TrainingJobDefinitions", 0, "Environment", {f"A{n}": "" for n in range(24)}),
            put("TrainingJobDefinitions", 1, "Environment", {f"B{n}": "" for n in range(25)}),
        ),
        INVALID,
        "Environment",
    ),
    # warm start
    "unknown parent": (both(CHILD, warm("nobody")), INVALID, "'nobody'"),
    "parent of several definitions": (both(CHILD, warm("elder-pair")), INVALID, "'elder-pair'"),
    "running parent": (both(CHILD, warm("running")), INVALID, "'running'"),
    "the same parent twice": (both(CHILD, warm("elder", "ELDER")), INVALID, "ParentHyperParameterTuningJobs"),
    "another objective": (
        both(CHILD, warm("elder"), put(CONFIG, "HyperParameterTuningJobObjective", "Type", "Minimize")),
        INVALID,
        "objective",
    ),
    "other hyperparameters": (both(static(a="1", b="red", epochs="1", c="1"), warm("elder")), INVALID, "['c']"),
    "fewer hyperparameters": (both(static(a="1", b="red"), warm("elder")), INVALID, "['epochs']"),
    "another type": (
        both(
            CHILD,
            warm("elder"),
            put(*RANGES, {"IntegerParameterRanges": [{**floats(1)[0], "MaxValue": "9", "Name": "rate"}]}),
        ),
        INVALID,
        "'rate'",
    ),
    "11 changes": (
        both(
            warm("elder-grid"),
            static(c0="v0", a="2"),
            put(*RANGES, {"ContinuousParameterRanges": [{**floats(1)[0], "Name": "epochs"}]}),
        ),
        INVALID,
        "11 changes",
    ),
    "parents' jobs count": (both(CHILD, warm("elder"), strategy("Bayesian", 750)), EXCEEDED, "parents"),
    # Autotune
    "automatic and static": (
        both(
            put("Autotune", "Mode", "Enabled"),
            static(name="resnet"),
            put(*RANGES, "AutoParameters", [{"Name": "name", "ValueHint": "vgg"}]),
        ),
        INVALID,
        "'name'",
    ),
    "automatic grid": (
        both(
            put("Autotune", "Mode", "Enabled"),
            strategy("Grid", None),
            put(*RANGES, {"AutoParameters": [{"Name": "rate", "ValueHint": "0.1"}]}),
        ),
        INVALID,
        "'rate'",
    ),
}


@pytest.fixture(scope="module")
def parents(endpoint: "Endpoint") -> None:
    """Earlier tuning jobs: `elder`, `elder-grid` and `elder-pair`, which have ended, and `running`."""
    endpoint.tune("elder", {"a": "1", "b": "red", "epochs": "1"}, jobs=1, parallel=1)
    grid = {"ParameterRanges": categories(10), "Strategy": "Grid"}
    request = endpoint.tuning_request("elder-grid", {"a": "1", "epochs": "1"}, **grid)
    del request[CONFIG]["ResourceLimits"]["MaxNumberOfTrainingJobs"]
    endpoint.sagemaker.create_hyper_parameter_tuning_job(**request)
    pair = endpoint.tuning_request("elder-pair", {"a": "1", "b": "red", "epochs": "1"}, jobs=2)
    several()(pair)
    endpoint.sagemaker.create_hyper_parameter_tuning_job(**pair)
    endpoint.tune("running", {"a": "1", "b": "red", "epochs": "1000000", "pause": "0.1"}, jobs=1, parallel=1)
    endpoint.eventually(lambda: "InProgress" in endpoint.status("tuning", "running"))
    for name in ("elder", "elder-grid", "elder-pair"):
        assert endpoint.ended("tuning", name)["HyperParameterTuningJobStatus"] == "Completed"


@pytest.mark.parametrize("rule", RULES)
def test_a_wrong_tuning_job_is_refused_naming_the_field(endpoint: "Endpoint", parents: None, rule: str) -> None:
    change, code, words = RULES[rule]
    request = endpoint.tuning_request("refused", {})
    change(request)
    with pytest.raises(ClientError) as caught:
        endpoint.unchecked.create_hyper_parameter_tuning_job(**request)
    error = caught.value.response["Error"]
    assert (error["Code"], words in error["Message"]) == (code, True), error


ALLOWED: dict[str, Change] = {
    "30 ranges": put(*RANGES, {"ContinuousParameterRanges": floats(30)}),
    "a grid of 750": both(put(*RANGES, categories(30, 25)), strategy("Grid", 750)),
    "static becomes tuned": both(
        static(a="1", b="red"),
        warm("elder"),
        put(*FLOATS, [{**floats(1)[0], "Name": name} for name in ("rate", "epochs")]),
    ),
    "tuned becomes static": both(
        static(a="1", rate="0.5", epochs="1"),
        warm("elder"),
        put(*RANGES, {"CategoricalParameterRanges": [{"Name": "b", "Values": list("abcd")}]}),
    ),
    "ten changes": both(
        warm("elder-grid"),
        static(c0="v0", a="1"),
        put(*RANGES, {"ContinuousParameterRanges": [{**floats(1)[0], "Name": "epochs"}]}),
    ),
    "a combination for each job": put(*RANGES, categories(4)),
    "a tag in another script": put("Tags", [{"Key": "Wald und Wiese/ß 樹", "Value": ""}]),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_a_request_at_the_limits_is_accepted(endpoint: "Endpoint", parents: None, case: str) -> None:
    name = f"kept-{list(ALLOWED).index(case)}"
    request = endpoint.tuning_request(name, {})
    ALLOWED[case](request)
    endpoint.sagemaker.create_hyper_parameter_tuning_job(**request)
    endpoint.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)


def test_a_refused_request_leaves_nothing(endpoint: "Endpoint") -> None:
    request = endpoint.tuning_request("refused", {})
    put(*RANGES, {})(request)
    with pytest.raises(ClientError):
        endpoint.sagemaker.create_hyper_parameter_tuning_job(**request)
    with pytest.raises(endpoint.sagemaker.exceptions.ResourceNotFound):
        endpoint.status("tuning", "refused")


def test_a_name_in_another_case_is_taken_too(endpoint: "Endpoint", parents: None) -> None:
    with pytest.raises(endpoint.sagemaker.exceptions.ResourceInUse, match="ELDER"):
        endpoint.tune("ELDER")
