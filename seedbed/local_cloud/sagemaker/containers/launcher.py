"""How a job's image is run: as a process of this machine, or in a container if a Docker engine answers."""

import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ...passed_environment import named_by_the_person, passed_to_jobs
from ..errors import JobFailure
from ..kinds import Body
from ..settings import EndpointSettings
from .cluster.hosts import ALONE, Cluster
from .docker import Engine, is_for_docker
from .images import Image, dockerfile_of, folder_of, read_image
from .namespaces import NamespaceError, Namespaces, refusal
from .opt_ml import ROOT, add_image_files
from .process import Launch
from .program import moved_list, runnable, search_path
from .python_environments import JobEnvironment, PythonEnvironments

log = logging.getLogger(__name__)

BIND_TO_PORT = "SAGEMAKER_BIND_TO_PORT"
"""Where a container is to listen instead of at 8080. AWS sets it for the containers of a pipeline."""
BIND_TO_HOST = "SEEDBED_BIND_TO_HOST"
HERE = "127.0.0.1"
PATH_LISTS = ("PYTHONPATH", "LD_LIBRARY_PATH")


@dataclass(frozen=True)
class ContainerSpec:
    """What a job needs to run its container.

    name: unique among running containers. specification: the job's AlgorithmSpecification or AppSpecification.
    arguments: what the entrypoint gets if the specification has none. base: the directory that stands for /opt/ml.
    threads: how many its process may use. seconds: how long it may run. cluster: the job's hosts, as its own sees them.
    port: of this machine, for one that serves.
    """

    name: str
    image_uri: str
    specification: Body
    arguments: list[str]
    environment: dict[str, str]
    base: Path
    log_path: Path
    threads: int
    seconds: float
    cluster: Cluster = ALONE
    port: int = 0


class Launcher:
    """Turns container specifications into launches, as the setting `containers` says."""

    def __init__(self, settings: EndpointSettings) -> None:
        self._settings = settings
        self._namespaces = Namespaces(settings.data_dir / "etc")
        self._environments = PythonEnvironments(settings.data_dir / "environments")
        self._lock = threading.Lock()
        self._searched = False
        self._engine: Engine | None = None

    def remove_leftovers(self) -> None:
        if refusal():
            log.warning("Processes find their files below SAGEMAKER_BASE_DIR, not at %s: %s", ROOT, refusal())
        self._environments.remove_leftovers()
        engine = self._find_engine()
        if engine is not None:
            engine.remove_leftovers()

    def close(self) -> None:
        self._namespaces.close()

    def ready(self, image_uri: str) -> None:
        """Builds the image if necessary, before the job's time begins. Raises JobFailure if it can't be run."""
        if self._engine_and_image(image_uri) is None and self._settings.environments:
            self._environments.of_image(read_image(folder_of(image_uri, self._settings.images)))

    def reach(self, image_uri: str, base: Path) -> Path:
        """Links of a job's files may lead to what lies below this: anywhere for a process, `base` for a container."""
        return base if self._engine_and_image(image_uri) else Path("/")

    def reads_pipes(self, image_uri: str) -> bool:
        """Whether the job's program reads named pipes of this machine: not in Docker Desktop's virtual one."""
        found = self._engine_and_image(image_uri)
        return found is None or found[0].shares_network

    def moves_opt_ml(self, image_uri: str) -> bool:
        """Whether a job's files are below SAGEMAKER_BASE_DIR, as it is a process and the system allows no namespace."""
        return bool(refusal()) and self._engine_and_image(image_uri) is None

    def launch(self, job: ContainerSpec) -> Launch:
        """What to run for a job. Raises JobFailure if the image can't be run."""
        folder = folder_of(job.image_uri, self._settings.images)
        found = self._engine_and_image(job.image_uri)
        return self._in_engine(*found, folder, job) if found else self._as_process(folder, job)

    def _engine_and_image(self, image_uri: str) -> tuple[Engine, str] | None:
        """The engine and the image to run in it; None if the image runs as a process."""
        engine = self._find_engine()
        needed = self._settings.containers == "docker"
        if engine is None:
            if needed:
                raise JobFailure("ClientError: No Docker engine answers. Start one, or let jobs run as processes.")
            return None
        try:
            return engine, engine.image(image_uri, folder_of(image_uri, self._settings.images))
        except JobFailure as failure:
            if needed:
                raise
            log.warning("%s runs as a process of this machine: %s", image_uri, failure)
            return None

    def _as_process(self, folder: Path, job: ContainerSpec) -> Launch:
        image = read_image(folder)
        add_image_files(job.base, image.stage.files, self._settings.data_dir)
        seen = job.base if refusal() else Path(ROOT)
        given = environment(image, self._settings, seen, job.threads, job.environment)
        own = self._own_environment(image, job.name)
        given |= own.variables(given["PATH"])
        if job.port:
            given |= {BIND_TO_PORT: str(job.port), BIND_TO_HOST: HERE}
        words = runnable(command(image, job.specification, job.arguments), image, job.base, given["PATH"], seen)
        words = own.telling(words)
        launch = Launch(words, image.working_folder, given, job.log_path, job.seconds, own.close)
        if refusal():
            return launch
        try:
            place = image.working_folder.absolute()
            entry = self._namespaces.entry(words, job.base, place, job.cluster)
        except NamespaceError as error:
            own.close()
            raise JobFailure(f"InternalServerError: {error}") from error

        def clean_up() -> None:
            entry.close()
            own.close()

        return replace(launch, command=entry.command, clean_up=clean_up, end_leftovers=entry.end)

    def _own_environment(self, image: Image, job: str) -> JobEnvironment:
        """The Python environment of a job; Seedbed's where the settings ask for none."""
        if not self._settings.environments:
            return JobEnvironment()
        try:
            return self._environments.of_job(job, image)
        except OSError as error:
            raise JobFailure(f"InternalServerError: no Python environment could be made: {error}") from error

    def _in_engine(self, engine: Engine, image: str, place: Path, job: ContainerSpec) -> Launch:
        settings, own = self._settings, job.specification
        environment = {
            **named_by_the_person(os.environ),
            **thread_limits(job.threads),
            **aws(settings, engine.reachable(settings.endpoint_url)),
            **job.environment,
        }
        name = f"{job.name}-{engine.owner}"
        options = engine.options(name, job.base, environment, settings.stop_grace)
        options += engine.network(job.cluster, job.port)
        start = own.get("ContainerEntrypoint") or []
        if start:
            options += ["--entrypoint", start[0]]
        arguments = [*start[1:], *(own.get("ContainerArguments") or job.arguments)]

        def clean_up() -> None:
            engine.remove(name, image, job.base)
            engine.leave_network(job.cluster)

        return Launch(
            command=["docker", "run", *options, image, *arguments],
            folder=dockerfile_of(place).parent,
            environment={
                **os.environ,
                **{name: value for name, value in environment.items() if not is_for_docker(name)},
            },
            log_path=job.log_path,
            seconds=job.seconds,
            clean_up=clean_up,
        )

    def _find_engine(self) -> Engine | None:
        """The Docker engine, looked for once, and only if the settings allow it."""
        with self._lock:
            if self._settings.containers != "process" and not self._searched:
                self._engine = Engine.find(self._settings.data_dir)
                self._searched = True
            return self._engine


def command(image: Image, specification: Body, arguments: list[str]) -> list[str]:
    """The words that start the image, as Docker finds them.

    The job's own entrypoint or the image's, then the job's own arguments or those of its kind, or else the image's CMD,
    which goes with its own entrypoint alone. Raises JobFailure if there are none.
    """
    own = specification.get("ContainerEntrypoint") or []
    following = specification.get("ContainerArguments") or arguments or ([] if own else image.stage.command)
    words = [*(own or image.entrypoint), *following]
    if not words:
        raise JobFailure(
            f"ClientError: {image.dockerfile} has neither ENTRYPOINT nor CMD, and the job names no program."
        )
    return words


def environment(
    image: Image, settings: EndpointSettings, base: Path, threads: int, job: Mapping[str, str]
) -> dict[str, str]:
    """The process's environment: the allowed part of this program's own, then the image's, then the job's."""
    return {
        **passed_to_jobs(os.environ),
        "PYTHONUNBUFFERED": "1",
        **thread_limits(threads),
        **image.environment,
        **{name: moved_list(image.environment[name], image) for name in PATH_LISTS if name in image.environment},
        "PATH": search_path(image),
        **aws(settings, settings.endpoint_url),
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEMAKER_BASE_DIR": str(base),
        **job,
    }


def thread_limits(threads: int) -> dict[str, str]:
    """Variables that limit a job's threads, so that parallel jobs share the machine's cores."""
    return dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), str(threads))


def aws(settings: EndpointSettings, endpoint_url: str) -> dict[str, str]:
    """Variables with the AWS endpoint, region and credentials for a container."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        **settings.credentials.environment(),
    }
