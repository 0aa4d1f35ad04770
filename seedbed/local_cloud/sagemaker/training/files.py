"""A training job's /opt/ml: the files that it finds there, and the upload of those that it leaves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..containers import opt_ml
from ..jobs import JobServices, fresh_directory
from ..kinds import TRAINING, Body
from ..s3.mirror import Mirror
from ..s3.paths import split_uri
from ..s3.tree import Tree


@dataclass(frozen=True)
class KeptFolder:
    """A folder of the job whose files are uploaded while it runs.

    config: the field that asks for it; the container finds it in the file of that name. default: the folder's path.
    uri: the field with the place in S3. below: the folder below the job's name there; empty for the place itself.
    """

    config: str
    default: str
    uri: str
    below: str = ""

    def place(self, body: Body) -> str:
        """Where in S3 the files of a job go. Raises JobFailure if that is not in S3."""
        place: str = body[self.config][self.uri]
        split_uri(place)
        return f"{place.rstrip('/')}/{body['TrainingJobName']}/{self.below}" if self.below else place


CHECKPOINTS = KeptFolder("CheckpointConfig", "/opt/ml/checkpoints", "S3Uri")
KEPT = (
    CHECKPOINTS,
    KeptFolder("TensorBoardOutputConfig", "/opt/ml/output/tensorboard", "S3OutputPath", "tensorboard-output"),
    KeptFolder("DebugHookConfig", "/opt/ml/output/tensors", "S3OutputPath", "debug-output"),
)


class TrainingFiles:
    """The directory that stands for /opt/ml of one run of a training job.

    say_left_out: hears a sentence for each name that can't be uploaded.
    """

    def __init__(self, services: JobServices, body: Body, say_left_out: Callable[[Sequence[str]], None]) -> None:
        self._services = services
        self._body = body
        self._say_left_out = say_left_out
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
        opt_ml.write_resource_config(config, body.get("ResourceConfig", {}))
        for kept in KEPT:
            if kept.config in body:
                content = {"LocalPath": kept.default, **body[kept.config]}
                opt_ml.write_json(config / f"{kept.config.lower()}.json", content)
        for directory in ("model", "output/data", "checkpoints"):
            (base / directory).mkdir(parents=True)
        for channel in channels:
            source = channel["DataSource"]["S3DataSource"]
            directory = base / "input" / "data" / channel["ChannelName"]
            self._services.transfer.download(source["S3DataType"], source["S3Uri"], directory, cancelled)

    def restore_checkpoints(self, cancelled: Callable[[], bool]) -> list[Mirror]:
        """Downloads the job's checkpoints, if it has a CheckpointConfig.

        Returns the mirrors that upload the folders which are kept in S3 while the job runs.
        """
        mirrors = []
        for kept in KEPT:
            if kept.config in self._body:
                directory = opt_ml.local_path(self._body[kept.config].get("LocalPath", kept.default), self.base)
                place = kept.place(self._body)
                mirrors.append(Mirror(self._services.transfer, self._tree(directory), place))
                if kept is CHECKPOINTS:
                    self._services.transfer.restore(place, directory, cancelled)
                    mirrors[-1].mark_sent()
        return mirrors

    def upload_model(self) -> str:
        """Uploads /opt/ml/model and returns its S3 URI."""
        config = self._body["OutputDataConfig"]
        if config.get("CompressionType") == "NONE":
            uri = f"{self._output_uri()}/model/"
            tree = self._tree(self.base / "model")
            self._services.transfer.upload_directory(tree, uri)
            self._say_left_out(tree.left_out)
        else:
            uri = f"{self._output_uri()}/model.tar.gz"
            self._upload_archive(self.base / "model", uri)
        return uri

    def upload_output(self) -> None:
        if has_files(self.base / "output" / "data"):
            self._upload_archive(self.base / "output" / "data", f"{self._output_uri()}/output.tar.gz")

    def _upload_archive(self, directory: Path, uri: str) -> None:
        tree = self._tree(directory)
        self._services.transfer.upload_archive(tree, uri, self.base / uri.rsplit("/", 1)[1])
        self._say_left_out(tree.left_out)

    def _tree(self, directory: Path) -> Tree:
        image = self._body["AlgorithmSpecification"]["TrainingImage"]
        return Tree(directory, self.base, self._services.launcher.reach(image, self.base))

    def has_model(self) -> bool:
        return has_files(self.base / "model")

    def failure(self) -> str:
        """The container's own message about its failure; empty if it left none."""
        return opt_ml.read_message(self.base, "output/failure")

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
