"""Experiments, trials and trial components: what people make, and what jobs are by themselves."""

import json
import math
import signal
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from seedbed.local_cloud.sagemaker.kinds import TRAINING
from seedbed.local_cloud.sagemaker.records import experiments as records
from seedbed.local_cloud.sagemaker.records.ledger import Ledger
from seedbed.local_cloud.sagemaker.records.store import Store
from tests.sagemaker.settings import endpoint_settings
from tests.sagemaker.toy_endpoint import Endpoint, definition


def refused(call: Any, **asked: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**asked)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def component_of(endpoint: Endpoint, job: str, kind: str = "training") -> dict[str, Any]:
    found: dict[str, Any] = endpoint.sagemaker.describe_trial_component(TrialComponentName=f"{job}-aws-{kind}-job")
    return found


def names(endpoint: Endpoint, operation: str, listed: str, **asked: Any) -> list[str]:
    """The names of all that a List operation gives, page by page."""
    pages = endpoint.sagemaker.get_paginator(operation).paginate(PaginationConfig={"PageSize": 2}, **asked)
    return [item[f"{listed}Name"] for page in pages for item in page[f"{listed}Summaries"]]


def test_an_experiment_is_made_described_changed_and_deleted(endpoint: Endpoint) -> None:
    made = endpoint.sagemaker.create_experiment(
        ExperimentName="Leaves", Description="Which leaf?", Tags=[{"Key": "project", "Value": "one"}]
    )["ExperimentArn"]
    assert made == "arn:aws:sagemaker:us-east-1:000000000000:experiment/leaves"
    endpoint.sagemaker.update_experiment(ExperimentName="leaves", DisplayName="All-leaves")

    found = endpoint.sagemaker.describe_experiment(ExperimentName="LEAVES")
    assert (found["ExperimentName"], found["DisplayName"], found["Description"]) == (
        "Leaves",
        "All-leaves",
        "Which leaf?",
    )
    assert found["LastModifiedTime"] >= found["CreationTime"]
    assert endpoint.sagemaker.list_tags(ResourceArn=made)["Tags"] == [{"Key": "project", "Value": "one"}]
    assert endpoint.sagemaker.delete_experiment(ExperimentName="Leaves")["ExperimentArn"] == made
    code, message = refused(endpoint.sagemaker.describe_experiment, ExperimentName="Leaves")
    assert (code, message) == ("ResourceNotFound", "Experiment 'Leaves' does not exist.")


def test_a_name_that_is_taken_is_refused_in_the_words_that_the_sdk_looks_for(endpoint: Endpoint) -> None:
    endpoint.sagemaker.create_experiment(ExperimentName="taken")
    code, message = refused(endpoint.sagemaker.create_experiment, ExperimentName="Taken")
    assert code == "ValidationException"
    assert "already exists" in message


def test_what_belongs_to_others_is_deleted_last(endpoint: Endpoint) -> None:
    client = endpoint.sagemaker
    client.create_experiment(ExperimentName="nested")
    client.create_trial(TrialName="nested-trial", ExperimentName="nested")
    client.create_trial_component(TrialComponentName="nested-part")
    pair = {"TrialName": "nested-trial", "TrialComponentName": "nested-part"}
    for _ in range(2):
        client.associate_trial_component(**pair)

    assert "has trials, such as nested-trial" in refused(client.delete_experiment, ExperimentName="nested")[1]
    assert "Disassociate these first" in refused(client.delete_trial, TrialName="nested-trial")[1]
    part = {"TrialComponentName": "nested-part"}
    assert "Disassociate these first" in refused(client.delete_trial_component, **part)[1]
    client.disassociate_trial_component(**pair)
    assert refused(client.disassociate_trial_component, **pair)[0] == "ResourceNotFound"
    client.delete_trial_component(**part)
    client.delete_trial(TrialName="nested-trial")
    client.delete_experiment(ExperimentName="nested")


@pytest.mark.parametrize(
    ("operation", "asked"),
    [
        ("create_trial", {"TrialName": "t", "ExperimentName": "no-such"}),
        ("update_trial", {"TrialName": "no-such"}),
        ("list_trials", {"ExperimentName": "no-such"}),
        ("list_trials", {"TrialComponentName": "no-such"}),
        ("list_trial_components", {"TrialName": "no-such"}),
        ("delete_trial_component", {"TrialComponentName": "no-such"}),
        ("associate_trial_component", {"TrialName": "no-such", "TrialComponentName": "no-such"}),
        ("describe_trial_component", {"TrialComponentName": "no-such-aws-training-job"}),
    ],
)
def test_what_is_missing_is_not_found(endpoint: Endpoint, operation: str, asked: dict[str, str]) -> None:
    assert refused(getattr(endpoint.sagemaker, operation), **asked)[0] == "ResourceNotFound"


@pytest.mark.parametrize("name", ["", "a" * 121, "../x", "a b", "-a", "a_b", "é", "a'--"])
def test_a_hostile_name_is_refused(endpoint: Endpoint, name: str) -> None:
    assert refused(endpoint.unchecked.create_experiment, ExperimentName=name)[0] == "ValidationException"


def test_a_components_parameters_and_artifacts_are_merged(endpoint: Endpoint) -> None:
    client, name = endpoint.sagemaker, {"TrialComponentName": "merged"}
    client.create_trial_component(
        **name,
        Parameters={"rate": {"NumberValue": 0.5}, "kind": {"StringValue": "a"}},
        InputArtifacts={"images": {"Value": "s3://bench/in"}},
        Status={"PrimaryStatus": "InProgress"},
    )
    client.update_trial_component(
        **name,
        Parameters={"rate": {"NumberValue": 0.25}},
        ParametersToRemove=["kind", "never"],
        OutputArtifacts={"model": {"Value": "s3://bench/out", "MediaType": "application/gzip"}},
        Status={"PrimaryStatus": "Completed", "Message": "done"},
    )

    found = client.describe_trial_component(**name)
    assert found["Parameters"] == {"rate": {"NumberValue": 0.25}}
    assert found["InputArtifacts"] == {"images": {"Value": "s3://bench/in"}}
    assert found["OutputArtifacts"] == {"model": {"Value": "s3://bench/out", "MediaType": "application/gzip"}}
    assert found["Status"] == {"PrimaryStatus": "Completed", "Message": "done"}
    many = {f"p{number}": {"NumberValue": 1.0} for number in range(300)}
    assert "at most 300 Parameters" in refused(client.update_trial_component, **name, Parameters=many)[1]


def test_a_training_job_is_a_component_with_its_parameters_and_metrics(endpoint: Endpoint) -> None:
    inputs = [
        {
            "ChannelName": "images",
            "ContentType": "text/csv",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bench/in/"}},
        }
    ]
    endpoint.train("tracked", {"rate": "0.3", "epochs": "4", "mood": "good"}, InputDataConfig=inputs)
    job = endpoint.ended("training", "tracked")

    found = component_of(endpoint, "tracked")
    assert found["Source"] == {"SourceArn": job["TrainingJobArn"], "SourceType": "SageMakerTrainingJob"}
    assert found["TrialComponentArn"].endswith(":experiment-trial-component/tracked-aws-training-job")
    assert found["Parameters"] == {
        "rate": {"NumberValue": 0.3},
        "epochs": {"NumberValue": 4.0},
        "mood": {"StringValue": "good"},
        "SageMaker.ImageUri": {"StringValue": job["AlgorithmSpecification"]["TrainingImage"]},
        "SageMaker.InstanceType": {"StringValue": "ml.m5.large"},
        "SageMaker.InstanceCount": {"NumberValue": 1.0},
        "SageMaker.VolumeSizeInGB": {"NumberValue": 1.0},
    }
    assert found["InputArtifacts"] == {"images": {"MediaType": "text/csv", "Value": "s3://bench/in/"}}
    assert found["OutputArtifacts"]["SageMaker.ModelArtifact"]["Value"] == job["ModelArtifacts"]["S3ModelArtifacts"]
    assert found["Status"]["PrimaryStatus"] == "Completed"
    assert (found["StartTime"], found["EndTime"]) == (job["TrainingStartTime"], job["TrainingEndTime"])
    loss = next(metric for metric in found["Metrics"] if metric["MetricName"] == "loss")
    figures = {name: round(loss[name], 6) for name in ("Max", "Min", "Last", "Count", "Avg", "StdDev")}
    # The toy's losses are 1, 1/2, 1/3 and 1/4.
    assert figures == {"Max": 1.0, "Min": 0.25, "Last": 0.25, "Count": 4, "Avg": 0.520833, "StdDev": 0.290922}


def test_a_processing_job_is_a_component_with_its_inputs_and_outputs(endpoint: Endpoint) -> None:
    endpoint.process_images("tracked-too")
    endpoint.ended("processing", "tracked-too")

    found = component_of(endpoint, "tracked-too", "processing")
    assert found["Source"]["SourceType"] == "SageMakerProcessingJob"
    assert found["Status"]["Message"] == "Status: Completed, exit message: well done, failure reason: null"
    assert found["InputArtifacts"]["data"] == {"Value": "s3://bench/in/"}
    assert set(found["InputArtifacts"]) == {"SageMaker.ImageUri", "data"}
    assert found["OutputArtifacts"] == {"all": {"Value": "s3://bench/processed/tracked-too"}}


def test_an_experiment_config_puts_the_job_into_its_trial(endpoint: Endpoint) -> None:
    client = endpoint.sagemaker
    client.create_experiment(ExperimentName="configured")
    client.create_trial(TrialName="configured-1", ExperimentName="configured")
    config = {"ExperimentName": "configured", "TrialName": "configured-1", "TrialComponentDisplayName": "Training"}
    endpoint.train("in-trial", ExperimentConfig=config)
    endpoint.process_images("in-trial", ExperimentConfig={"ExperimentName": "configured"})

    assert component_of(endpoint, "in-trial")["DisplayName"] == "Training"
    assert endpoint.described("training", "in-trial")["ExperimentConfig"] == config
    trained, processed = "in-trial-aws-training-job", "in-trial-aws-processing-job"
    assert names(endpoint, "list_trial_components", "TrialComponent", TrialName="configured-1") == [trained]
    listed = names(endpoint, "list_trial_components", "TrialComponent", ExperimentName="configured")
    assert sorted(listed) == sorted([trained, processed])
    assert names(endpoint, "list_trials", "Trial", TrialComponentName=processed) == ["in-trial-aws-trial"]
    arn = endpoint.described("training", "in-trial")["TrainingJobArn"]
    assert names(endpoint, "list_trial_components", "TrialComponent", SourceArn=arn) == [trained]


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"ExperimentName": "no-such"}, "ResourceNotFound"),
        ({"TrialName": "no-such"}, "ResourceNotFound"),
        ({"ExperimentName": "another", "TrialName": "of-one"}, "ValidationException"),
    ],
)
def test_an_experiment_config_that_names_what_is_missing_makes_no_job(
    endpoint: Endpoint, config: dict[str, str], code: str
) -> None:
    for name in ("one", "another"):
        if name not in names(endpoint, "list_experiments", "Experiment"):
            endpoint.sagemaker.create_experiment(ExperimentName=name)
    if "of-one" not in names(endpoint, "list_trials", "Trial"):
        endpoint.sagemaker.create_trial(TrialName="of-one", ExperimentName="one")

    job = {"TrainingJobName": "never-made", **definition(), "ExperimentConfig": config}
    assert refused(endpoint.sagemaker.create_training_job, **job)[0] == code
    assert refused(endpoint.sagemaker.describe_training_job, TrainingJobName="never-made")[0] == "ValidationException"


def test_a_tuning_job_is_an_experiment_of_its_training_jobs(endpoint: Endpoint) -> None:
    endpoint.tune("tracked-tuning", jobs=2)
    job = endpoint.ended("tuning", "tracked-tuning")

    name = "tracked-tuning-aws-tuning-job"
    found = endpoint.sagemaker.describe_experiment(ExperimentName=name)
    assert found["Source"] == {
        "SourceArn": job["HyperParameterTuningJobArn"],
        "SourceType": "SageMakerHyperParameterTuningJob",
    }
    children = {f"{trial['TrainingJobName']}-aws-training-job" for trial in endpoint.trials("tracked-tuning")}
    listed = names(endpoint, "list_trial_components", "TrialComponent", ExperimentName=name)
    assert len(listed) == 2
    assert set(listed) == children
    (trial,) = names(endpoint, "list_trials", "Trial", ExperimentName=name)
    pair = {"TrialName": trial, "TrialComponentName": listed[0]}
    assert "stay in it" in refused(endpoint.sagemaker.disassociate_trial_component, **pair)[1]


def test_a_jobs_component_takes_changes_and_tags_and_can_be_deleted(endpoint: Endpoint) -> None:
    endpoint.train("changed")
    endpoint.ended("training", "changed")
    client, name = endpoint.sagemaker, {"TrialComponentName": "changed-aws-training-job"}
    arn = component_of(endpoint, "changed")["TrialComponentArn"]
    client.add_tags(ResourceArn=arn, Tags=[{"Key": "k", "Value": "v"}])
    client.update_trial_component(**name, Parameters={"more": {"NumberValue": 1.0}}, DisplayName="Mine")

    found = component_of(endpoint, "changed")
    assert found["DisplayName"] == "Mine"
    assert {"more", "SageMaker.InstanceType"} <= set(found["Parameters"])
    assert found["Status"]["PrimaryStatus"] == "Completed"
    assert client.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "k", "Value": "v"}]
    client.delete_trial_component(**name)
    assert refused(client.describe_trial_component, **name)[0] == "ResourceNotFound"
    assert endpoint.status("training", "changed") == "Completed"


def test_an_experiment_named_like_a_tuning_job_is_deleted_alone(endpoint: Endpoint) -> None:
    endpoint.tune("same-name", jobs=2)
    endpoint.ended("tuning", "same-name")
    endpoint.sagemaker.create_experiment(ExperimentName="same-name")
    endpoint.sagemaker.delete_experiment(ExperimentName="same-name")

    assert len(endpoint.trials("same-name")) == 2


def test_a_deleted_tuning_jobs_experiment_is_gone_with_what_was_changed_about_it(endpoint: Endpoint) -> None:
    client = endpoint.sagemaker
    endpoint.tune("gone", jobs=2)
    endpoint.ended("tuning", "gone")
    (trial,) = names(endpoint, "list_trials", "Trial", ExperimentName="gone-aws-tuning-job")
    client.update_trial(TrialName=trial, DisplayName="Mine")
    client.update_experiment(ExperimentName="gone-aws-tuning-job", Description="mine")
    client.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="gone")

    assert "gone-aws-tuning-job" not in names(endpoint, "list_experiments", "Experiment")
    assert trial not in names(endpoint, "list_trials", "Trial")
    assert refused(client.describe_trial, TrialName=trial)[0] == "ResourceNotFound"
    client.create_experiment(ExperimentName="gone-aws-tuning-job")
    assert "Description" not in client.describe_experiment(ExperimentName="gone-aws-tuning-job")


def test_lists_are_paged_in_either_order(endpoint: Endpoint) -> None:
    client = endpoint.sagemaker
    client.create_experiment(ExperimentName="paged")
    made = [f"paged-{number}" for number in range(5)]
    for name in made:
        client.create_trial(TrialName=name, ExperimentName="paged")

    of = {"ExperimentName": "paged"}
    assert names(endpoint, "list_trials", "Trial", **of) == made[::-1]
    assert names(endpoint, "list_trials", "Trial", **of, SortOrder="Ascending") == made
    assert names(endpoint, "list_trials", "Trial", **of, SortBy="Name", SortOrder="Ascending") == made
    middle = client.describe_trial(TrialName="paged-2")["CreationTime"]
    assert names(endpoint, "list_trials", "Trial", **of, CreatedAfter=middle) == ["paged-4", "paged-3"]
    token = client.list_trials(**of, MaxResults=1)["NextToken"]
    assert "NextToken" in refused(client.list_trials, **of, NextToken=token, SortBy="Name")[1]


def test_experiments_survive_a_kill(own_endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint, client = own_endpoint, own_endpoint.sagemaker
    client.create_experiment(ExperimentName="kept")
    client.create_trial(TrialName="kept-1", ExperimentName="kept")
    endpoint.train("kept-job", ExperimentConfig={"TrialName": "kept-1"})
    client.update_trial_component(
        TrialComponentName="kept-job-aws-training-job", Parameters={"more": {"NumberValue": 1.0}}
    )
    endpoint.end(signal.SIGKILL)
    endpoint.start()

    endpoint.ended("training", "kept-job")
    assert "more" in component_of(endpoint, "kept-job")["Parameters"]
    listed = names(endpoint, "list_trial_components", "TrialComponent", ExperimentName="kept")
    assert listed == ["kept-job-aws-training-job"]


def values(*given: float, metric: str = "score") -> list[dict[str, Any]]:
    return [
        {"MetricName": metric, "Timestamp": "1774000000", "Step": step, "Value": value}
        for step, value in enumerate(given)
    ]


def test_metrics_that_a_program_puts_are_summed_up(endpoint: Endpoint) -> None:
    client = endpoint.client("sagemaker-metrics")
    endpoint.sagemaker.create_trial_component(TrialComponentName="measured")
    for batch in (values(1.0, 3.0), values(2.0), values(5.0, metric="loss")):
        assert "Errors" not in client.batch_put_metrics(TrialComponentName="measured", MetricData=batch)

    found = endpoint.sagemaker.describe_trial_component(TrialComponentName="measured")["Metrics"]
    figures = {each["MetricName"]: (each["Min"], each["Max"], each["Avg"], each["Count"]) for each in found}
    assert figures == {"score": (1.0, 3.0, 2.0, 3), "loss": (5.0, 5.0, 5.0, 1)}


def test_a_measured_component_may_be_named_by_its_arn(endpoint: Endpoint) -> None:
    arn = endpoint.sagemaker.create_trial_component(TrialComponentName="by-arn")["TrialComponentArn"]

    endpoint.client("sagemaker-metrics").batch_put_metrics(TrialComponentName=arn, MetricData=values(1.0))

    found = endpoint.sagemaker.describe_trial_component(TrialComponentName="by-arn")["Metrics"]
    assert [each["MetricName"] for each in found] == ["score"]


def test_metrics_of_a_jobs_component_are_beside_its_own(endpoint: Endpoint) -> None:
    endpoint.train("also-measured")
    endpoint.ended("training", "also-measured")
    component = {"TrialComponentName": "also-measured-aws-training-job"}
    endpoint.client("sagemaker-metrics").batch_put_metrics(**component, MetricData=values(1.0))

    metrics = endpoint.sagemaker.describe_trial_component(**component)["Metrics"]
    assert {each["MetricName"] for each in metrics} == {"loss", "accuracy", "score"}


def test_metrics_that_are_not_numbers_or_too_many_are_refused(endpoint: Endpoint) -> None:
    client = endpoint.client("sagemaker-metrics")
    endpoint.sagemaker.create_trial_component(TrialComponentName="odd-values")
    component = {"TrialComponentName": "odd-values"}
    assert refused(client.batch_put_metrics, **component, MetricData=values(1.0, math.nan))[0] == "ValidationException"
    raw = {
        **component,
        "MetricData": [{"MetricName": "score", "Timestamp": 1, "Value": value} for value in (1, math.inf)],
    }
    assert endpoint.put("/BatchPutMetrics", json.dumps(raw)) == (
        200,
        {"Errors": [{"Code": "VALIDATION_ERROR", "MetricIndex": 1}]},
    )

    names = {f"metric {number}" for number in range(101)}
    answers = [
        client.batch_put_metrics(TrialComponentName="odd-values", MetricData=values(1.0, metric=name)) for name in names
    ]
    codes = [error["Code"] for answer in answers for error in answer.get("Errors", [])]
    assert codes == ["METRIC_LIMIT_EXCEEDED"] * 2  # score is one of a hundred
    missing = {"TrialComponentName": "no-such", "MetricData": values(1.0)}
    assert refused(client.batch_put_metrics, **missing)[0] == "ResourceNotFound"
    many = {"TrialComponentName": "odd-values", "MetricData": values(*[1.0] * 11)}
    assert refused(endpoint.client("sagemaker-metrics", parameter_validation=False).batch_put_metrics, **many)[0] == (
        "ValidationException"
    )


def test_a_trial_forgets_components_that_are_gone(tmp_path: Path) -> None:
    store = Store(tmp_path / "jobs.db")
    ledger = Ledger(store, endpoint_settings(tmp_path))
    records.insert(store, records.TRIAL, "arn:trial", {"TrialName": "kept", "ExperimentName": "x"})
    for name in ("lost", "there"):
        config = {"TrainingJobName": name, "ExperimentConfig": {"TrialName": "kept"}}
        ledger.create(TRAINING, config, [])
    store.delete(TRAINING, "lost")

    Ledger(store, endpoint_settings(tmp_path))

    assert records.members(store) == [("kept", "there-aws-training-job")]
    store.close()
