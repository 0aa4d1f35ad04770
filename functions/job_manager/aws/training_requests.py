"""The requests that create SageMaker's tuning and training jobs.

SageMaker itself transfers their data, so jobs have no network unless they download a backbone's weights.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..domain import layout
from ..domain.job import SPOT_WAIT_SECONDS
from ..domain.plan import Machine, Plan
from ..domain.results.trial import Trial
from ..domain.run import Run
from ..domain.search_space import METRICS, SearchSpace, from_text, heads_of_a_job, with_epochs
from ..domain.volumes import fine_tuning_gib, tuning_gib
from .request_parts import RequestParts, cluster, weights
from .tuning_stage import TuningStage, with_backbones


class TrainingRequests(RequestParts):
    """Requests for the jobs that train heads and whole networks."""

    def tuning(self, run: Run) -> dict[str, Any]:
        """CreateHyperParameterTuningJob for the heads, warm-started from the run's parents."""
        plan = run.plan
        space, fixed = heads_search(plan)
        stage = TuningStage(
            name=run.run_id,
            strategy=plan.strategy,
            trials=plan.head_jobs,
            parallel_trials=plan.parallel_trials,
            space=space,
            fixed={**fixed, **({"sample": str(plan.head_sample)} if run.samples else {})},
            machine=plan.training,
            trial_time_limit=plan.trial_time_limit,
            early_stopping="Auto" if plan.heads_in_each_job == 1 else "Off",
            volume_gib=tuning_gib(plan, run.given),
        )
        request = self._tuning(run, stage, {"features": self.uri(layout.features(run.run_id))})
        request["TrainingJobDefinition"]["EnableNetworkIsolation"] = True
        return {**request, **warm_start(run.warm_start_from)}

    def refit(self, run: Run) -> dict[str, Any]:
        """CreateTrainingJob for the best head, with the values that were chosen for its job, on all training images."""
        plan, head = run.plan, run.best_head
        assert head is not None
        _, fixed = heads_search(plan)
        first = head.heads[0].hyperparameters if head.heads else {}
        limits = plan.trial_time_limit, tuning_gib(plan, run.given)
        channels = {"features": self.uri(layout.features(run.run_id))}
        return {
            "TrainingJobName": layout.refit_job(run.run_id),
            "HyperParameters": {**fixed, **head.hyperparameters, **first, "sample": "0"},
            **self._training(run, channels, plan.training, *limits),
            "EnableNetworkIsolation": True,
            "Tags": self.tags(run),
        }

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
            "training": self.uri(layout.training(run.run_id)),
            "head": head.model_uri,
            **{name: self.uri(place) for name, place in weights(run).items()},
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
                **self._training(run, channels, stage.machine, stage.trial_time_limit, stage.volume_gib),
            },
            "Tags": self.tags(run),
        }

    def _training(
        self, run: Run, channels: Mapping[str, str], machine: Machine, time_limit: int, volume_gib: int
    ) -> dict[str, Any]:
        """What a training job has, whether a tuning job makes it or the job manager."""
        return {
            "AlgorithmSpecification": {
                "TrainingImage": run.plan.training_image,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": name, "Regex": f"{name}: ([0-9.]+)"} for name in METRICS],
            },
            "RoleArn": self.role,
            "InputDataConfig": [channel(name, uri) for name, uri in channels.items()],
            "OutputDataConfig": {"S3OutputPath": self.uri(layout.trials(run.run_id))},
            "ResourceConfig": cluster(machine, volume_gib),
            "CheckpointConfig": {"S3Uri": self.uri(layout.checkpoints(run.run_id))},
            "EnableManagedSpotTraining": run.plan.spot,
            "StoppingCondition": stopping_condition(time_limit, spot=run.plan.spot),
        }


def heads_search(plan: Plan) -> tuple[SearchSpace, Mapping[str, str]]:
    """The search space of the heads, and the fixed values."""
    space, fixed = with_backbones(*from_text(plan.search_space), plan.backbones)
    return space, heads_of_a_job(space, fixed, plan.heads_in_each_job)


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
