"""The queue of asynchronous invocations: who is asked next, and what happens to requests that can't be answered."""

import logging
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping

from ...clients import Clients
from ...containers.process import Stop
from ...jobs import JobServices, fresh_directory, remove_directory
from ...kinds import ENDPOINT
from ...records import async_requests
from ...records.async_requests import AsyncRequest
from ..call import NotTaken
from ..deployment import MOST_INVOCATIONS, Deployment, Variant
from ..instance import Instance
from .attempt import Attempt
from .delivery import deliver
from .result import Postponed, Result

log = logging.getLogger(__name__)

LOOK_SECONDS, IDLE_SECONDS = 0.2, 60.0


class AsyncQueue:
    """A thread that sends the waiting requests to the containers of their endpoints, the oldest first.

    A request leaves the queue once it has its result, so one that a crash interrupts is sent again.
    live: the deployments that take invocations, by their endpoints' names in lower case.
    """

    def __init__(self, services: JobServices, clients: Clients, live: Mapping[str, Deployment]) -> None:
        self._services = services
        self._store = services.ledger.store
        self._topics = clients.sns
        self._live = live
        self._chance = random.Random()  # noqa: S311  not for secrets
        self._running: dict[int, str] = {}
        self._changed = threading.Event()
        self._stop = Stop()
        self._thread = threading.Thread(target=self._work, name="sagemaker-async", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Sends nothing more. What is under way and fails from now on stays in the queue."""
        self._stop.request("shutdown")
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def add(self, request: AsyncRequest, payload: bytes) -> bool:
        """Adds a request as the last of its queue; False if its endpoint is gone. payload: empty if it is in S3."""
        added = async_requests.add(self._store, request, payload or None)
        self._changed.set()
        return added

    @property
    def _is_over(self) -> bool:
        return self._stop.reason is not None

    def _work(self) -> None:
        while not self._is_over:
            self._changed.clear()
            waits = True
            try:
                if not self._services.disk.is_short():
                    found = [self._send_waiting(name) for name in async_requests.queues(self._store)]
                    waits = any(found)
            except sqlite3.OperationalError as error:
                log.warning("The asynchronous invocations can't be read yet: %s", error)
            except Exception:
                log.exception("The asynchronous invocations could not be sent; this is repeated")
            self._changed.wait(LOOK_SECONDS if waits else IDLE_SECONDS)

    def _send_waiting(self, endpoint: str) -> bool:
        """Sends as many requests of a queue as its containers take. Returns whether some still wait."""
        deployment = self._live.get(endpoint)
        running = [number for number, name in list(self._running.items()) if name == endpoint]
        waits = False
        for number, request in async_requests.oldest(self._store, endpoint, MOST_INVOCATIONS, running):
            if self._is_over:
                return True
            if time.time() > request.received + request.ttl:
                self._expire(number, request)
            elif waits or deployment is None or len(running) >= MOST_INVOCATIONS:
                waits = True
            else:
                waits = not self._send(number, request, deployment)
                running.append(number)
        return waits

    def _send(self, number: int, request: AsyncRequest, deployment: Deployment) -> bool:
        """Sends a request in a thread of its own; False if no container has room for it."""
        taken = deployment.take_for_queue(self._chance)
        if taken is None:
            return False
        variant, instance = taken
        self._running[number] = request.endpoint.lower()
        try:
            deployment.threads.submit(self._answer, number, request, variant, instance)
        except RuntimeError:  # the deployment has just ended, and its threads with it
            del self._running[number]
            variant.give_back(instance)
            return False
        return True

    def _answer(self, number: int, request: AsyncRequest, variant: Variant, instance: Instance) -> None:
        """Sends a request to a container that was taken for it."""

        def ask(attempt: Attempt) -> Result:
            payload = b"" if request.input else async_requests.payload(self._store, number)
            return attempt.ask(instance.port, payload)

        try:
            self._settle(number, request, ask, lambda: instance.is_stopping)
        finally:
            variant.give_back(instance)
            del self._running[number]
            self._changed.set()

    def _expire(self, number: int, request: AsyncRequest) -> None:
        """Ends a request that has waited too long."""
        reason = f"ClientError: The request has expired: it waited for more than {request.ttl} s."
        self._settle(number, request, lambda attempt: attempt.failed(reason), lambda: False)

    def _settle(
        self,
        number: int,
        request: AsyncRequest,
        result_of: Callable[[Attempt], Result],
        is_stopping: Callable[[], bool],
    ) -> None:
        """Gives a request its result, unless it has to wait for another container or for space on the disk."""
        folder = self._services.settings.work_dir(ENDPOINT, request.endpoint) / f"async-{number}"
        try:
            attempt = Attempt(self._services, request, fresh_directory(folder), lambda: self._is_over or is_stopping())
            deliver(attempt, result_of(attempt), self._topics)
            disk_retry = self._services.disk_retry(ENDPOINT, request.endpoint, self._stop)
            disk_retry.until_recorded(lambda: async_requests.remove(self._store, number))
        except Exception as reason:
            if isinstance(reason, NotTaken | Postponed | OSError | sqlite3.Error):
                log.info("The invocation %s waits: %s", request.inference_id, reason)
            else:
                log.exception("The invocation %s failed with an error of the endpoint; it waits", request.inference_id)
            time.sleep(LOOK_SECONDS)
        finally:
            remove_directory(folder)
