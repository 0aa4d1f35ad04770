"""A training job itself, from its inputs to its artifacts."""

import logging
import math
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from . import container
from .errors import JobFailure
from .jobs import TAIL_LINES, Workshop, failure_reason, fresh_directory, remove_directory
from .kinds import TRAINING, Body, cores
from .ledger import enter, now
from .metrics import Metrics
from .runner import Launch, Outcome, Stop

log = logging.getLogger(__name__)

DAY = 86_400
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
MESSAGES = {
    "Restarting": "The job's instance was lost; it runs again from the beginning",
    "Downloading": "Downloading input data",
    "Training": "Training in progress",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "The job ran longer than its MaxRuntimeInSeconds",
}


class Watcher:
    """What a tuning job does with its training job; for one that stands alone, nothing."""

    objective = ""
    threads = 0

    def reported(self, series: list[float], stop: Stop) -> None:
        """The objective's values so far, whenever there is a new one."""

    def ended(self, body: Body, series: list[float]) -> None:
        """The job's last state, within the transaction that records it."""


class TrainingRun:
    """One run of one training job, from its inputs to its artifacts."""

    def __init__(self, shop: Workshop, name: str, watcher: Watcher, stop: Stop) -> None:
        self._shop = shop
        self._name = name
        self._watcher = watcher
        self._stop = stop
        self._body = shop.ledger.find(TRAINING, name).body
        self._metrics = Metrics(self._body["AlgorithmSpecification"].get("MetricDefinitions", []))
        self._base = shop.settings.work_dir(TRAINING, name)
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)

    def work(self) -> None:
        try:
            if self._body["TrainingJobStatus"] == "Stopping":
                self._stop.ask("stopped")
            if "TrainingStartTime" in self._body:
                self._enter("Restarting")
            fresh_directory(self._base)
            self._run()
        except JobFailure as failure:
            if self._stop.reason in ("stopped", "early"):
                self._finish("Stopped", "Stopped")
            else:
                self._finish("Failed", "Failed", str(failure))
        except Exception as error:
            if self._stop.reason == "shutdown":
                return
            log.exception("The training job %s ended in an error of the endpoint's own", self._name)
            self._finish("Failed", "Failed", f"InternalServerError: {error}")
        finally:
            remove_directory(self._base)

    def _run(self) -> None:
        self._enter("Downloading", TrainingStartTime=now())
        self._prepare()
        self._enter("Training")
        outcome = self._train()
        failed = outcome.exit_code != 0 and not outcome.ended_by
        if self._stop.reason == "shutdown":
            return
        if not failed:
            self._enter("Uploading")
            self._upload_model(stopped=outcome.ended_by is not None)
        self._upload_output()
        if failed:
            message = container.read_message(self._base / "output" / "failure")
            self._finish("Failed", "Failed", failure_reason(message, outcome.exit_code, list(self._tail)))
        elif outcome.ended_by == "timeout":
            self._finish("Stopped", "MaxRuntimeExceeded")
        elif outcome.ended_by:
            self._finish("Stopped", "Stopped")
        else:
            self._finish("Completed", "Completed")

    def _prepare(self) -> None:
        body, base = self._body, self._base
        config = base / "input" / "config"
        container.write_json(config / "hyperparameters.json", body.get("HyperParameters", {}))
        channels = body.get("InputDataConfig", [])
        container.write_json(config / "inputdataconfig.json", {c["ChannelName"]: _channel_config(c) for c in channels})
        container.write_resource_config(
            base, "input/config", body.get("ResourceConfig", {}).get("InstanceType", "local")
        )
        for directory in ("model", "output/data", "checkpoints"):
            (base / directory).mkdir(parents=True)
        for channel in channels:
            source = channel["DataSource"]["S3DataSource"]
            directory = base / "input" / "data" / channel["ChannelName"]
            self._shop.data.download(
                source["S3DataType"], source["S3Uri"], directory, lambda: self._stop.reason is not None
            )

    def _train(self) -> Outcome:
        shop, body = self._shop, self._body
        specification = body["AlgorithmSpecification"]
        image = container.read_image(container.folder_of(specification["TrainingImage"], shop.settings.images))
        job = {
            **body.get("Environment", {}),
            "TRAINING_JOB_NAME": self._name,
            "TRAINING_JOB_ARN": body["TrainingJobArn"],
        }
        launch = Launch(
            container.command(image, specification, ["train"], self._base),
            image.folder,
            container.environment(image, shop.settings, self._base, self._watcher.threads or cores(), job),
            shop.settings.log_path(TRAINING, self._name),
            body.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DAY),
        )
        return shop.run(TRAINING, self._name, launch, self._stop, self._hearer())

    def _hearer(self) -> Callable[[str], None]:
        stream = (LOG_GROUP, f"{self._name}/algo-1-{int(time.time())}")

        def heard(line: str) -> None:
            self._tail.append(line)
            self._shop.logs.add(stream, line)
            if self._watcher.objective in self._metrics.read(line, now()):
                self._watcher.reported(self._metrics.series(self._watcher.objective), self._stop)

        return heard

    def _upload_model(self, stopped: bool) -> None:
        model = self._base / "model"
        if not stopped or any(model.iterdir()):
            uri = f"{self._output_uri()}/model.tar.gz"
            self._shop.data.upload_archive(model, uri, self._base / "model.tar.gz")
            self._shop.ledger.change(
                TRAINING, self._name, lambda body: body.update(ModelArtifacts={"S3ModelArtifacts": uri})
            )

    def _upload_output(self) -> None:
        data = self._base / "output" / "data"
        if data.is_dir() and any(data.iterdir()):
            self._shop.data.upload_archive(data, f"{self._output_uri()}/output.tar.gz", self._base / "output.tar.gz")

    def _output_uri(self) -> str:
        return f"{self._body['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{self._name}/output"

    def _enter(self, secondary: str, **fields: Any) -> None:
        def change(body: Body) -> None:
            body.update(fields)
            if body["TrainingJobStatus"] == "InProgress":
                enter(body, secondary, MESSAGES[secondary])

        self._shop.ledger.change(TRAINING, self._name, change)

    def _finish(self, status: str, secondary: str, reason: str = "") -> None:
        if self._stop.reason == "shutdown":
            return
        metrics = self._metrics.final()
        objective = [metric for metric in metrics if metric["MetricName"] == self._watcher.objective]
        metrics += [{**metric, "MetricName": "ObjectiveMetric"} for metric in objective]

        def change(body: Body) -> None:
            if metrics:
                body["FinalMetricDataList"] = metrics
            end(body, status, secondary, reason)

        with self._shop.ledger.store.transaction():
            body = self._shop.ledger.change(TRAINING, self._name, change)
            self._watcher.ended(body, self._metrics.series(self._watcher.objective))


def _channel_config(channel: Body) -> Body:
    return {
        "TrainingInputMode": channel.get("InputMode", "File"),
        "S3DistributionType": channel["DataSource"]["S3DataSource"].get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
        **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
    }


def end(body: Body, status: str, secondary: str, reason: str) -> None:
    stamp = now()
    started = body.get("TrainingStartTime")
    body.update(TrainingJobStatus=status, TrainingEndTime=stamp)
    if started is not None:
        seconds = max(1, math.ceil(stamp - started))
        body.update(TrainingTimeInSeconds=seconds, BillableTimeInSeconds=seconds)
    if reason:
        body["FailureReason"] = reason[: container.REASON_LENGTH]
    enter(body, secondary, MESSAGES[secondary])
