"""The built-in algorithms' metrics: known by the image's repository, found in the lines of their logs."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from seedbed.local_cloud.sagemaker.training.built_in import ALGORITHMS, fill
from seedbed.local_cloud.sagemaker.training.metrics import Metrics
from tests.sagemaker.toy_endpoint import Endpoint, tuning_request

REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
# Lines as public logs have them; CloudWatch shows a tab as #011, and a container writes the tab itself.
LINES = {
    "xgboost": (
        "[7]\ttrain-rmse:1.19876\tvalidation-rmse:2.31553",
        {"train:rmse": 1.19876, "validation:rmse": 2.31553},
    ),
    "sagemaker-xgboost": ("[2021-01-01:00:00:00:INFO] [3]#011train-mlogloss:1e-05", {"train:mlogloss": 1e-05}),
    "linear-learner": (
        "[03/22/2020 20:43:21 INFO 1404] #quality_metric: host=algo-1, validation binary_f_1.000 <score>=0.9652",
        {"validation:binary_f_beta": 0.9652},
    ),
    "image-classification": (
        "[12/01/2018 10:00:00 INFO 1396] #quality_metric: host=algo-1, epoch=3, validation accuracy <score>=(0.25)",
        {"validation:accuracy": 0.25},
    ),
    "object-detection": (
        "[12/01/2018 10:00:00 INFO 1396] #quality_metric: host=algo-1, epoch=3, validation mAP <score>=(0.271)",
        {"validation:mAP": 0.271},
    ),
    "semantic-segmentation": (
        "#quality_metric: host=algo-1, epoch=1, validation mIOU <score>=0.31",
        {"validation:mIOU": 0.31},
    ),
    "blazingtext": ("#validation_accuracy: 0.9756", {"validation:accuracy": 0.9756}),
    "factorization-machines": ("#quality_metric: host=algo-1, test rmse <loss>=1.02", {"test:rmse": 1.02}),
    "forecasting-deepar": (
        "[10/31/2024 23:19:31 INFO 1401] #quality_metric: host=algo-1, test RMSE <loss>=413.51135399130993",
        {"test:RMSE": 413.51135399130993},
    ),
    "ipinsights": (
        "#quality_metric: host=algo-1, epoch=0, validation discriminator_auc <score>=0.93",
        {"validation:discriminator_auc": 0.93},
    ),
    "kmeans": ("#quality_metric: host=algo-1, test msd <loss>=1.2", {"test:msd": 1.2}),
    "knn": ("#quality_metric: host=algo-1, test accuracy <score>=0.9", {"test:accuracy": 0.9}),
    "lda": ("#quality_metric: host=algo-1, test pwll <score>=-7.5", {"test:pwll": -7.5}),
    "ntm": (
        "#quality_metric: host=algo-1, epoch=4, validation total_loss <loss>=6.5",
        {"validation:total_loss": 6.5},
    ),
    "object2vec": (
        "#quality_metric: host=algo-1, epoch=0, validation cross_entropy <loss>=0.69",
        {"validation:cross_entropy": 0.69},
    ),
    "pca": (
        "#throughput_metric: host=algo-1, train throughput=87029.19 records/second",
        {"train:throughput": 87029.19},
    ),
    "randomcutforest": ("#quality_metric: host=algo-1, test f1 <score>=0.4", {"test:f1": 0.4}),
    "seq2seq": ("INFO:root:Epoch[0] Validation-perplexity=12.5", {"validation:perplexity": 12.5}),
}


@pytest.mark.parametrize("repository", ALGORITHMS)
def test_an_algorithms_log_has_its_metrics(repository: str) -> None:
    specification: dict[str, Any] = {"TrainingImage": f"{REGISTRY}/{repository}:1"}
    fill(specification)
    line, found = LINES[repository]
    assert Metrics(specification["MetricDefinitions"]).read(line, 1.0) == found


def test_a_container_of_that_name_may_have_metrics_of_its_own() -> None:
    own = [{"Name": "mine", "Regex": "mine=(.*)"}]
    specification = {"TrainingImage": f"{REGISTRY}/xgboost:1", "MetricDefinitions": own}
    fill(specification)
    assert specification["MetricDefinitions"] == own


@pytest.fixture(scope="module")
def xgboost(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """An endpoint whose image sagemaker-xgboost is the toy."""
    server = Endpoint(tmp_path_factory.mktemp("built-in"), images={"sagemaker-xgboost": endpoint.toy})
    yield server
    server.end()


def request(name: str, metric: str, image: str = "sagemaker-xgboost:1.7-1") -> dict[str, Any]:
    static = {"write": r"[0]\ttrain-auc:0.6\tvalidation-auc:0.5\n[1]\ttrain-auc:0.8\tvalidation-auc:0.75\n"}
    wanted = {"Type": "Maximize", "MetricName": metric}
    made = tuning_request(name, static, jobs=2, HyperParameterTuningJobObjective=wanted)
    made["TrainingJobDefinition"]["AlgorithmSpecification"] = {
        "TrainingImage": f"{REGISTRY}/{image}",
        "TrainingInputMode": "File",
    }
    return made


def test_a_tuning_job_of_xgboost_needs_no_metric_definitions(xgboost: Endpoint) -> None:
    xgboost.sagemaker.create_hyper_parameter_tuning_job(**request("boosted", "validation:auc"))
    job = xgboost.ended("tuning", "boosted")
    best = job["BestTrainingJob"]
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 0.75
    child = xgboost.described("training", best["TrainingJobName"])
    final = {metric["MetricName"]: round(metric["Value"], 4) for metric in child["FinalMetricDataList"]}
    assert final == {"train:auc": 0.8, "validation:auc": 0.75, "ObjectiveMetric": 0.75}
    described = {metric["Name"]: metric["Regex"] for metric in child["AlgorithmSpecification"]["MetricDefinitions"]}
    number = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
    assert described["ObjectiveMetric"] == rf".*\[[0-9]+\].*#011validation-auc:{number}.*", "as AWS has it"


def test_an_objective_that_the_algorithm_does_not_report_is_refused(xgboost: Endpoint) -> None:
    with pytest.raises(
        ClientError, match=r"metric is required.*'validation:acc' is none of theirs: validation:.* and 52 more"
    ):
        xgboost.sagemaker.create_hyper_parameter_tuning_job(**request("unknown", "validation:acc"))


def test_without_a_container_the_repository_is_asked_for(xgboost: Endpoint) -> None:
    with pytest.raises(ClientError, match="seedbed sagemaker --image linear-learner=FOLDER"):
        xgboost.sagemaker.create_hyper_parameter_tuning_job(**request("absent", "test:mse", "linear-learner:1"))


def test_a_training_job_without_an_image_is_refused(endpoint: Endpoint) -> None:
    with pytest.raises(ClientError, match="AlgorithmSpecification needs a TrainingImage"):
        endpoint.sagemaker.create_training_job(
            TrainingJobName="imageless",
            RoleArn="arn:aws:iam::000000000000:role/toy",
            OutputDataConfig={"S3OutputPath": "s3://bench/out"},
        )
