"""The SageMaker SDK with the endpoint: its tuner, and the analytics of jobs."""

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

if TYPE_CHECKING:
    from tests.sagemaker.toy_endpoint import Endpoint

# The SDK and what it is built on; what our side of these tests does must not warn.
pytestmark = [
    pytest.mark.filterwarnings(f"ignore:::{module}") for module in ("sagemaker", "pydantic", "boto3", "botocore")
]
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/article:latest"


@pytest.fixture(scope="module")
def session(endpoint: "Endpoint") -> Any:
    from sagemaker.core.helper.session_helper import Session  # noqa: PLC0415  seconds of imports

    return Session(default_bucket="bench")


def role() -> str:
    """A role that allows everything: the SDK checks its policies through the local cloud's IAM."""
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    rights = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam = boto3.client("iam")
    arn: str = iam.create_role(RoleName="SageMakerRole", AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="SageMakerRole", PolicyName="all", PolicyDocument=policy(rights))
    return arn


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def tuner(endpoint: "Endpoint", session: Any) -> Any:
    from sagemaker.core.parameter import ContinuousParameter, IntegerParameter  # noqa: PLC0415
    from sagemaker.core.training.configs import Compute  # noqa: PLC0415
    from sagemaker.train import ModelTrainer  # noqa: PLC0415
    from sagemaker.train.tuner import HyperparameterTuner  # noqa: PLC0415

    trainer = ModelTrainer(
        training_image=IMAGE,
        role=role(),
        sagemaker_session=session,
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=1),
        hyperparameters={"seed": 1},
    )
    tuner = HyperparameterTuner(
        model_trainer=trainer,
        objective_metric_name="acc",
        objective_type="Maximize",
        metric_definitions=[{"Name": "acc", "Regex": r"accuracy: ([0-9\.]+)"}],
        hyperparameter_ranges={
            "learning_rate": ContinuousParameter(0.0001, 0.0003),
            "epochs": IntegerParameter(150, 300),
            "batch_size": IntegerParameter(24, 36),
        },
        max_jobs=4,
        max_parallel_jobs=2,
    )
    tuner.tune(inputs={"train": "s3://bench/train", "test": "s3://bench/test"}, job_name="sdk-tuning", wait=False)
    endpoint.ended("tuning", "sdk-tuning")
    return tuner


def test_the_tuner_waits_for_its_job_and_names_the_best(endpoint: "Endpoint", tuner: Any) -> None:
    tuner.wait()
    best = endpoint.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="sdk-tuning")
    assert tuner.describe().hyper_parameter_tuning_job_status == "Completed"
    assert tuner.best_training_job() == best["BestTrainingJob"]["TrainingJobName"]
    described = endpoint.sagemaker.describe_training_job(TrainingJobName=tuner.best_training_job())
    assert described["HyperParameters"]["seed"] == "1"


def test_the_analytics_table_has_a_row_for_every_training_job(endpoint: "Endpoint", tuner: Any) -> None:
    table = tuner.analytics().dataframe()
    assert len(table) == 4
    assert {"learning_rate", "epochs", "batch_size", "FinalObjectiveValue", "TrainingElapsedTimeSeconds"} <= set(table)
    assert set(table["TrainingJobStatus"]) == {"Completed"}
    assert table["learning_rate"].between(0.0001, 0.0003).all()
    best = table.loc[table["FinalObjectiveValue"].idxmax()]
    assert best["TrainingJobName"] == tuner.best_training_job()
    assert set(tuner.analytics().tuning_ranges) == {"learning_rate", "epochs", "batch_size"}


def test_a_training_jobs_metrics_come_from_cloudwatch(endpoint: "Endpoint", tuner: Any, session: Any) -> None:
    from sagemaker.core.analytics import TrainingJobAnalytics  # noqa: PLC0415

    def curve() -> Any:
        return TrainingJobAnalytics(tuner.best_training_job(), ["acc"], sagemaker_session=session).dataframe()

    endpoint.eventually(lambda: not curve().empty)
    table = curve()
    assert set(table["metric_name"]) == {"acc"}
    assert table["value"].between(0, 1).all()


def test_the_resources_of_ended_jobs_are_read_from_their_names(endpoint: "Endpoint", tuner: Any) -> None:
    from sagemaker.core.resources import HyperParameterTuningJob, TrainingJob  # noqa: PLC0415

    job = HyperParameterTuningJob.get("sdk-tuning")
    assert job.training_job_definition.static_hyper_parameters["_tuning_objective_metric"] == "acc"
    assert job.hyper_parameter_tuning_job_config.training_job_early_stopping_type == "Off"
    best = TrainingJob.get(tuner.best_training_job())
    assert best.output_data_config.kms_key_id == ""
    assert {channel.compression_type for channel in best.input_data_config} == {"None"}
    assert best.secondary_status_transitions[-1].status_message == "Training job completed"


def test_the_best_model_is_deployed_and_predicts(endpoint: "Endpoint", tuner: Any, session: Any) -> None:
    from sagemaker.core.resources import Endpoint as Served  # noqa: PLC0415
    from sagemaker.core.resources import EndpointConfig, Model  # noqa: PLC0415
    from sagemaker.core.shapes import ContainerDefinition, ProductionVariant  # noqa: PLC0415

    best = endpoint.sagemaker.describe_training_job(TrainingJobName=tuner.best_training_job())
    container = ContainerDefinition(image=IMAGE, model_data_url=best["ModelArtifacts"]["S3ModelArtifacts"])
    Model.create(model_name="best", primary_container=container, execution_role_arn=best["RoleArn"])
    variant = ProductionVariant(
        variant_name="AllTraffic", model_name="best", initial_instance_count=1, instance_type="ml.m5.large"
    )
    EndpointConfig.create(endpoint_config_name="best", production_variants=[variant])
    served = Served.create(endpoint_name="best", endpoint_config_name="best")
    served.wait_for_status("InService", poll=1)

    answer = served.invoke(body=json.dumps([1, 2]), content_type="application/json")
    assert json.loads(answer.body.read()) == {"asked": [1, 2], "epochs": best["HyperParameters"]["epochs"]}
    assert answer.invoked_production_variant == "AllTraffic"
    served.delete()
    served.wait_for_delete(poll=1)
