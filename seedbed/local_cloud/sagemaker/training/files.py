"""A training job's /opt/ml: the files that it finds there, and the upload of those that it leaves."""

from collections.abc import Callable
from pathlib import Path

from ..containers import opt_ml
from ..jobs import JobServices, fresh_directory
from ..kinds import TRAINING, Body
from ..s3.mirror import Mirror

CHECKPOINTS = "/opt/ml/checkpoints"


class TrainingFiles:
    """The directory that stands for /opt/ml of one run of a training job."""

    def __init__(self, services: JobServices, body: Body) -> None:
        self._services = services
        self._body = body
        self.base = services.settings.work_dir(TRAINING, body["TrainingJobName"])

    def prepare(self, cancelled: Callable[[], bool]) -> None:
        """Creates everything that the container needs when it starts. Raises JobFailure."""
        body, base = self._body, fresh_directory(self.base)
        channels = body.get("InputDataConfig", [])
        mode = body["AlgorithmSpecification"].get("TrainingInputMode", "File")
        config = base / "input" / "config"
        opt_ml.write_json(config / "hyperparameters.json", body.get("HyperParameters", {}))
        opt_ml.write_json(
            config / "inputdataconfig.json", {item["ChannelName"]: _channel_config(item, mode) for item in channels}
        )
        opt_ml.write_resource_config(base, "input/config", body.get("ResourceConfig", {}).get("InstanceType", "local"))
        for directory in ("model", "output/data", "checkpoints"):
            (base / directory).mkdir(parents=True)
        for channel in channels:
            source = channel["DataSource"]["S3DataSource"]
            directory = base / "input" / "data" / channel["ChannelName"]
            self._services.transfer.download(source["S3DataType"], source["S3Uri"], directory, cancelled)

    def restore_checkpoints(self, cancelled: Callable[[], bool]) -> list[Mirror]:
        """Downloads the job's checkpoints, if it has a CheckpointConfig; returns the mirror that then uploads them."""
        config = self._body.get("CheckpointConfig")
        if config is None:
            return []
        directory = opt_ml.local_path(config.get("LocalPath", CHECKPOINTS), self.base)
        self._services.transfer.restore(config["S3Uri"], directory, cancelled)
        mirror = Mirror(self._services.transfer, directory, config["S3Uri"])
        mirror.mark_sent()
        return [mirror]

    def upload_model(self) -> str:
        """Uploads /opt/ml/model and returns its S3 URI."""
        config = self._body["OutputDataConfig"]
        if config.get("CompressionType") == "NONE":
            uri = f"{self._output_uri()}/model/"
            self._services.transfer.upload_directory(self.base / "model", uri)
        else:
            uri = f"{self._output_uri()}/model.tar.gz"
            self._services.transfer.upload_archive(self.base / "model", uri, self.base / "model.tar.gz")
        return uri

    def upload_output(self) -> None:
        if has_files(self.base / "output" / "data"):
            uri = f"{self._output_uri()}/output.tar.gz"
            self._services.transfer.upload_archive(self.base / "output" / "data", uri, self.base / "output.tar.gz")

    def has_model(self) -> bool:
        return has_files(self.base / "model")

    def failure(self) -> str:
        """The container's own message about its failure; empty if it left none."""
        return opt_ml.read_message(self.base / "output" / "failure")

    def _output_uri(self) -> str:
        root = self._body["OutputDataConfig"]["S3OutputPath"].rstrip("/")
        return f"{root}/{self._body['TrainingJobName']}/output"


def has_files(directory: Path) -> bool:
    return directory.is_dir() and any(directory.iterdir())


def _channel_config(channel: Body, mode: str) -> Body:
    return {
        "TrainingInputMode": channel.get("InputMode", mode),
        "S3DistributionType": channel["DataSource"]["S3DataSource"].get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
        **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
    }
