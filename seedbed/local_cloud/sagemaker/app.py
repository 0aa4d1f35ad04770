"""The endpoint: SageMaker's JSON 1.1 protocol over ASGI, and the start and stop of everything behind it."""

import asyncio
import json
import logging
import re
import sqlite3
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..access.credentials import Credentials
from .clients import Clients
from .cloudwatch import RegionalCloudWatch
from .containers.launcher import Launcher
from .containers.process import ProcessRunner, kill_leftover
from .disk import Disk
from .errors import ApiError
from .events.publisher import EventPublisher
from .experiments import measurements
from .hosting.async_inference.queue import AsyncQueue
from .hosting.changes import Changes
from .hosting.endpoints import Endpoints
from .hosting.invocations import Invocations, is_runtime
from .jobs import JobServices, JobThreads, remove_directory
from .kinds import ENDPOINT, JOBS, PROCESSING, TRAINING, TRANSFORM, TUNING, Body, Kind
from .maintenance import Maintenance
from .operations import Operations
from .processing.operations import ProcessingJobs
from .records.database_file import repair
from .records.ledger import Ledger
from .records.store import JobRecord, Store
from .s3.cache import Cache
from .s3.transfer import DataTransfer
from .settings import INSTANCES, EndpointSettings
from .training import spot
from .training.operations import TrainingJobs
from .transform.operations import TransformJobs
from .tuning.operations import TuningJobs

log = logging.getLogger(__name__)

TARGET = "SageMaker."
# The region in a signature's credential scope: access key/date/region/service/aws4_request.
SCOPE = re.compile(r"Credential=[^/,\s]+/\d{8}/([a-z0-9-]+)/")
BODY_BYTES = 8 * 2**20
CLOSING_SECONDS = 10.0
ANSWERS = 16


class SageMaker:
    """SageMaker's jobs and endpoints on this machine, as an ASGI application.

    The arguments are those of EndpointSettings. `endpoint_url` is usually this application's own server.

    `start` resumes the jobs that an earlier run left in progress, so call it when S3 answers. `stop` ends all
    processes; their jobs stay in progress and run again at the next start. Call it while the server still answers.

    notes: sentences for a person about records that were damaged.
    """

    def __init__(  # noqa: PLR0913  the endpoint's whole configuration
        self,
        data_dir: Path,
        images: Mapping[str, Path],
        endpoint_url: str,
        region: str,
        credentials: Credentials,
        *,
        account: str = "000000000000",
        stop_grace: float = 120.0,
        containers: str = "process",
        environments: bool = True,
        instances: int = INSTANCES,
    ) -> None:
        settings = EndpointSettings(
            data_dir=Path(data_dir).resolve(),
            images=images,
            endpoint_url=endpoint_url,
            region=region,
            account=account,
            credentials=credentials,
            stop_grace=stop_grace,
            containers=containers,
            environments=environments,
            instances=instances,
        )
        self._settings = settings
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        records = settings.data_dir / "jobs.db"
        self.notes = repair(records)
        for note in self.notes:
            log.warning("%s", note)
        self._store = Store(records)
        # Read now: a job that is created before the start gets its own thread.
        self._unfinished = {kind: self._store.in_progress(kind) for kind in (*JOBS, ENDPOINT)}
        self._ledger = Ledger(self._store, settings)
        clients = Clients(settings)
        self._publisher = EventPublisher(self._store, self._ledger.posted, clients)
        self._cloudwatch = RegionalCloudWatch(clients, settings)
        self._transfer = DataTransfer(clients, Cache(settings.data_dir / "cache", settings.cache_bytes))
        self._job_threads = JobThreads()
        self._runner = ProcessRunner(stop_grace)
        self._launcher = Launcher(settings)
        self.disk = Disk(settings.data_dir)
        self._services = services = JobServices(
            settings=settings,
            ledger=self._ledger,
            transfer=self._transfer,
            cloudwatch=self._cloudwatch,
            launcher=self._launcher,
            runner=self._runner,
            job_threads=self._job_threads,
            disk=self.disk,
        )
        self._training = TrainingJobs(services)
        self._transform = TransformJobs(services)
        self._jobs: dict[Kind, Any] = {
            PROCESSING: ProcessingJobs(services),
            TRAINING: self._training,
            TUNING: TuningJobs(services, self._training),
            TRANSFORM: self._transform,
        }
        # Threads of its own: those that wait for S3 must not take the ones in which S3 answers.
        self._answers = ThreadPoolExecutor(ANSWERS, thread_name_prefix="sagemaker-answer")
        self._endpoints = Changes(services)
        self._queue = AsyncQueue(services, clients, self._endpoints.live)
        self._invocations = Invocations(self._endpoints.live, settings, self._queue)
        endpoints = Endpoints(services, self._endpoints)
        self._operations = Operations(services, self._jobs, endpoints)
        self._maintenance = Maintenance(self._store, self._job_threads, self.disk, self._resume)

    async def start(self) -> None:
        self._publisher.start()
        self._cloudwatch.start()
        await asyncio.to_thread(self._recover)
        self._queue.start()
        self._maintenance.start()

    async def stop(self) -> None:
        await asyncio.to_thread(self._close)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request."""
        if is_runtime(scope):
            await self._invocations(scope, receive, send)
            return
        request = Request(scope, receive)
        target = request.headers.get("x-amz-target") or f"{request.method} {scope['path']}"
        status = 200
        try:
            content = await asyncio.get_running_loop().run_in_executor(
                self._answers, self._answer, target, await _read_body(request), self._region(request)
            )
        except ClientDisconnect:
            return
        except ApiError as error:
            status, content = 400, _error(error.code, error.message)
        except sqlite3.OperationalError as error:
            log.warning("%s was refused: %s", target, error)
            message = f"Nothing can be recorded now: {error}. {self.disk.sentence()}"
            status, content = 507, _error("ServiceUnavailable", message)
        except Exception:
            log.exception("%s failed with an error of the endpoint", target)
            status, content = 500, _error("InternalFailure", "The endpoint has failed. Its log says why.")
        headers = {"x-amzn-requestid": str(uuid.uuid4())}
        response = Response(json.dumps(content), status, headers, media_type="application/x-amz-json-1.1")
        await response(scope, receive, send)

    def _region(self, request: Request) -> str:
        """The region for which the client signed the request."""
        signed = SCOPE.search(request.headers.get("authorization", ""))
        return signed[1] if signed else self._settings.region

    def _answer(self, target: str, body: bytes, region: str) -> Body:
        if target == f"POST {spot.PATH}":
            return spot.interrupt(self._services, _parse(body))
        if target == f"PUT {measurements.PATH}":
            return self._operations.put_metrics(_parse(body))
        try:
            return self._operations.call(target.removeprefix(TARGET), _parse(body), region)
        except RecursionError:
            raise ApiError("The request is nested too deeply.") from None

    def _recover(self) -> None:
        """Ends the processes that survived a crash, and resumes the jobs that had not ended."""
        self._launcher.remove_leftovers()
        for kind in (PROCESSING, TRAINING):
            for job in self._unfinished[kind]:
                for process in job.private.get("processes", []):
                    kill_leftover(process)
                remove_directory(self._settings.work_dir(kind, job.body[kind.name_field]))
        self._transform.end_leftovers(self._unfinished[TRANSFORM])
        self._endpoints.recover(self._unfinished[ENDPOINT])
        for kind in JOBS:
            for job in self._unfinished[kind]:
                if kind is not TRAINING or job.parent is None:  # a tuning job resumes its own
                    with suppress(sqlite3.OperationalError):  # maintenance resumes it once the disk has space
                        self._resume(kind, job)

    def _resume(self, kind: Kind, job: JobRecord) -> None:
        """Runs a recorded job that has not ended and has no process."""
        name = job.body[kind.name_field]
        if kind is TRAINING:
            self._training.recover(job.body)
        else:
            self._jobs[kind].start(name)

    def _close(self) -> None:
        self._maintenance.stop(CLOSING_SECONDS)
        self._queue.stop(CLOSING_SECONDS)
        self._job_threads.shutdown(CLOSING_SECONDS)
        self._publisher.stop(CLOSING_SECONDS)
        self._cloudwatch.stop(CLOSING_SECONDS)
        self._transfer.close()
        self._runner.close()
        self._launcher.close()
        self._answers.shutdown(wait=False, cancel_futures=True)
        self._store.close()


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body or b"{}")
    except ValueError:
        raise ApiError("The request's body is not JSON.") from None


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            raise ApiError(f"The request's body is larger than {BODY_BYTES} bytes.")
    return bytes(body)


def _error(code: str, message: str) -> Body:
    return {"__type": code, "Message": message, "message": message}
