"""A training job's files: those that its hosts find at /opt/ml, and the upload of those that they leave."""

from collections.abc import Callable, Iterator, Sequence

from ..containers.cluster.hosts import Cluster, Host
from ..errors import JobFailure
from ..jobs import JobServices
from ..kinds import TRAINING, Body
from ..s3 import augmented_manifest
from ..s3.feed import Feed
from ..s3.merged import MergedTree
from ..s3.mirror import Mirror
from ..s3.stream import Streaming
from .channels import Channel, channels
from .host_files import HostFiles


class TrainingFiles:
    """The directories of one run of a training job, one for each host, below `base`. body: the job's record.

    say_left_out: hears a sentence for each name that can't be uploaded.
    """

    def __init__(self, services: JobServices, body: Body, say_left_out: Callable[[Sequence[str]], None]) -> None:
        self._services = services
        self.body = body
        self._say_left_out = say_left_out
        self.base = services.settings.work_dir(TRAINING, body["TrainingJobName"])
        self.cluster = Cluster.of(body.get("ResourceConfig", {}), body["TrainingJobName"])
        self.hosts = [HostFiles(services, body, host, self.base / host.name) for host in self.cluster.hosts]
        self.feeds: list[Feed] = []

    def prepare(self, cancelled: Callable[[], bool]) -> None:
        """Creates everything that the containers need when they start. Raises JobFailure."""
        given = channels(self.body)
        for one in self.hosts:
            one.prepare(self.cluster, [channel for channel in given if one.host in channel.hosts(self.cluster)])
        self.feeds = []
        for channel in given:
            hosts = [one for one in self.hosts if one.host in channel.hosts(self.cluster)]
            if channel.is_pipe:
                self._add_pipes(channel, hosts)
            else:
                self._download(channel, hosts, cancelled)

    def _download(self, channel: Channel, hosts: Sequence[HostFiles], cancelled: Callable[[], bool]) -> None:
        """Gives each host its share of a channel's objects, as files."""
        transfer, uri = self._services.transfer, channel.source["S3Uri"]
        found = transfer.finder.find(channel.source["S3DataType"], uri)
        for one in hosts:
            transfer.download(uri, channel.share(found, one.host, self.cluster), one.data / channel.name, cancelled)

    def _add_pipes(self, channel: Channel, hosts: Sequence[HostFiles]) -> None:
        """Gives each host a pipe with its share of a channel's objects, which is fed while the job runs."""
        if not self._services.launcher.reads_pipes(self.body["AlgorithmSpecification"]["TrainingImage"]):
            raise JobFailure("ClientError: Docker's virtual machine reads no named pipes: use File instead of Pipe.")
        transfer, source, body = self._services.transfer, channel.source, channel.body
        packed, wrapped = body.get("CompressionType") == "Gzip", body.get("RecordWrapperType") == "RecordIO"
        streaming = Streaming(transfer.reader.open, packed, wrapped)
        if channel.is_augmented:
            names = source["AttributeNames"]
            rows = augmented_manifest.read_rows(transfer.finder, transfer.reader, source["S3Uri"], names)
        else:
            rows = [[item] for item, _ in transfer.finder.find(source["S3DataType"], source["S3Uri"])]
        for one in hosts:

            def epoch_of(epoch: int, host: Host = one.host) -> Iterator[bytes]:
                share = channel.share(rows, host, self.cluster, epoch)
                return streaming.of(augmented_manifest.content(transfer.finder, share))

            self.feeds.append(Feed(one.data, channel.name, epoch_of))

    def restore_checkpoints(self, cancelled: Callable[[], bool]) -> list[Mirror]:
        """Downloads the job's checkpoints to each host, if it has a CheckpointConfig.

        Returns the mirrors that upload the folders which are kept in S3 while the job runs.
        """
        return [mirror for one in self.hosts for mirror in one.restore_checkpoints(cancelled)]

    def upload_model(self) -> str:
        """Uploads what all hosts have in /opt/ml/model and returns its S3 URI."""
        if self.body["OutputDataConfig"].get("CompressionType") == "NONE":
            uri = f"{self._output_uri()}/model/"
            tree = self._merged("model")
            self._services.transfer.upload_directory(tree, uri)
            self._say_left_out(tree.left_out)
        else:
            uri = f"{self._output_uri()}/model.tar.gz"
            self._upload_archive("model", uri)
        return uri

    def upload_output(self) -> None:
        """Uploads what all hosts have in /opt/ml/output/data, if there is something."""
        if self._any_has("output/data"):
            self._upload_archive("output/data", f"{self._output_uri()}/output.tar.gz")

    def has_model(self) -> bool:
        return self._any_has("model")

    def _upload_archive(self, name: str, uri: str) -> None:
        tree = self._merged(name)
        self._services.transfer.upload_archive(tree, uri, self.base / uri.rsplit("/", 1)[1])
        self._say_left_out(tree.left_out)

    def _merged(self, name: str) -> MergedTree:
        return MergedTree({one.host.name: one.tree(name) for one in self.hosts})

    def _any_has(self, name: str) -> bool:
        return any(one.has_files(name) for one in self.hosts)

    def _output_uri(self) -> str:
        root = self.body["OutputDataConfig"]["S3OutputPath"].rstrip("/")
        return f"{root}/{self.body['TrainingJobName']}/output"
