"""The SageMaker SDK's experiments: what it tracks, and its table of an experiment."""

from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.sagemaker.toy_endpoint import definition

if TYPE_CHECKING:
    from tests.sagemaker.toy_endpoint import Endpoint

# The SDK and what it is built on; what our side of these tests does must not warn.
pytestmark = [
    pytest.mark.filterwarnings(f"ignore:::{module}") for module in ("sagemaker", "pydantic", "boto3", "botocore")
]


@pytest.fixture(scope="module")
def session(endpoint: "Endpoint") -> Any:
    from sagemaker.core.helper.session_helper import Session  # noqa: PLC0415  seconds of imports

    return Session(default_bucket="bench")


@pytest.fixture(scope="module")
def experiment(endpoint: "Endpoint") -> str:
    """An experiment with two training jobs in one trial."""
    client = boto3.client("sagemaker")
    client.create_experiment(ExperimentName="sdk")
    client.create_trial(TrialName="sdk-1", ExperimentName="sdk")
    for name, rate in {"sdk-low": "0.1", "sdk-high": "0.3"}.items():
        config: Any = {"ExperimentName": "sdk", "TrialName": "sdk-1", "TrialComponentDisplayName": "Training"}
        client.create_training_job(
            **definition(), TrainingJobName=name, HyperParameters={"rate": rate}, ExperimentConfig=config
        )
        endpoint.ended("training", name)
    return "sdk"


def test_an_experiments_table_has_a_row_for_each_job(experiment: str, session: Any) -> None:
    from sagemaker.core.analytics import ExperimentAnalytics  # noqa: PLC0415

    table = ExperimentAnalytics(
        experiment_name=experiment,
        sagemaker_session=session,
        search_expression={"Filters": [{"Name": "DisplayName", "Operator": "Equals", "Value": "Training"}]},
        sort_by="metrics.accuracy.max",
        sort_order="Descending",
    ).dataframe()

    assert list(table["TrialComponentName"]) == ["sdk-high-aws-training-job", "sdk-low-aws-training-job"]
    assert list(table["rate"]) == [0.3, 0.1]
    assert list(table["accuracy - Max"]) == [1.0, 0.96]
    assert list(table["loss - Count"]) == [2, 2]
    assert list(table["Trials"]) == [["sdk-1"]] * 2
    assert table["SageMaker.ModelArtifact - Value"].str.endswith("/output/model.tar.gz").all()


def test_a_tuning_jobs_experiment_has_a_table_too(endpoint: "Endpoint", session: Any) -> None:
    from sagemaker.core.analytics import ExperimentAnalytics  # noqa: PLC0415

    endpoint.tune("sdk-tuned", jobs=3)
    endpoint.ended("tuning", "sdk-tuned")
    table = ExperimentAnalytics("sdk-tuned-aws-tuning-job", sagemaker_session=session).dataframe()

    finals = {
        f"{trial['TrainingJobName']}-aws-training-job": trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
        for trial in endpoint.trials("sdk-tuned")
    }
    found = dict(zip(table["TrialComponentName"], table["accuracy - Last"], strict=True))
    assert found == {name: pytest.approx(value) for name, value in finals.items()}


def test_the_resources_of_an_experiment_are_read_made_and_deleted(experiment: str) -> None:
    from sagemaker.core.resources import Experiment, Trial, TrialComponent  # noqa: PLC0415

    assert Experiment.get(experiment).experiment_arn.endswith(":experiment/sdk")
    assert {found.trial_name for found in Trial.get_all(experiment_name=experiment)} == {"sdk-1"}
    parts = {found.trial_component_name for found in TrialComponent.get_all(experiment_name=experiment)}
    assert parts == {"sdk-high-aws-training-job", "sdk-low-aws-training-job"}
    part = TrialComponent.get("sdk-low-aws-training-job")
    assert part.parameters["rate"].number_value == 0.1
    made = Experiment.create(experiment_name="of-the-sdk", description="short")
    made.update(description="shorter")
    assert made.refresh().description == "shorter"
    made.delete()
    assert "of-the-sdk" not in {found.experiment_name for found in Experiment.get_all()}


def test_a_run_of_the_sdk_keeps_parameters_metrics_and_its_jobs(endpoint: "Endpoint", session: Any) -> None:
    from sagemaker.core.analytics import ExperimentAnalytics  # noqa: PLC0415
    from sagemaker.core.experiments.run import Run, load_run  # noqa: PLC0415

    with Run(experiment_name="by-run", run_name="one", sagemaker_session=session) as run:
        run.log_parameters({"rate": 0.5, "optimizer": "adam"})
        for step in range(3):
            run.log_metric("score", step / 2, step=step)
        config: Any = run.experiment_config
    boto3.client("sagemaker").create_training_job(
        **definition(), TrainingJobName="of-a-run", HyperParameters={"rate": "0.3"}, ExperimentConfig=config
    )
    endpoint.ended("training", "of-a-run")

    table = ExperimentAnalytics("by-run", sagemaker_session=session).dataframe().set_index("TrialComponentName")
    assert set(table.index) == {"by-run-one", "of-a-run-aws-training-job"}
    kept = table.loc["by-run-one"]
    assert (kept["optimizer"], kept["score - Max"], kept["score - Count"]) == ("adam", 1.0, 3)
    with load_run(experiment_name="by-run", run_name="one", sagemaker_session=session) as run:
        assert run._trial_component.parameters["rate"] == 0.5
