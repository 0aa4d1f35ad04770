"""The requests for jobs: SageMaker's service model accepts them, and they say what the contract says."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.validate import validate_parameters

from job_manager.aws.sagemaker_requests import JobRequests
from job_manager.domain.dataset import DatasetReport, Split
from job_manager.domain.ranges import GivenRange, with_ranges
from job_manager.domain.results.trial import Head, Trial
from job_manager.domain.run import Run
from job_manager.domain.search_space import (
    FINE_TUNING_SEARCH_SPACE,
    FIXED_HYPERPARAMETERS,
    SEARCH_SPACE,
    Continuous,
    as_text,
)
from tests.adapters.service_model import problems
from tests.fakes.world import FULL_PLAN, PLAN, a_run

BUCKET = "seedbed-123456789012-us-east-1"
REQUESTS = JobRequests(BUCKET, "arn:aws:iam::123456789012:role/seedbed-training")
RUN = a_run()
RUN_ID = RUN.run_id
MODEL = f"s3://{BUCKET}/runs/{RUN_ID}/trials/t/output/model.tar.gz"
MODELS = dict.fromkeys(("model", "rival", "champion"), MODEL)
HEAD = Trial(
    f"{RUN_ID}-007-0a1b2c3d", "Completed", {"backbone": "efficientnet-lite1", "epochs": "33"}, 0.9, model_uri=MODEL
)
FULL = replace(RUN, plan=FULL_PLAN, best_head=HEAD, best_trial=HEAD)
TWO_BACKBONES = replace(
    FULL_PLAN, backbones=("efficientnet-lite0", "efficientnet-lite1"), exports=(), pretrained="pretrained/vgg/"
)


def shape_of(operation: str) -> Any:
    return boto3.client("sagemaker").meta.service_model.operation_model(operation).input_shape


@pytest.mark.parametrize(
    ("operation", "request_of"),
    [
        ("CreateProcessingJob", REQUESTS.prepare),
        ("CreateProcessingJob", REQUESTS.merge),
        ("CreateTrainingJob", REQUESTS.refit),
        ("CreateHyperParameterTuningJob", REQUESTS.tuning),
        ("CreateHyperParameterTuningJob", REQUESTS.fine_tuning),
        ("CreateProcessingJob", lambda run: REQUESTS.evaluation(run, {"model": MODEL})),
        ("CreateProcessingJob", lambda run: REQUESTS.evaluation(run, MODELS, "ab" * 32)),
    ],
)
@pytest.mark.parametrize(
    "run",
    [FULL, replace(FULL, run_id=f"sb-{'f' * 16}-99", warm_start_from=(RUN_ID,) * 5, plan=TWO_BACKBONES)],
    ids=["first", "longest"],
)
def test_requests_conform_to_sagemakers_service_model(operation: str, request_of: Any, run: Run) -> None:
    shape = shape_of(operation)
    request = request_of(run)

    validate_parameters(request, shape)

    assert list(problems(request, shape)) == []


def test_the_check_of_requests_finds_violations() -> None:
    shape = shape_of("CreateHyperParameterTuningJob")
    wrong = REQUESTS.tuning(replace(RUN, run_id="-" + "x" * 40, plan=replace(PLAN, strategy="Guessing")))

    assert len(list(problems(wrong, shape))) >= 3


def test_prepare_reads_the_manifest_and_writes_the_pack() -> None:
    request = REQUESTS.prepare(RUN)

    assert request["ProcessingJobName"] == f"{RUN_ID}-prepare"
    assert " ".join(request["AppSpecification"]["ContainerArguments"]) == (
        "prepare --image-size 96 --views 2 --minimum-per-label 4 --backbones efficientnet-lite0 --fine-tune-size 0"
    )
    (images,) = request["ProcessingInputs"]
    assert images["S3Input"]["S3DataType"] == "ManifestFile"
    assert images["S3Input"]["S3Uri"].endswith(f"/runs/{RUN_ID}/manifest.json")
    assert images["S3Input"]["LocalPath"] == "/opt/ml/processing/input/images"
    (output,) = request["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3Uri"].endswith(f"/runs/{RUN_ID}/pack")


def test_several_instances_of_prepare_share_the_images_out() -> None:
    alone, shared = (
        REQUESTS.prepare(replace(RUN, plan=replace(PLAN, prepare_instances=count, pretrained="pretrained/")))
        for count in (1, 4)
    )

    assert shared["ProcessingResources"]["ClusterConfig"]["InstanceCount"] == 4
    places = [{given["InputName"]: given["S3Input"] for given in of["ProcessingInputs"]} for of in (alone, shared)]
    kinds = [{name: place["S3DataDistributionType"] for name, place in of.items()} for of in places]
    assert kinds == [
        {"images": "FullyReplicated", "pretrained": "FullyReplicated"},
        {"images": "ShardedByS3Key", "pretrained": "FullyReplicated"},
    ]
    assert shared["AppSpecification"] == alone["AppSpecification"]
    assert shared["ProcessingOutputConfig"] == alone["ProcessingOutputConfig"]


def test_merge_reads_the_parts_and_writes_the_pack() -> None:
    request = REQUESTS.merge(replace(RUN, plan=replace(PLAN, prepare_instances=4, backbones=("VGG16",))))
    (parts,) = request["ProcessingInputs"]
    (output,) = request["ProcessingOutputConfig"]["Outputs"]

    assert request["ProcessingJobName"] == f"{RUN_ID}-merge"
    assert " ".join(request["AppSpecification"]["ContainerArguments"]) == (
        "merge --image-size 96 --views 2 --minimum-per-label 4 --backbones VGG16 --fine-tune-size 0"
    )
    assert parts["S3Input"]["S3Uri"] == f"s3://{BUCKET}/runs/{RUN_ID}/pack/parts/"
    assert parts["S3Input"]["LocalPath"] == "/opt/ml/processing/input/parts"
    assert parts["S3Input"]["S3DataDistributionType"] == "FullyReplicated"
    assert output["S3Output"]["S3Uri"] == f"s3://{BUCKET}/runs/{RUN_ID}/pack"
    assert request["ProcessingResources"]["ClusterConfig"]["InstanceCount"] == 1
    assert request["NetworkConfig"] == {"EnableNetworkIsolation": True}


SPLIT = {"train": 4, "validation": 1, "test": 1}
PREPARED = DatasetReport(12, 12, {label: Split(**SPLIT) for label in ("Common wheat", "Maize")})


def test_heads_are_tuned_on_a_sample_of_many_images() -> None:
    plan = replace(PLAN, head_sample=7, heads_per_job=2)
    few, many = (REQUESTS.tuning(replace(RUN, plan=plan, dataset=found)) for found in (None, PREPARED))
    fixed = [of["TrainingJobDefinition"].pop("StaticHyperParameters") for of in (few, many)]

    assert "sample" not in fixed[0]
    assert fixed[1] == {**fixed[0], "sample": "7"}
    assert few == many


@pytest.mark.parametrize("spot", [True, False])
def test_the_best_head_is_trained_on_all_images_as_its_trial_was(spot: bool) -> None:
    heads = (Head({"seed": "1", "dropout": "0.3"}, 0.88), Head({"seed": "2", "dropout": "0.2"}, 0.9))
    values = {"learning_rate": "0.004", "seed": "2", "dropout": "0.2", "sample": "7", "backbone": "efficientnet-lite0"}
    best = replace(HEAD, hyperparameters=values, heads=heads, best_head=2)
    plan = replace(PLAN, head_sample=7, heads_per_job=2, spot=spot)
    run = replace(RUN, plan=plan, dataset=PREPARED, best_head=best)
    request, trial = REQUESTS.refit(run), REQUESTS.tuning(run)["TrainingJobDefinition"]

    assert request.pop("TrainingJobName") == f"{RUN_ID}-refit"
    chosen = {"learning_rate": "0.004", "seed": "1", "dropout": "0.3"}
    assert request.pop("HyperParameters") == {**trial.pop("StaticHyperParameters"), **chosen, "sample": "0"}
    assert {tag["Key"] for tag in request.pop("Tags")} == {"project", "stack", "run"}
    assert request == trial


def test_tuning_maximizes_validation_accuracy_over_the_search_space() -> None:
    request = REQUESTS.tuning(RUN)
    config, training = request["HyperParameterTuningJobConfig"], request["TrainingJobDefinition"]
    searched = {found["Name"] for kind in config["ParameterRanges"].values() for found in kind}

    assert config["HyperParameterTuningJobObjective"] == {"Type": "Maximize", "MetricName": "validation_accuracy"}
    assert searched == set(SEARCH_SPACE)
    assert not searched & set(training["StaticHyperParameters"])
    fixed = {**FIXED_HYPERPARAMETERS, "backbone": "efficientnet-lite0"}
    assert {**training["StaticHyperParameters"], "varied": ""} == fixed
    assert "WarmStartConfig" not in request


def test_several_backbones_are_all_prepared_and_searched() -> None:
    run = replace(FULL, plan=TWO_BACKBONES)
    request = REQUESTS.tuning(run)
    (searched,) = request["HyperParameterTuningJobConfig"]["ParameterRanges"]["CategoricalParameterRanges"]

    assert searched == {"Name": "backbone", "Values": ["efficientnet-lite0", "efficientnet-lite1"]}
    assert "backbone" not in request["TrainingJobDefinition"]["StaticHyperParameters"]
    assert "efficientnet-lite0,efficientnet-lite1" in REQUESTS.prepare(run)["AppSpecification"]["ContainerArguments"]


def test_fine_tuning_starts_from_the_best_head_and_its_backbone() -> None:
    request = REQUESTS.fine_tuning(FULL)
    training = request["TrainingJobDefinition"]
    places = {given["ChannelName"]: given["DataSource"]["S3DataSource"] for given in training["InputDataConfig"]}

    assert request["HyperParameterTuningJobName"] == f"{RUN_ID}-fine"
    assert training["StaticHyperParameters"] == {
        "kind": "fine-tune",
        "backbone": "efficientnet-lite1",
        "epochs": "3",
    }
    assert places["training"]["S3Uri"].endswith(f"/runs/{RUN_ID}/pack/training/")
    assert places["head"]["S3Uri"] == MODEL
    assert {place["S3DataType"] for place in places.values()} == {"S3Prefix"}
    assert training["CheckpointConfig"]["S3Uri"].endswith(f"/runs/{RUN_ID}/checkpoints/")


def test_fine_tuning_has_its_own_limits_machine_and_search_space() -> None:
    request = REQUESTS.fine_tuning(replace(FULL, warm_start_from=("sb-a",)))
    config, training = request["HyperParameterTuningJobConfig"], request["TrainingJobDefinition"]
    searched = {found["Name"] for kind in config["ParameterRanges"].values() for found in kind}

    assert searched == set(FINE_TUNING_SEARCH_SPACE)
    assert config["Strategy"] == FULL_PLAN.strategy
    assert config["ResourceLimits"]["MaxNumberOfTrainingJobs"] == 2
    assert training["StoppingCondition"] == {"MaxRuntimeInSeconds": 1800}
    assert training["ResourceConfig"]["InstanceType"] == "ml.c5.2xlarge"
    assert "WarmStartConfig" not in request


def test_fine_tuning_searches_around_the_plans_epochs() -> None:
    stage = replace(FULL_PLAN.fine_tuning, epochs=16)  # type: ignore[type-var]
    request = REQUESTS.fine_tuning(replace(FULL, plan=replace(FULL_PLAN, fine_tuning=stage)))
    ranges = request["HyperParameterTuningJobConfig"]["ParameterRanges"]["IntegerParameterRanges"]

    assert [(found["MinValue"], found["MaxValue"]) for found in ranges if found["Name"] == "epochs"] == [("12", "20")]
    assert "epochs" not in request["TrainingJobDefinition"]["StaticHyperParameters"]


def test_the_heads_of_a_job_vary_what_is_searched_and_nothing_that_a_person_fixed() -> None:
    given = {"heads": {"dropout": GivenRange(value=0.25), "batch_size": GivenRange(values=(32, 64))}}
    request = REQUESTS.tuning(replace(RUN, plan=with_ranges(PLAN, given)))
    varied = json.loads(request["TrainingJobDefinition"]["StaticHyperParameters"]["varied"])

    assert varied.keys() == SEARCH_SPACE.keys() - {"dropout", "batch_size"}
    rate = SEARCH_SPACE["learning_rate"]
    assert isinstance(rate, Continuous)
    assert varied["learning_rate"] == [rate.low, rate.high]


def test_a_run_of_an_older_release_gives_its_trainer_no_hyperparameter_that_it_does_not_know() -> None:
    older = {name: value for name, value in FIXED_HYPERPARAMETERS.items() if name != "varied"}
    request = REQUESTS.tuning(replace(RUN, plan=replace(PLAN, search_space=as_text(SEARCH_SPACE, older))))

    assert request["TrainingJobDefinition"]["StaticHyperParameters"] == {**older, "backbone": "efficientnet-lite0"}


@pytest.mark.parametrize(
    ("heads", "per_job", "jobs", "each"),
    [(20, 1, 20, "1"), (20, 5, 4, "5"), (20, 6, 4, "5"), (3, 2, 2, "2"), (1, 5, 1, "1"), (7, 100, 1, "7")],
)
def test_heads_are_spread_evenly_over_training_jobs(heads: int, per_job: int, jobs: int, each: str) -> None:
    request = REQUESTS.tuning(replace(RUN, plan=replace(PLAN, trials=heads, heads_per_job=per_job)))
    config = request["HyperParameterTuningJobConfig"]

    assert config["ResourceLimits"]["MaxNumberOfTrainingJobs"] == jobs
    assert config["ResourceLimits"]["MaxParallelTrainingJobs"] == min(jobs, PLAN.parallel_trials)
    assert request["TrainingJobDefinition"]["StaticHyperParameters"]["heads"] == each
    assert config["TrainingJobEarlyStoppingType"] == ("Auto" if each == "1" else "Off")


@pytest.mark.parametrize("request_of", [REQUESTS.tuning, REQUESTS.fine_tuning])
@pytest.mark.parametrize("spot", [True, False])
def test_training_jobs_run_on_spot_instances_and_keep_checkpoints(request_of: Any, spot: bool) -> None:
    plan = replace(FULL_PLAN, spot=spot)
    training = request_of(replace(FULL, plan=plan))["TrainingJobDefinition"]
    stopping = training["StoppingCondition"]

    assert training["EnableManagedSpotTraining"] is spot
    assert training["CheckpointConfig"]["S3Uri"].endswith(f"/runs/{RUN_ID}/checkpoints/")
    assert ("MaxWaitTimeInSeconds" in stopping) is spot
    assert stopping.get("MaxWaitTimeInSeconds", 10**9) > stopping["MaxRuntimeInSeconds"]


@pytest.mark.parametrize("request_of", [REQUESTS.tuning, REQUESTS.fine_tuning])
def test_bounds_are_numbers_as_text_and_fit_their_scaling(request_of: Any) -> None:
    for kind, number in (("ContinuousParameterRanges", float), ("IntegerParameterRanges", int)):
        for found in request_of(FULL)["HyperParameterTuningJobConfig"]["ParameterRanges"][kind]:
            low, high = number(found["MinValue"]), number(found["MaxValue"])
            assert low < high
            assert low > 0 or found["ScalingType"] == "Linear"


def test_parallel_trials_are_limited_to_the_number_of_trials() -> None:
    limits = REQUESTS.tuning(replace(RUN, plan=replace(PLAN, trials=1)))["HyperParameterTuningJobConfig"]

    assert limits["ResourceLimits"]["MaxParallelTrainingJobs"] == 1


def test_tuning_is_warm_started_from_earlier_runs() -> None:
    request = REQUESTS.tuning(replace(RUN, warm_start_from=("sb-a", "sb-b")))

    assert request["WarmStartConfig"] == {
        "ParentHyperParameterTuningJobs": [
            {"HyperParameterTuningJobName": "sb-a"},
            {"HyperParameterTuningJobName": "sb-b"},
        ],
        "WarmStartType": "TransferLearning",
    }


def test_fine_tuning_is_warm_started_from_its_parents_alone() -> None:
    request = REQUESTS.fine_tuning(replace(FULL, warm_start_from=("sb-a",)), ("sb-b-fine",))

    parents = request["WarmStartConfig"]["ParentHyperParameterTuningJobs"]
    assert parents == [{"HyperParameterTuningJobName": "sb-b-fine"}]
    validate_parameters(request, shape_of("CreateHyperParameterTuningJob"))


@pytest.mark.parametrize("models", [{"model": MODEL}, MODELS])
def test_evaluate_reads_both_splits_and_all_models(models: dict[str, str]) -> None:
    inputs = REQUESTS.evaluation(RUN, models)["ProcessingInputs"]

    places = {given["InputName"]: given["S3Input"]["S3Uri"] for given in inputs}
    assert places == {
        "test": f"s3://{BUCKET}/runs/{RUN_ID}/pack/test/",
        "validation": f"s3://{BUCKET}/runs/{RUN_ID}/pack/validation/",
        **models,
    }


@pytest.mark.parametrize(
    ("run", "arguments"),
    [
        (FULL, "evaluate --views 8 --exports=litert,onnx --changed-images 40 --sure-error-rate 0.05 --run {id}"),
        (RUN, "evaluate --views 1 --exports= --changed-images 0 --sure-error-rate 0.05 --run {id}"),
    ],
)
def test_evaluate_gets_what_the_plan_says_as_arguments(run: Run, arguments: str) -> None:
    request = REQUESTS.evaluation(run, {"model": MODEL})

    assert " ".join(request["AppSpecification"]["ContainerArguments"]) == arguments.format(id=run.run_id)


@pytest.mark.parametrize(
    ("backbones", "pretrained", "isolated"),
    [
        (("efficientnet-lite0", "efficientnet-lite2"), "", True),
        (("efficientnet-lite0", "ResNet50V2"), "", False),
        (("efficientnet-lite0", "ResNet50V2"), "pretrained/", True),
    ],
)
def test_jobs_have_no_network_unless_they_download_weights(
    backbones: tuple[str, ...], pretrained: str, isolated: bool
) -> None:
    run = replace(FULL, plan=replace(FULL_PLAN, backbones=backbones, pretrained=pretrained))

    for processing in (REQUESTS.prepare(run), REQUESTS.evaluation(run, MODELS)):
        assert processing["NetworkConfig"] == {"EnableNetworkIsolation": isolated}
    assert REQUESTS.fine_tuning(run)["TrainingJobDefinition"]["EnableNetworkIsolation"] is isolated
    assert REQUESTS.tuning(run)["TrainingJobDefinition"]["EnableNetworkIsolation"] is True


def test_every_job_has_the_tags_that_its_cost_is_found_by() -> None:
    tags = {"project": "seedbed", "stack": "plots", "run": RUN_ID}
    of_plots = replace(REQUESTS, stack="plots")

    kinds = (of_plots.prepare, of_plots.merge, of_plots.tuning, of_plots.refit, of_plots.fine_tuning)
    made = [request(FULL) for request in kinds]
    for request in (*made, of_plots.evaluation(FULL, MODELS)):
        assert {tag["Key"]: tag["Value"] for tag in request["Tags"]} == tags


def test_evaluate_is_told_whose_models_it_compares() -> None:
    alone = REQUESTS.evaluation(replace(RUN, champion_before=None), {"model": "s3://b/m"})
    told = " ".join(alone["AppSpecification"]["ContainerArguments"])
    assert f"--run {RUN_ID}" in told
    assert "--champion-run" not in told

    reigned = replace(RUN, champion_before="sb-00000000000000ff-1")
    compared = REQUESTS.evaluation(reigned, {"model": "s3://b/m", "champion": "s3://b/c"})
    assert "--champion-run sb-00000000000000ff-1" in " ".join(compared["AppSpecification"]["ContainerArguments"])

    deleted = REQUESTS.evaluation(reigned, {"model": "s3://b/m"})
    assert "--champion-run" not in deleted["AppSpecification"]["ContainerArguments"]


def test_evaluate_gets_the_champions_digest_as_an_argument() -> None:
    request = REQUESTS.evaluation(RUN, MODELS, "ab" * 32)

    assert request["AppSpecification"]["ContainerArguments"][-2:] == ["--champion-sha256", "ab" * 32]


def test_a_run_searches_the_ranges_of_its_plan() -> None:
    given = {
        "heads": {
            "dropout": GivenRange(value=0.25),
            "epochs": GivenRange(low=4, high=40, logarithmic=True),
            "hidden_units": GivenRange(values=(0, 64)),
        },
        "fine_tuning": {"epochs": GivenRange(low=2, high=9), "label_smoothing": GivenRange(value=0)},
    }
    run = replace(FULL, plan=with_ranges(FULL_PLAN, given))

    heads, whole = REQUESTS.tuning(run), REQUESTS.fine_tuning(run)

    for request in (heads, whole):
        assert list(problems(request, shape_of("CreateHyperParameterTuningJob"))) == []
    ranges = heads["HyperParameterTuningJobConfig"]["ParameterRanges"]
    epochs = {"Name": "epochs", "MinValue": "4", "MaxValue": "40", "ScalingType": "Logarithmic"}
    assert epochs in ranges["IntegerParameterRanges"]
    assert ranges["CategoricalParameterRanges"] == [{"Name": "hidden_units", "Values": ["0", "64"]}]
    assert heads["TrainingJobDefinition"]["StaticHyperParameters"]["dropout"] == "0.25"
    epochs = {"Name": "epochs", "MinValue": "2", "MaxValue": "9", "ScalingType": "Linear"}
    assert epochs in whole["HyperParameterTuningJobConfig"]["ParameterRanges"]["IntegerParameterRanges"]
    assert whole["TrainingJobDefinition"]["StaticHyperParameters"]["label_smoothing"] == "0.0"


@pytest.mark.parametrize(
    ("given", "chosen", "width"),
    [
        ({}, {}, None),
        ({"hidden_units": GivenRange(value=64)}, {}, "64"),
        ({"hidden_units": GivenRange(values=(0, 64))}, {"hidden_units": "64"}, "64"),
        ({"hidden_units": GivenRange(values=(0, 64))}, {"hidden_units": "0"}, "0"),
    ],
)
def test_fine_tuning_has_the_hidden_layer_of_the_head_that_it_starts_from(
    given: Mapping[str, GivenRange], chosen: Mapping[str, str], width: str | None
) -> None:
    head = replace(HEAD, hyperparameters={**HEAD.hyperparameters, **chosen})
    run = replace(FULL, plan=with_ranges(FULL_PLAN, {"heads": given}), best_head=head)

    fixed = REQUESTS.fine_tuning(run)["TrainingJobDefinition"]["StaticHyperParameters"]

    assert fixed.get("hidden_units") == width
