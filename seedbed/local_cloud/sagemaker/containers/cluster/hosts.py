"""The hosts of a job, as its ResourceConfig or ClusterConfig asks for them."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ...kinds import Body

LOOPBACK = "127.0.0.1"
ONLY_GROUP = "homogeneousCluster"


@dataclass(frozen=True)
class Host:
    """One instance of a job. number: from 1. group: its instance group. address: where the others reach it."""

    number: int
    group: str
    instance_type: str
    address: str = LOOPBACK

    @property
    def name(self) -> str:
        """Its host name, as SageMaker gives it."""
        return f"algo-{self.number}"


FIRST = Host(1, ONLY_GROUP, "local")


@dataclass(frozen=True)
class Cluster:
    """All hosts of a job, at least one, as one of them sees them. current: that one."""

    hosts: Sequence[Host] = (FIRST,)
    current: Host = FIRST

    @classmethod
    def of(cls, asked: Body, job: str) -> "Cluster":
        """The hosts that a ResourceConfig or ClusterConfig asks for. job: the job's name, for their addresses."""
        hosts: list[Host] = []
        several = instances(asked) > 1
        for group in groups(asked):
            for _ in range(_count(group)):
                number = len(hosts) + 1
                address = f"{_network(job)}.{number}" if several else LOOPBACK
                name = group.get("InstanceGroupName", ONLY_GROUP)
                hosts.append(Host(number, name, group.get("InstanceType", "local"), address))
        return cls(tuple(hosts), hosts[0])

    def seen_by(self, host: Host) -> "Cluster":
        """The same hosts as another of them sees them."""
        return replace(self, current=host)

    def of_groups(self, names: Collection[str]) -> list[Host]:
        """The hosts of these groups; without names, all."""
        return [host for host in self.hosts if not names or host.group in names]

    def resource_config(self) -> Body:
        """What the current host reads in its resourceconfig.json."""
        kinds = {host.group: host.instance_type for host in self.hosts}
        return {
            "current_host": self.current.name,
            "hosts": _names(self.hosts),
            "current_instance_type": self.current.instance_type,
            "current_group_name": self.current.group,
            "instance_groups": [
                {"instance_group_name": name, "instance_type": kind, "hosts": _names(self.of_groups([name]))}
                for name, kind in kinds.items()
            ],
            "network_interface_name": "lo",
        }


ALONE = Cluster()


def groups(asked: Body) -> list[Body]:
    """The instance groups of a ResourceConfig; without any, it is itself the only one, or the first it would prefer."""
    given: list[Body] = asked.get("InstanceGroups", [])
    preferred: list[Body] = asked.get("InstancePreferences", [])
    return given or [{**asked, **one} for one in preferred[:1]] or [asked]


def instances(asked: Body) -> int:
    """How many instances a ResourceConfig or ClusterConfig asks for."""
    return sum(map(_count, groups(asked)))


def _count(group: Body) -> int:
    return max(1, int(group.get("InstanceCount", 1)))


def _names(hosts: Sequence[Host]) -> list[str]:
    """As SageMaker sorts them: algo-10 stands before algo-2."""
    return sorted(host.name for host in hosts)


def _network(job: str) -> str:
    """The first three numbers of a job's own loopback addresses, so that jobs can use the same ports side by side."""
    digest = hashlib.sha256(job.lower().encode()).digest()
    return f"127.{1 + digest[0] % 254}.{digest[1]}"
