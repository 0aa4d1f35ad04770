"""A Docker engine, used through the `docker` command: it builds images from folders and runs jobs in containers."""

import contextlib
import hashlib
import json
import logging
import os
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import JobFailure
from .cluster.hosts import ALONE, Cluster
from .images import dockerfile_of, repository_of
from .opt_ml import ROOT

log = logging.getLogger(__name__)

ANSWER_SECONDS = 3
COMMAND_SECONDS = 60
BUILD_SECONDS = 3600
LABEL = "seedbed.sagemaker"
OUTSIDE = "host.docker.internal"
SERVED_PORT = 8080


@dataclass
class Engine:
    """An engine that answers.

    owner: a label on this endpoint's containers, by which it finds them after a crash.
    shares_network: whether containers can use this machine's network. Docker Desktop's run in a virtual machine.
    """

    owner: str
    shares_network: bool
    _images: dict[Path, str | JobFailure] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def find(cls, data_dir: Path) -> "Engine | None":
        """The engine that the `docker` command uses; None if there is none or it doesn't answer in time."""
        try:
            answer = _docker(["info", "--format", "{{json .}}"], ANSWER_SECONDS)
            about = json.loads(answer.stdout or "{}")
        except (OSError, subprocess.TimeoutExpired, ValueError):
            return None
        if answer.returncode != 0 or not about.get("ServerVersion"):
            return None
        owner = hashlib.sha256(str(data_dir).encode()).hexdigest()[:16]
        return cls(owner, shares_network="desktop" not in about.get("OperatingSystem", "").lower())

    def image(self, uri: str, folder: Path) -> str:
        """The image to run for a URI: the engine's image of that name, or one that is built from the folder.

        It is built once while the endpoint runs. Raises JobFailure if it can't be built.
        """
        with self._lock:
            if folder not in self._images:
                self._images[folder] = self._find_or_build(uri, folder)
            found = self._images[folder]
        if isinstance(found, JobFailure):
            raise JobFailure(str(found))
        return found

    def _find_or_build(self, uri: str, folder: Path) -> str | JobFailure:
        try:
            if _docker(["image", "inspect", "--format", "{{.Id}}", uri], COMMAND_SECONDS).returncode == 0:
                return uri
            return self._build(uri, folder)
        except JobFailure as failure:
            return failure
        except (OSError, subprocess.TimeoutExpired) as error:
            return JobFailure(f"ClientError: Docker has not built {folder} in time: {error}")

    def _build(self, uri: str, folder: Path) -> str:
        tag = f"seedbed-local/{repository_of(uri).lower()}"
        path = dockerfile_of(folder)
        own_name = [] if path.name == "Dockerfile" else ["--file", str(path)]
        built = _docker(["build", "--quiet", "--tag", tag, *own_name, str(path.parent)], BUILD_SECONDS)
        if built.returncode != 0:
            raise JobFailure(f"ClientError: Docker can't build {folder}: {built.stderr.strip()[-600:]}")
        return tag

    def options(self, name: str, base: Path, environment: Mapping[str, str], grace: float) -> list[str]:
        """The options of `docker run` for a container whose /opt/ml is `base`, but for those of its network.

        Other users of the machine can read a command, so it only names variables; `docker` takes their values from its
        own environment. The variables that `docker` itself reads there are given with their values.
        """
        options = ["--rm", "--name", name, "--label", f"{LABEL}={self.owner}", "--stop-timeout", str(round(grace))]
        options += ["--volume", f"{base}:{ROOT}"]
        for key, value in environment.items():
            options += ["--env", f"{key}={value}" if is_for_docker(key) else key]
        return options

    def network(self, cluster: Cluster = ALONE, port: int = 0) -> list[str]:
        """Options with which a job's hosts find each other, and this machine.

        cluster: the job's hosts, as the container's own sees them. port: of this machine, which is to lead to the
        container's 8080; the container then has a network of its own.
        """
        return ["--hostname", cluster.current.name, *self._connected(cluster, port)]

    def _connected(self, cluster: Cluster, port: int) -> list[str]:
        known = [word for one in cluster.hosts for word in ("--add-host", f"{one.name}:{one.address}")]
        if port:
            published = ["--publish", f"127.0.0.1:{port}:{SERVED_PORT}"]
            return [*known, "--add-host", f"{OUTSIDE}:host-gateway", *published]
        if self.shares_network:
            return [*known, "--network", "host"]
        outside = ["--add-host", f"{OUTSIDE}:host-gateway"]
        if len(cluster.hosts) == 1:
            return [*known, *outside]
        name = self._network_of(cluster)
        self._quietly(["network", "create", "--label", f"{LABEL}={self.owner}", name])
        return ["--network", name, "--network-alias", cluster.current.name, *outside]

    def _network_of(self, cluster: Cluster) -> str:
        """The name of a job's own network, made from its hosts' addresses."""
        return f"{self.owner}-{cluster.hosts[0].address}"

    def leave_network(self, cluster: Cluster) -> None:
        """Removes a job's own network, if it has one and no container of the job is left in it."""
        if len(cluster.hosts) > 1 and not self.shares_network:
            self._quietly(["network", "rm", self._network_of(cluster)])

    def reachable(self, url: str) -> str:
        """A URL of this machine as containers reach it."""
        return url if self.shares_network else f"http://{OUTSIDE}:{urlsplit(url).port}"

    def remove(self, name: str, image: str, base: Path) -> None:
        """Removes the container if it still exists, and takes ownership of the files that it wrote as root."""
        self._quietly(["rm", "--force", "--volumes", name])
        if any(path.lstat().st_uid != os.getuid() for path in base.rglob("*")):
            owner = f"{os.getuid()}:{os.getgid()}"
            options = [
                "--rm",
                "--user",
                "0",
                "--network",
                "none",
                "--volume",
                f"{base}:{ROOT}",
                "--entrypoint",
                "chown",
            ]
            self._quietly(["run", *options, image, "-R", owner, ROOT])

    def remove_leftovers(self) -> None:
        """Removes the containers of an earlier endpoint with the same data directory."""
        found = self._quietly(["ps", "--all", "--quiet", "--filter", f"label={LABEL}={self.owner}"])
        if found.split():
            self._quietly(["rm", "--force", "--volumes", *found.split()])
        if not self.shares_network:
            self._quietly(["network", "prune", "--force", "--filter", f"label={LABEL}={self.owner}"])

    @staticmethod
    def _quietly(words: list[str]) -> str:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            return _docker(words, COMMAND_SECONDS).stdout
        log.warning("The Docker engine did not answer in time: docker %s", words[0])
        return ""


def is_for_docker(name: str) -> bool:
    """Whether the `docker` command itself reads a variable."""
    return name in {"PATH", "HOME", "SSH_AUTH_SOCK"} or name.startswith("DOCKER_")


def _docker(words: list[str], seconds: float) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["docker", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds,
        check=False,
    )
