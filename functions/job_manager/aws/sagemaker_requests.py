"""The requests that create SageMaker's jobs.

SageMaker itself transfers their data, so jobs have no network unless they download a backbone's weights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..domain import layout
from ..domain.plan import Machine
from ..domain.result import Trial
from ..domain.run import Run
from ..domain.search_space import (
    METRICS,
    OBJECTIVE_METRIC,
    from_text,
    with_epochs,
)
from ..domain.volumes import evaluation_gib, fine_tuning_gib, prepare_gib, tuning_gib
from .tuning_stage import TuningStage, with_backbones

PROCESSING = "/opt/ml/processing"
SPOT_WAIT_SECONDS = 3600


@dataclass(frozen=True)
class JobRequests:
    """Requests for one bucket's jobs under one role."""

    bucket: str
    role: str
    objective: str = OBJECTIVE_METRIC
    stack: str = "seedbed"

    def prepare(self, run: Run) -> dict[str, Any]:
        """CreateProcessingJob for prepare: the manifest's images in, the pack out."""
        plan = run.plan
        options = {
            "--image-size": plan.image_size,
            "--views": plan.views,
            "--minimum-per-label": plan.minimum_per_label,
            "--backbones": ",".join(plan.backbones),
            "--fine-tune-size": plan.fine_tune_size,
        }
        arguments = ["prepare", *(str(word) for option in options.items() for word in option)]
        images = self._input("images", layout.manifest(run.run_id), kind="ManifestFile")
        inputs = [images, *(self._input(*item) for item in weights(run).items())]
        request = self._processing(run, layout.prepare_job(run.run_id), arguments, inputs, layout.pack(run.run_id))
        return {**request, "ProcessingResources": resources(plan.processing, prepare_gib(plan, run.given))}

    def evaluation(self, run: Run, models: Mapping[str, str], champion_sha256: str | None = None) -> dict[str, Any]:
        """CreateProcessingJob for evaluate: two splits and the models in, scores and the run's model out."""
        plan = run.plan
        arguments = ["evaluate", "--views", str(plan.evaluation_views), f"--exports={','.join(plan.exports)}"]
        arguments += ["--changed-images", str(plan.changed_images)]
        arguments += ["--sure-error-rate", str(plan.sure_error_rate), "--run", run.run_id]
        compared = run.champion_before if "champion" in models else None
        arguments += ["--champion-run", compared] if compared else []
        arguments += ["--champion-sha256", champion_sha256] if champion_sha256 else []
        splits = {"test": layout.test_split(run.run_id), "validation": layout.validation_split(run.run_id)}
        inputs = [self._input(name, place) for name, place in {**splits, **models, **weights(run)}.items()]
        name = layout.evaluation_job(run.run_id)
        request = self._processing(run, name, arguments, inputs, layout.evaluation(run.run_id))
        return {**request, "ProcessingResources": resources(plan.processing, evaluation_gib(plan, run.given))}

    def tuning(self, run: Run) -> dict[str, Any]:
        """CreateHyperParameterTuningJob for the heads, warm-started from the run's parents."""
        plan = run.plan
        space, fixed = with_backbones(*from_text(plan.search_space), plan.backbones)
        stage = TuningStage(
            name=run.run_id,
            strategy=plan.strategy,
            trials=plan.head_jobs,
            parallel_trials=plan.parallel_trials,
            space=space,
            fixed={**fixed, "heads": str(plan.heads_in_each_job)},
            machine=plan.training,
            trial_time_limit=plan.trial_time_limit,
            early_stopping="Auto" if plan.heads_in_each_job == 1 else "Off",
            volume_gib=tuning_gib(plan, run.given),
        )
        request = self._tuning(run, stage, {"features": self._uri(layout.features(run.run_id))})
        request["TrainingJobDefinition"]["EnableNetworkIsolation"] = True
        return {**request, **warm_start(run.warm_start_from)}

    def fine_tuning(self, run: Run, parents: Sequence[str] = ()) -> dict[str, Any]:
        """CreateHyperParameterTuningJob for the whole network; each trial starts from the best head."""
        plan, head = run.plan.fine_tuning, run.best_head
        assert plan is not None
        assert head is not None
        assert head.model_uri is not None
        own = {"backbone": head.hyperparameters.get("backbone", run.plan.backbones[0]), **hidden_layer(run, head)}
        space, fixed = with_epochs(*from_text(plan.search_space), plan.epochs)
        stage = TuningStage(
            name=layout.fine_tuning_job(run.run_id),
            strategy=run.plan.strategy,
            trials=plan.trials,
            parallel_trials=plan.parallel_trials,
            space=space,
            fixed={**fixed, **own},
            machine=plan.machine,
            trial_time_limit=plan.trial_time_limit,
            early_stopping="Auto",
            volume_gib=fine_tuning_gib(run.plan, run.given),
        )
        channels = {
            "training": self._uri(layout.training(run.run_id)),
            "head": head.model_uri,
            **{name: self._uri(place) for name, place in weights(run).items()},
        }
        request = self._tuning(run, stage, channels)
        request["TrainingJobDefinition"]["EnableNetworkIsolation"] = not run.plan.downloads_weights
        return {**request, **warm_start(parents)}

    def _tuning(self, run: Run, stage: TuningStage, channels: Mapping[str, str]) -> dict[str, Any]:
        return {
            "HyperParameterTuningJobName": stage.name,
            "HyperParameterTuningJobConfig": stage.config(self.objective, run.plan.tuning_time_limit),
            "TrainingJobDefinition": {
                "StaticHyperParameters": dict(stage.fixed),
                "AlgorithmSpecification": {
                    "TrainingImage": run.plan.training_image,
                    "TrainingInputMode": "File",
                    "MetricDefinitions": [{"Name": name, "Regex": f"{name}: ([0-9.]+)"} for name in METRICS],
                },
                "RoleArn": self.role,
                "InputDataConfig": [channel(name, uri) for name, uri in channels.items()],
                "OutputDataConfig": {"S3OutputPath": self._uri(layout.trials(run.run_id))},
                "ResourceConfig": cluster(stage.machine, stage.volume_gib),
                "CheckpointConfig": {"S3Uri": self._uri(layout.checkpoints(run.run_id))},
                "EnableManagedSpotTraining": run.plan.spot,
                "StoppingCondition": stopping_condition(stage.trial_time_limit, spot=run.plan.spot),
            },
            "Tags": self._tags(run),
        }

    def _processing(
        self, run: Run, name: str, arguments: list[str], inputs: list[dict[str, Any]], output: str
    ) -> dict[str, Any]:
        target = {
            "S3Uri": self._uri(output).rstrip("/"),
            "LocalPath": f"{PROCESSING}/output",
            "S3UploadMode": "EndOfJob",
        }
        return {
            "ProcessingJobName": name,
            "AppSpecification": {"ImageUri": run.plan.training_image, "ContainerArguments": arguments},
            "RoleArn": self.role,
            "ProcessingInputs": inputs,
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "output", "S3Output": target}]},
            "StoppingCondition": {"MaxRuntimeInSeconds": run.plan.processing_time_limit},
            "NetworkConfig": {"EnableNetworkIsolation": not run.plan.downloads_weights},
            "Tags": self._tags(run),
        }

    def _input(self, name: str, key_or_uri: str, kind: str = "S3Prefix") -> dict[str, Any]:
        return {
            "InputName": name,
            "S3Input": {
                "S3Uri": key_or_uri if key_or_uri.startswith("s3://") else self._uri(key_or_uri),
                "LocalPath": f"{PROCESSING}/input/{name}",
                "S3DataType": kind,
                "S3InputMode": "File",
                "S3DataDistributionType": "FullyReplicated",
            },
        }

    def _tags(self, run: Run) -> list[dict[str, str]]:
        """Cost-allocation tags; a tuning job passes them on to its training jobs."""
        tags = {"project": "seedbed", "stack": self.stack, "run": run.run_id}
        return [{"Key": key, "Value": value} for key, value in tags.items()]

    def _uri(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"


def weights(run: Run) -> dict[str, str]:
    """The input with a backbone's weights, if they are in the bucket, by its name."""
    return {"pretrained": run.plan.pretrained} if run.plan.pretrained else {}


def hidden_layer(run: Run, head: Trial) -> dict[str, str]:
    """The width of the head's hidden layer, by its name, if the run's heads may have one."""
    space, fixed = from_text(run.plan.search_space)
    width = head.hyperparameters.get("hidden_units", "0") if "hidden_units" in space else fixed.get("hidden_units", "0")
    return {"hidden_units": width} if "hidden_units" in space or width != "0" else {}


def warm_start(parents: Sequence[str]) -> dict[str, Any]:
    """What a tuning job learns from, if it has parents."""
    named = [{"HyperParameterTuningJobName": parent} for parent in parents]
    config = {"ParentHyperParameterTuningJobs": named, "WarmStartType": "TransferLearning"}
    return {"WarmStartConfig": config} if named else {}


def channel(name: str, uri: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def stopping_condition(time_limit: int, *, spot: bool) -> dict[str, int]:
    """How long a training job may run and, on spot instances, how long it may take with all waiting."""
    wait = {"MaxWaitTimeInSeconds": time_limit + SPOT_WAIT_SECONDS} if spot else {}
    return {"MaxRuntimeInSeconds": time_limit, **wait}


def cluster(machine: Machine, volume_gib: int) -> Mapping[str, Any]:
    return {"InstanceType": machine.instance_type, "InstanceCount": 1, "VolumeSizeInGB": volume_gib}


def resources(machine: Machine, volume_gib: int) -> Mapping[str, Any]:
    return {"ClusterConfig": cluster(machine, volume_gib)}
