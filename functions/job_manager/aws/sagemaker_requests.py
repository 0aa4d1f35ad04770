"""The jobs as SageMaker's API wants them described."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..domain import layout
from ..domain.plan import Machine
from ..domain.run import Run
from ..domain.search_space import FIXED_HYPERPARAMETERS, METRICS, OBJECTIVE_METRIC, SEARCH_SPACE, Continuous, Integer

PROCESSING = "/opt/ml/processing"
VOLUME_GIB = 30


@dataclass(frozen=True)
class JobRequests:
    """Requests for one bucket's jobs under one role."""

    bucket: str
    role: str
    objective: str = OBJECTIVE_METRIC

    def prepare(self, run: Run) -> dict[str, Any]:
        """CreateProcessingJob for prepare: the manifest's images in, the pack out."""
        arguments = ["prepare", "--image-size", str(run.plan.image_size), "--views", str(run.plan.views)]
        arguments += ["--minimum-per-label", str(run.plan.minimum_per_label)]
        images = self._input("images", layout.manifest(run.run_id), kind="ManifestFile")
        return self._processing(run, layout.prepare_job(run.run_id), arguments, [images], layout.pack(run.run_id))

    def evaluation(self, run: Run, model_uri: str, champion_uri: str | None) -> dict[str, Any]:
        """CreateProcessingJob for evaluate: test split and models in, scores and the whole model out."""
        inputs = [self._input("test", layout.test_split(run.run_id)), self._input("model", model_uri)]
        if champion_uri:
            inputs.append(self._input("champion", champion_uri))
        name = layout.evaluation_job(run.run_id)
        return self._processing(run, name, ["evaluate"], inputs, layout.evaluation(run.run_id))

    def tuning(self, run: Run) -> dict[str, Any]:
        """CreateHyperParameterTuningJob over the search space, warm-started from the run's parents."""
        plan = run.plan
        request: dict[str, Any] = {
            "HyperParameterTuningJobName": run.run_id,
            "HyperParameterTuningJobConfig": {
                "Strategy": plan.strategy,
                "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": self.objective},
                "ResourceLimits": {
                    "MaxNumberOfTrainingJobs": plan.trials,
                    "MaxParallelTrainingJobs": min(plan.parallel_trials, plan.trials),
                    "MaxRuntimeInSeconds": plan.tuning_time_limit,
                },
                "ParameterRanges": parameter_ranges(),
                "TrainingJobEarlyStoppingType": "Auto",
                "RandomSeed": 1,
            },
            "TrainingJobDefinition": self._training(run),
            "Tags": tags(run),
        }
        if run.warm_start_from:
            parents = [{"HyperParameterTuningJobName": parent} for parent in run.warm_start_from]
            request["WarmStartConfig"] = {
                "ParentHyperParameterTuningJobs": parents,
                "WarmStartType": "TransferLearning",
            }
        return request

    def _training(self, run: Run) -> dict[str, Any]:
        source = {
            "S3DataType": "S3Prefix",
            "S3Uri": self._uri(layout.features(run.run_id)),
            "S3DataDistributionType": "FullyReplicated",
        }
        return {
            "StaticHyperParameters": dict(FIXED_HYPERPARAMETERS),
            "AlgorithmSpecification": {
                "TrainingImage": run.plan.training_image,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": name, "Regex": f"{name}: ([0-9.]+)"} for name in METRICS],
            },
            "RoleArn": self.role,
            "InputDataConfig": [{"ChannelName": "features", "DataSource": {"S3DataSource": source}}],
            "OutputDataConfig": {"S3OutputPath": self._uri(layout.trials(run.run_id))},
            "ResourceConfig": cluster(run.plan.training),
            "StoppingCondition": {"MaxRuntimeInSeconds": run.plan.trial_time_limit},
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
            "ProcessingResources": {"ClusterConfig": cluster(run.plan.processing)},
            "StoppingCondition": {"MaxRuntimeInSeconds": run.plan.processing_time_limit},
            "Tags": tags(run),
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

    def _uri(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"


def parameter_ranges() -> dict[str, list[dict[str, str]]]:
    """The search space as AMT's ParameterRanges; bounds are text there."""

    def ranges(kind: type[Continuous] | type[Integer]) -> list[dict[str, str]]:
        return [
            {
                "Name": name,
                "MinValue": str(values.low),
                "MaxValue": str(values.high),
                "ScalingType": "Logarithmic" if values.logarithmic else "Linear",
            }
            for name, values in SEARCH_SPACE.items()
            if isinstance(values, kind)
        ]

    return {"ContinuousParameterRanges": ranges(Continuous), "IntegerParameterRanges": ranges(Integer)}


def cluster(machine: Machine) -> Mapping[str, Any]:
    return {"InstanceType": machine.instance_type, "InstanceCount": 1, "VolumeSizeInGB": VOLUME_GIB}


def tags(run: Run) -> list[dict[str, str]]:
    return [{"Key": "project", "Value": "seedbed"}, {"Key": "run", "Value": run.run_id}]
