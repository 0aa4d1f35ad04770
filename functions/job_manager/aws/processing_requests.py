"""The requests that create SageMaker's processing jobs.

SageMaker itself transfers their data, so jobs have no network unless they download a backbone's weights.
"""

from collections.abc import Mapping
from typing import Any

from ..domain import layout
from ..domain.plan import Plan
from ..domain.run import Run
from ..domain.volumes import evaluation_gib, merge_gib, prepare_gib
from .request_parts import RequestParts, cluster, weights

PROCESSING = "/opt/ml/processing"
ISOLATED = {"EnableNetworkIsolation": True}


class ProcessingRequests(RequestParts):
    """Requests for the jobs that prepare the images and evaluate the model."""

    def prepare(self, run: Run) -> dict[str, Any]:
        """CreateProcessingJob for prepare: the manifest's images in, shared out among its instances, the pack out."""
        plan, instances = run.plan, run.plan.prepare_instances
        images = self._input("images", layout.manifest(run.run_id), kind="ManifestFile")
        if instances > 1:
            images["S3Input"]["S3DataDistributionType"] = "ShardedByS3Key"
        inputs = [images, *(self._input(*item) for item in weights(run).items())]
        arguments = ["prepare", *pack_options(plan)]
        request = self._processing(run, layout.prepare_job(run.run_id), arguments, inputs, layout.pack(run.run_id))
        machines = cluster(plan.processing, prepare_gib(plan, run.given), instances)
        return {**request, "ProcessingResources": {"ClusterConfig": machines}}

    def merge(self, run: Run) -> dict[str, Any]:
        """CreateProcessingJob for merge: what each instance of prepare knows of its images in, one pack out."""
        inputs = [self._input("parts", layout.parts(run.run_id))]
        arguments = ["merge", *pack_options(run.plan)]
        request = self._processing(run, layout.merge_job(run.run_id), arguments, inputs, layout.pack(run.run_id))
        machine = cluster(run.plan.processing, merge_gib(run.given))
        return {**request, "ProcessingResources": {"ClusterConfig": machine}, "NetworkConfig": ISOLATED}

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
        machine = cluster(plan.processing, evaluation_gib(plan, run.given))
        return {**request, "ProcessingResources": {"ClusterConfig": machine}}

    def _processing(
        self, run: Run, name: str, arguments: list[str], inputs: list[dict[str, Any]], output: str
    ) -> dict[str, Any]:
        target = {
            "S3Uri": self.uri(output).rstrip("/"),
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
            "Tags": self.tags(run),
        }

    def _input(self, name: str, key_or_uri: str, kind: str = "S3Prefix") -> dict[str, Any]:
        return {
            "InputName": name,
            "S3Input": {
                "S3Uri": key_or_uri if key_or_uri.startswith("s3://") else self.uri(key_or_uri),
                "LocalPath": f"{PROCESSING}/input/{name}",
                "S3DataType": kind,
                "S3InputMode": "File",
                "S3DataDistributionType": "FullyReplicated",
            },
        }


def pack_options(plan: Plan) -> list[str]:
    """What prepare and merge have to know of the plan, as arguments."""
    options = {
        "--image-size": plan.image_size,
        "--views": plan.views,
        "--minimum-per-label": plan.minimum_per_label,
        "--backbones": ",".join(plan.backbones),
        "--fine-tune-size": plan.fine_tune_size,
    }
    return [str(word) for option in options.items() for word in option]
