"""A processing job's files: the inputs that its hosts find, and the upload of their outputs."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..containers import opt_ml
from ..containers.cluster.hosts import Cluster
from ..full_disk import DiskRetry
from ..jobs import JobServices, fresh_directory
from ..kinds import PROCESSING, Body
from ..s3.merged import MergedTree
from ..s3.mirror import Mirror
from ..s3.tree import Tree


class ProcessingFiles:
    """The directories of one attempt of a processing job, one for each host, below `base`. body: the job's record."""

    def __init__(self, services: JobServices, body: Body) -> None:
        self._services = services
        self.body = body
        self.base = services.settings.work_dir(PROCESSING, body["ProcessingJobName"])
        self.cluster = Cluster.of(body["ProcessingResources"]["ClusterConfig"], body["ProcessingJobName"])
        self.bases = [self.base / host.name for host in self.cluster.hosts]

    def prepare(self, cancelled: Callable[[], bool]) -> None:
        """Creates everything that the containers need when they start. Raises JobFailure."""
        for host, base in zip(self.cluster.hosts, self.bases, strict=True):
            opt_ml.write_json(fresh_directory(base) / "config" / "processingjobconfig.json", self.body)
            opt_ml.write_json(base / "config" / "resourceconfig.json", self.cluster.seen_by(host).resource_config())
            (base / "output").mkdir()
            for place, _ in _outputs(self.body, "Continuous", "EndOfJob"):
                opt_ml.local_path(place, base).mkdir(parents=True, exist_ok=True)
        for source in _inputs(self.body):
            self._download(source, cancelled)

    def _download(self, source: Body, cancelled: Callable[[], bool]) -> None:
        """Downloads an input to each host: all of it, or each its share of the objects."""
        found = self._services.transfer.finder.find(source["S3DataType"], source["S3Uri"])
        sharded = source.get("S3DataDistributionType") == "ShardedByS3Key"
        for index, base in enumerate(self.bases):
            share = found[index :: len(self.bases)] if sharded else found
            directory = opt_ml.local_path(source["LocalPath"], base)
            self._services.transfer.download(source["S3Uri"], share, directory, cancelled)

    def mirrors(self) -> list[Mirror]:
        """What uploads the hosts' outputs while they run."""
        return [
            Mirror(self._services.transfer, self._tree(place, base), uri)
            for place, uri in _outputs(self.body, "Continuous")
            for base in self.bases
        ]

    def upload(self, disk_retry: DiskRetry, say_left_out: Callable[[Sequence[str]], None]) -> None:
        """Uploads the outputs at the job's end. say_left_out: hears a sentence for each name that can't be uploaded."""
        for place, uri in _outputs(self.body, "EndOfJob"):
            names = (host.name for host in self.cluster.hosts)
            tree = MergedTree({name: self._tree(place, base) for name, base in zip(names, self.bases, strict=True)})
            disk_retry.until_done(partial(self._services.transfer.upload_directory, tree, uri))
            say_left_out(tree.left_out)

    def message(self) -> str:
        """The messages that the hosts' containers left, one after the other."""
        return "\n".join(filter(None, (self.message_of(index) for index in range(len(self.bases)))))

    def message_of(self, host: int) -> str:
        """The message of one host's container, by its index; empty if it left none."""
        return opt_ml.read_message(self.bases[host], "output/message")

    def _tree(self, place: str, base: Path) -> Tree:
        reach = self._services.launcher.reach(self.body["AppSpecification"]["ImageUri"], base)
        return Tree(opt_ml.local_path(place, base), base, reach)


def _inputs(body: Mapping[str, Any]) -> list[Body]:
    return [source["S3Input"] for source in body.get("ProcessingInputs", [])]


def _outputs(body: Body, *modes: str) -> list[tuple[str, str]]:
    """(LocalPath, S3 prefix) for each output that has one of the upload modes."""
    wanted = [output["S3Output"] for output in body.get("ProcessingOutputConfig", {}).get("Outputs", [])]
    return [(output["LocalPath"], output["S3Uri"]) for output in wanted if output["S3UploadMode"] in modes]
