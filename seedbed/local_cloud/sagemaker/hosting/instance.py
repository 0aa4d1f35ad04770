"""One container of a variant: started, watched, and started again after a crash."""

import logging
import sqlite3
import threading
import time
import uuid
from contextlib import suppress
from functools import partial
from pathlib import Path

from ...process_identity import process_id
from ..containers.launcher import ContainerSpec
from ..containers.process import Outcome, Stop
from ..errors import JobFailure
from ..jobs import JobServices, failure_reason, fresh_directory, remove_directory
from ..settings import cores
from . import model_data
from .health import free_port, port_that_answers
from .owner import InstanceOutput, Owner
from .plans import VariantPlan

log = logging.getLogger(__name__)

PING_PAUSE = 0.1
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before a container that has crashed is started again; each time twice as long, until it runs that long."""


class Instance:
    """A thread with one container, until it is asked to end.

    keeps_trying: whether it is started again even if it has never answered. once: whether it is never started again.

    port: where it answers now; 0 while it doesn't. in_flight: how many invocations it has now.
    failure: why it was given up, which happens only before it has answered, or `once`; empty otherwise.
    """

    def __init__(
        self,
        services: JobServices,
        owner: Owner,
        plan: VariantPlan,
        *,
        keeps_trying: bool = False,
        once: bool = False,
    ) -> None:
        self._services = services
        self._owner = owner
        self._plan = plan
        self._keeps_trying = keeps_trying
        self._once = once
        self.id = f"i-{uuid.uuid4().hex[:17]}"
        self._output = InstanceOutput(services, owner, f"{plan.name}/{self.id}")
        self.port = 0
        self.in_flight = 0
        self.failure = ""
        self._was_ready = False
        self._late = False
        self._ended = threading.Event()
        self._stop = Stop()

    def start(self) -> None:
        self._stop = self._services.job_threads.start(self._owner.kind, self._thread_name, self._work)
        if self._stop.reason == "shutdown":
            self._ended.set()

    @property
    def is_ready(self) -> bool:
        return self.port != 0

    @property
    def has_ended(self) -> bool:
        return self._ended.is_set()

    @property
    def is_stopping(self) -> bool:
        """Whether it was asked to end, so that what it answers now may be no answer of the model."""
        return self._stop.reason is not None

    def stop(self) -> None:
        """Asks the container to end; `wait_until_ended` waits for that."""
        self._stop.request("stopped")

    def wait_until_ended(self) -> None:
        self._ended.wait()

    @property
    def _thread_name(self) -> str:
        return f"{self._owner.name}/{self.id}"

    def _work(self, stop: Stop) -> None:
        pause = FIRST_PAUSE
        try:
            while stop.reason is None:
                begun = time.monotonic()
                reason = self._attempt(stop)
                self.port = 0
                if stop.reason is not None:
                    return
                if self._once or not (self._was_ready or self._keeps_trying):
                    self.failure = reason
                    return
                pause = FIRST_PAUSE if time.monotonic() - begun > LONGEST_PAUSE else pause
                self._output.note(f"The container has ended and is started again in {pause:.0f} s: {reason}")
                stop.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            self._ended.set()

    def last_lines(self) -> list[str]:
        """What the container said last."""
        return self._output.tail()

    def _attempt(self, stop: Stop) -> str:
        """Runs the container until it ends; returns why it ended."""
        output = self._output
        base = self._services.settings.work_dir(self._owner.kind, self._owner.name) / self.id
        try:
            outcome = self._run(fresh_directory(base) / "ml", stop)
        except JobFailure as failure:
            return str(failure)
        except Exception as error:
            if stop.reason is None:
                log.exception("A container of %s failed with an error of the endpoint", self._owner.name)
            return f"InternalServerError: {error}"
        finally:
            remove_directory(base)
        if self._late:
            said = "\n".join(output.tail()) or "it said nothing"
            return f"it did not answer GET /ping in {self._plan.startup_seconds} s. It said last: {said}"
        return failure_reason("", outcome.exit_code, output.tail(), output.moved_note(self._plan.image, ""))

    def _run(self, base: Path, stop: Stop) -> Outcome:
        services, plan = self._services, self._plan
        services.launcher.ready(plan.image)
        model_data.place(plan.data, base / "model", services.transfer, stop)
        if stop.reason is not None:
            return Outcome(0, stop.reason)
        port, this_time, over = free_port(), Stop(), threading.Event()
        self._late = False
        stop.on_request(lambda: this_time.request(stop.reason or "stopped"))
        begun = partial(self._begun, port, this_time, over)
        try:
            launch = services.launcher.launch(self._container(base, port))
            return services.runner.run(launch, this_time, begun, self._output)
        except OSError as error:
            raise JobFailure(f"ClientError: the image {plan.image} can't be started: {error.strerror}") from error
        finally:
            over.set()
            self._remember(None)

    def _container(self, base: Path, port: int) -> ContainerSpec:
        return ContainerSpec(
            name=f"{self._owner.kind.resource}-{self._owner.name.lower()}-{self.id}",
            image_uri=self._plan.image,
            specification={},
            arguments=["serve"],
            environment=self._plan.environment,
            base=base,
            log_path=self._services.settings.log_path(self._owner.kind, self._owner.name),
            threads=cores(),
            seconds=threading.TIMEOUT_MAX,
            port=port,
        )

    def _begun(self, port: int, this_time: Stop, over: threading.Event, identity: str) -> None:
        """Called with the identity of the container's process."""
        self._remember(identity)
        arguments = (process_id(identity), port, this_time, over)
        threading.Thread(target=self._watch, args=arguments, daemon=True).start()

    def _watch(self, pid: int, port: int, this_time: Stop, over: threading.Event) -> None:
        """Pings the container until it answers, ends, or has had its time."""
        limit = threading.Timer(self._plan.startup_seconds, self._give_up, [this_time])
        limit.daemon = True
        limit.start()
        while not over.wait(PING_PAUSE):
            found = port_that_answers(pid, port)
            if found and not over.is_set():
                self.port, self._was_ready = found, True
                break
        limit.cancel()

    def _give_up(self, this_time: Stop) -> None:
        self._late = True
        this_time.request("stopped")

    def _remember(self, identity: str | None) -> None:
        """Records the container's process, so that the next start can end it if the endpoint crashes."""
        with suppress(sqlite3.OperationalError):  # the disk may be full
            self._services.ledger.store.remember(self._owner.kind, self._owner.name, processes={self.id: identity})
