"""The /opt/ml of one host of a training job."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..containers import opt_ml
from ..containers.cluster.hosts import Cluster, Host
from ..jobs import JobServices, fresh_directory
from ..kinds import Body
from ..s3.mirror import Mirror
from ..s3.paths import split_uri
from ..s3.tree import Tree
from .channels import Channel


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


class HostFiles:
    """The directory `base` that stands for /opt/ml of one host."""

    def __init__(self, services: JobServices, body: Body, host: Host, base: Path) -> None:
        self._services = services
        self._body = body
        self.host = host
        self.base = base

    @property
    def data(self) -> Path:
        """Where its channels are."""
        return self.base / "input" / "data"

    def prepare(self, cluster: Cluster, channels: Sequence[Channel]) -> None:
        """Creates its folders and configuration. channels: those that it gets."""
        body, config = self._body, fresh_directory(self.base) / "input" / "config"
        opt_ml.write_json(config / "hyperparameters.json", body.get("HyperParameters", {}))
        opt_ml.write_json(config / "inputdataconfig.json", {channel.name: channel.config() for channel in channels})
        opt_ml.write_json(config / "resourceconfig.json", cluster.seen_by(self.host).resource_config())
        for kept in KEPT:
            if kept.config in body:
                content = {"LocalPath": kept.default, **body[kept.config]}
                opt_ml.write_json(config / f"{kept.config.lower()}.json", content)
        for directory in ("model", "output/data", "checkpoints", "input/data"):
            (self.base / directory).mkdir(parents=True)

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

    def tree(self, name: str) -> Tree:
        """One of its folders, as it is uploaded."""
        return self._tree(self.base / name)

    def failure(self) -> str:
        """The container's own message about its failure; empty if it left none."""
        return opt_ml.read_message(self.base, "output/failure")

    def has_files(self, name: str) -> bool:
        """Whether something is in one of its folders."""
        directory = self.base / name
        return directory.is_dir() and any(directory.iterdir())

    def _tree(self, directory: Path) -> Tree:
        image = self._body["AlgorithmSpecification"]["TrainingImage"]
        return Tree(directory, self.base, self._services.launcher.reach(image, self.base))
