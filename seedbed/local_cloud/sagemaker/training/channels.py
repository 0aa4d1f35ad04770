"""A training job's channels: which hosts get them, which objects each of these gets, and how."""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..containers.cluster.hosts import Cluster, Host
from ..kinds import Body

Item = TypeVar("Item")


@dataclass(frozen=True)
class Channel:
    """One of a job's channels. mode: Pipe, FastFile or File. body: as the request has it."""

    body: Body
    mode: str

    @property
    def name(self) -> str:
        return str(self.body["ChannelName"])

    @property
    def source(self) -> Body:
        """Its S3DataSource."""
        source: Body = self.body["DataSource"]["S3DataSource"]
        return source

    @property
    def is_pipe(self) -> bool:
        return self.mode == "Pipe"

    @property
    def is_augmented(self) -> bool:
        """Whether its source is an augmented manifest."""
        return bool(self.source["S3DataType"] == "AugmentedManifestFile")

    @property
    def distribution(self) -> str:
        return str(self.source.get("S3DataDistributionType", "FullyReplicated"))

    def fault(self, groups: Collection[str]) -> str:
        """What of it SageMaker refuses, as the end of a sentence; empty if nothing. groups: the job's, by name."""
        if not self.is_pipe:
            for field in ("CompressionType", "RecordWrapperType"):
                if self.body.get(field, "None") != "None":
                    return f"has the {field} {self.body[field]}, which is for the input mode Pipe only"
            if self.is_augmented:
                return "has an AugmentedManifestFile, which is for the input mode Pipe only"
        if self.mode == "FastFile" and self.source["S3DataType"] != "S3Prefix":
            return "has the input mode FastFile, which needs the S3DataType S3Prefix"
        if self.is_augmented != bool(self.source.get("AttributeNames")):
            return "needs AttributeNames with an AugmentedManifestFile, and only with one"
        unknown = [name for name in self.source.get("InstanceGroupNames", []) if name not in groups]
        return f"names the instance group '{unknown[0]}', which ResourceConfig doesn't have" if unknown else ""

    def config(self) -> Body:
        """What inputdataconfig.json says of it; FastFile is File there, as on AWS."""
        return {
            "TrainingInputMode": "Pipe" if self.is_pipe else "File",
            "S3DistributionType": self.distribution,
            "RecordWrapperType": self.body.get("RecordWrapperType", "None"),
            **({"ContentType": self.body["ContentType"]} if "ContentType" in self.body else {}),
        }

    def hosts(self, cluster: Cluster) -> list[Host]:
        """The hosts that get it: all, or those of its instance groups."""
        return cluster.of_groups(self.source.get("InstanceGroupNames", []))

    def share(self, found: Sequence[Item], host: Host, cluster: Cluster, epoch: int = 0) -> list[Item]:
        """What a host gets of its objects or rows, in the order of an epoch."""
        ordered, hosts = list(found), self.hosts(cluster)
        if "ShuffleConfig" in self.body:
            seed = f"{self.body['ShuffleConfig']['Seed']}/{epoch}"
            random.Random(seed).shuffle(ordered)  # noqa: S311  the same order for the same seed
        return ordered[hosts.index(host) :: len(hosts)] if self.distribution == "ShardedByS3Key" else ordered


def channels(body: Body) -> list[Channel]:
    """The channels of a training job's record or request."""
    mode = body["AlgorithmSpecification"].get("TrainingInputMode", "File")
    return [Channel(item, item.get("InputMode", mode)) for item in body.get("InputDataConfig", [])]
