"""Search finds what meets an expression, in AWS's terms."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sagemaker.toy_endpoint import Endpoint

RATES = {"first": "0.1", "second": "0.35", "third": "0.5"}
"""The toy's accuracy is 0.96, 0.9975 and 0.96."""


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """An endpoint with three training jobs that have ended, a tuning job and an experiment."""
    server = Endpoint(tmp_path_factory.mktemp("search"))
    try:
        prepare(server)
        yield server
    finally:
        server.end()


def prepare(server: Endpoint) -> None:
    server.sagemaker.create_experiment(ExperimentName="wheat", Tags=[{"Key": "a.b", "Value": "x y"}])
    server.sagemaker.create_trial(TrialName="wheat-1", ExperimentName="wheat")
    inputs = [channel("images", "in/"), channel("labels", "in/Maize")]
    for name, rate in RATES.items():
        more: dict[str, Any] = {"InputDataConfig": inputs} if name == "first" else {}
        if name != "third":
            more["ExperimentConfig"] = {"TrialName": "wheat-1", "TrialComponentDisplayName": f"Train-{name}"}
        server.train(name, {"rate": rate, "epochs": "2"}, Tags=[{"Key": "project", "Value": name[0]}], **more)
        server.ended("training", name)
    server.train("broken", {"fail": "no data"})
    server.ended("training", "broken")
    server.tune("searched", jobs=2)
    server.ended("tuning", "searched")


def channel(name: str, key: str) -> dict[str, Any]:
    place = {"S3DataType": "S3Prefix", "S3Uri": f"s3://bench/{key}"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": place}}


def filter_(name: str, operator: str = "", value: str | None = None) -> dict[str, str]:
    return {
        "Name": name,
        **({"Operator": operator} if operator else {}),
        **({"Value": value} if value is not None else {}),
    }


def found(endpoint: Endpoint, resource: str, *filters: dict[str, str], **more: Any) -> list[str]:
    """The names of what is found, in its order."""
    request: dict[str, Any] = {"Resource": resource, **more}
    if filters:
        request["SearchExpression"] = {"Filters": list(filters)}
    results = endpoint.sagemaker.search(**request)["Results"]
    member = resource.removeprefix("Experiment") or resource
    return [result[member][f"{member}Name"] for result in results]


def own(endpoint: Endpoint, *filters: dict[str, str], **more: Any) -> list[str]:
    """The training jobs that are found, without those of the tuning job."""
    names = found(endpoint, "TrainingJob", *filters, **{"MaxResults": 100, **more})
    return sorted(name for name in names if not name.startswith("searched-"))


def refused(endpoint: Endpoint, resource: str, expression: Any = None, **more: Any) -> tuple[str, str]:
    asked = {"SearchExpression": expression} if expression is not None else {}
    with pytest.raises(ClientError) as error:
        endpoint.unchecked.search(Resource=resource, **asked, **more)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("name", "operator", "value", "expected"),
    [
        ("TrainingJobName", "", "second", "second"),
        ("trainingjobname", "Equals", "second", "second"),
        ("TrainingJobName", "Contains", "ir", "first third"),
        ("TrainingJobName", "In", "first, third,other", "first third"),
        ("TrainingJobStatus", "Equals", "Failed", "broken"),
        ("TrainingJobStatus", "NotEquals", "Completed", "broken"),
        ("Tags.project", "Equals", "s", "second"),
        ("Tags.project", "Exists", None, "first second third"),
        ("Tags.project", "NotExists", None, "broken"),
        ("Tags", "Contains", "project", "first second third"),
        ("Metrics.accuracy", "GreaterThan", "0.97", "second"),
        ("Metrics.accuracy", "LessThanOrEqualTo", "0.96", "first third"),
        ("Metrics.accuracy", "NotExists", None, "broken"),
        ("HyperParameters.rate", "GreaterThanOrEqualTo", "0.35", "second third"),
        ("HyperParameters.rate", "LessThan", "1", "first second third"),
        ("HyperParameters.epochs", "Equals", "2.0", "first second third"),
        ("HyperParameters.fail", "Contains", "data", "broken"),
        ("ResourceConfig.InstanceType", "Equals", "ml.m5.large", "broken first second third"),
        ("ResourceConfig.InstanceCount", "GreaterThan", "1", ""),
        ("EnableNetworkIsolation", "Equals", "false", "broken first second third"),
        ("CreationTime", "GreaterThan", "2020-01-01T00:00:00", "broken first second third"),
        ("CreationTime", "LessThan", "2020-01-01T00:00:00Z", ""),
        ("InputDataConfig.ChannelName", "Equals", "labels", "first"),
        ("InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", "Maize", "first"),
        ("FailureReason", "Exists", None, "broken"),
        ("ExperimentConfig.TrialName", "Equals", "wheat-1", "first second"),
        ("TuningJobArn", "NotExists", None, "broken first second third"),
    ],
)
def test_a_filter_finds_training_jobs(
    endpoint: Endpoint, name: str, operator: str, value: str | None, expected: str
) -> None:
    assert own(endpoint, filter_(name, operator, value)) == expected.split()


def test_filters_are_joined_by_and_or_or(endpoint: Endpoint) -> None:
    both = [filter_("TrainingJobName", "Equals", "first"), filter_("TrainingJobStatus", "Equals", "Failed")]
    assert own(endpoint, *both) == []
    either = {"Filters": both, "Operator": "Or"}
    assert own(endpoint, SearchExpression=either) == ["broken", "first"]
    good = {"Filters": [filter_("Metrics.accuracy", "Exists")]}
    assert own(endpoint, SearchExpression={"SubExpressions": [either, good]}) == ["first"]


def test_a_nested_filter_asks_it_all_of_one_item(endpoint: Endpoint) -> None:
    def asked(name: str) -> list[str]:
        filters = [
            filter_("InputDataConfig.ChannelName", "Equals", name),
            filter_("InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", "Maize"),
        ]
        nested = {"NestedPropertyName": "InputDataConfig", "Filters": filters}
        return own(endpoint, SearchExpression={"NestedFilters": [nested]})

    assert asked("labels") == ["first"]
    assert asked("images") == []


@pytest.mark.parametrize(
    ("resource", "given", "said"),
    [
        ("TrainingJob", ("NoSuch", "Equals", "1"), "Unknown property name: NoSuch"),
        ("TrainingJob", ("ResourceConfig.NoSuch", "Equals", "1"), "Unknown property name: ResourceConfig.NoSuch"),
        ("TrainingJob", ("Tags.", "Equals", "1"), "Unknown property name"),
        ("Experiment", ("TrainingJobName", "Equals", "1"), "Unknown property name"),
        ("TrainingJob", ("__class__", "Equals", "1"), "Unknown property name"),
        ("TrainingJob", ("TrainingJobName", "GreaterThan", "1"), "is not for text"),
        ("TrainingJob", ("TrainingJobName", "Equals", None), "needs a Value"),
        ("TrainingJob", ("Metrics.loss", "Equals", "high"), "must be a number"),
        ("TrainingJob", ("Metrics.loss", "GreaterThan", "nan"), "must be a number"),
        ("TrainingJob", ("Metrics.loss", "Contains", "1"), "is for text"),
        ("TrainingJob", ("CreationTime", "Equals", "yesterday"), "must be a time such as"),
        ("TrainingJob", ("HyperParameters.rate", "LessThan", "low"), "must be a number"),
        ("TrainingJob", ("EnableNetworkIsolation", "Equals", "maybe"), "must be true or false"),
        ("TrainingJob", ("TrainingJobName", "Resembles", "x"), "failed to satisfy constraint"),
    ],
)
def test_what_does_not_fit_the_property_is_refused(
    endpoint: Endpoint, resource: str, given: tuple[str, str, str | None], said: str
) -> None:
    code, message = refused(endpoint, resource, {"Filters": [filter_(*given)]})
    assert (code, said in message) == ("ValidationException", True), message


def test_contains_is_used_once_as_on_aws(endpoint: Endpoint) -> None:
    twice = [filter_("TrainingJobName", "Contains", letter) for letter in "ir"]
    assert refused(endpoint, "TrainingJob", {"Filters": twice})[1] == "'CONTAINS' operator usage limit of 1 exceeded."
    shown = [filter_("DisplayName", "Contains", text) for text in ("Train", "first")]
    assert found(endpoint, "ExperimentTrialComponent", *shown) == ["first-aws-training-job"]


def nested(levels: int) -> dict[str, Any]:
    expression: dict[str, Any] = {"Filters": [filter_("TrainingJobName", "Exists")]}
    for _ in range(levels):
        expression = {"SubExpressions": [expression]}
    return expression


@pytest.mark.parametrize(
    "expression",
    [
        {},
        {"Operator": "And"},
        {"Filters": [filter_("TrainingJobName", "Exists")] * 15, "SubExpressions": [nested(0)] * 6},
        nested(20),
    ],
)
def test_an_expression_that_is_empty_or_too_large_is_refused(endpoint: Endpoint, expression: Any) -> None:
    assert refused(endpoint, "TrainingJob", expression)[0] == "ValidationException"


@pytest.mark.parametrize("levels", [300, 100_000])
def test_a_request_nested_without_end_is_refused(endpoint: Endpoint, levels: int) -> None:
    body = '{"SubExpressions":[' * levels + json.dumps(nested(0)) + "]}" * levels
    status, answer = endpoint.send("SageMaker.Search", f'{{"Resource":"TrainingJob","SearchExpression":{body}}}')
    assert (status, answer["__type"]) == (400, "ValidationException")


@pytest.mark.parametrize("resource", ["Model", "Pipeline", "FeatureGroup"])
def test_a_resource_that_is_not_here_is_refused_by_name(endpoint: Endpoint, resource: str) -> None:
    code, message = refused(endpoint, resource)
    assert (code, resource in message) == ("UnsupportedOperation", True)


def test_results_are_sorted_with_those_without_a_value_last(endpoint: Endpoint) -> None:
    three = filter_("TrainingJobName", "In", "first,second,broken")
    for order, expected in {"Ascending": ["first", "second"], "Descending": ["second", "first"]}.items():
        sorted_ = {"SortBy": "Metrics.accuracy", "SortOrder": order}
        assert found(endpoint, "TrainingJob", three, **sorted_) == [*expected, "broken"]
    assert found(endpoint, "TrainingJob", three) == ["broken", "second", "first"]  # the last to change comes first
    assert "Unknown property name: Nonsense" in refused(endpoint, "TrainingJob", SortBy="Nonsense")[1]


@pytest.mark.parametrize("sort", [{}, {"SortBy": "Metrics.accuracy"}, {"SortBy": "HyperParameters.rate"}])
@pytest.mark.parametrize("order", ["Ascending", "Descending"])
def test_pages_hold_everything_once(endpoint: Endpoint, sort: dict[str, str], order: str) -> None:
    whole = found(endpoint, "TrainingJob", MaxResults=100, SortOrder=order, **sort)
    names: list[str] = []
    token: dict[str, str] = {}
    while True:
        answer = endpoint.sagemaker.search(Resource="TrainingJob", MaxResults=1, SortOrder=order, **sort, **token)
        names += [result["TrainingJob"]["TrainingJobName"] for result in answer["Results"]]
        assert answer["TotalHits"] == {"Value": 6, "Relation": "EqualTo"}
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    assert names == whole
    assert len(set(names)) == 6
    assert "NextToken" in refused(endpoint, "TrainingJob", NextToken="bm8=")[1]


def test_training_jobs_are_found_by_their_tuning_job(endpoint: Endpoint) -> None:
    job = endpoint.described("tuning", "searched")
    of_it = filter_("TuningJobArn", "Equals", job["HyperParameterTuningJobArn"])
    children = {trial["TrainingJobName"] for trial in endpoint.trials("searched")}
    assert set(found(endpoint, "TrainingJob", of_it)) == children


def test_tuning_jobs_are_found_by_strategy_and_counters(endpoint: Endpoint) -> None:
    filters = [
        filter_("HyperParameterTuningJobConfig.Strategy", "Equals", "Random"),
        filter_("TrainingJobStatusCounters.Completed", "GreaterThan", "1"),
    ]
    assert found(endpoint, "HyperParameterTuningJob", *filters) == ["searched"]
    result = endpoint.sagemaker.search(Resource="HyperParameterTuningJob")["Results"][0]["HyperParameterTuningJob"]
    assert result["BestTrainingJob"]["TrainingJobName"].startswith("searched-")


def test_experiments_and_trials_are_found(endpoint: Endpoint) -> None:
    assert found(endpoint, "Experiment", filter_("Tags.a.b", "Equals", "x y")) == ["wheat"]
    assert found(endpoint, "Experiment", filter_("Source.SourceType", "Contains", "Tuning")) == [
        "searched-aws-tuning-job"
    ]
    assert found(endpoint, "ExperimentTrial", filter_("ExperimentName", "Equals", "wheat")) == ["wheat-1"]
    trial = endpoint.sagemaker.search(Resource="ExperimentTrial", SortBy="TrialName")["Results"][0]["Trial"]
    parts = {part["TrialComponentName"] for part in trial["TrialComponentSummaries"]}
    assert parts == {"first-aws-training-job", "second-aws-training-job"}


@pytest.mark.parametrize(
    ("name", "operator", "value", "expected"),
    [
        ("Parents.ExperimentName", "Equals", "wheat", "first second"),
        ("Parents.TrialName", "Equals", "wheat-1", "first second"),
        ("DisplayName", "Equals", "Train-first", "first"),
        ("Parameters.rate", "GreaterThan", "0.4", "third"),
        ("Metrics.accuracy.Max", "GreaterThan", "0.97", "second"),
        ("metrics.accuracy.max", "LessThan", "0.97", "first third"),
        ("Metrics.loss.Count", "Equals", "2", "first second third"),
        ("InputArtifacts.labels", "Contains", "Maize", "first"),
        ("InputArtifacts.labels.Value", "Exists", None, "first"),
        ("Status.PrimaryStatus", "Equals", "Failed", "broken"),
        ("SourceDetail.TrainingJob.TrainingJobStatus", "Equals", "Failed", "broken"),
    ],
)
def test_a_filter_finds_trial_components(
    endpoint: Endpoint, name: str, operator: str, value: str | None, expected: str
) -> None:
    names = found(endpoint, "ExperimentTrialComponent", filter_(name, operator, value), MaxResults=100)
    own_names = sorted(each for each in names if not each.startswith("searched-"))
    assert own_names == [f"{each}-aws-training-job" for each in expected.split()]


def test_suggestions_are_the_fields_that_begin_so(endpoint: Endpoint) -> None:
    query = {"PropertyNameQuery": {"PropertyNameHint": "trainingt"}}
    answer = endpoint.sagemaker.get_search_suggestions(Resource="TrainingJob", SuggestionQuery=query)
    assert answer["PropertyNameSuggestions"] == [{"PropertyName": "TrainingTimeInSeconds"}]
