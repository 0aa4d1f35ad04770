"""The calls of a transform job to its containers, and which of them are repeated."""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from ..errors import JobFailure
from ..hosting.call import Answer, CallFailed, NotTaken, call
from ..hosting.instance import Instance
from ..kinds import Body
from .parameters import MB, MOST_MB

CALL_SECONDS, RETRIES = 600, 3
"""SageMaker's defaults for an answer and for repeated calls."""
FIRST_PAUSE = 0.5
SAID = 300


class Sender:
    """Sends payloads to the containers of a job, each to the one that has the fewest, or had the fewest until now.

    client: the job's ModelClientConfig. calls: how many there are at once, at most.
    """

    def __init__(self, instances: Sequence[Instance], headers: Mapping[str, str], client: Body, calls: int) -> None:
        self.calls = calls
        self._instances = instances
        self._headers = headers
        self._seconds = client.get("InvocationsTimeoutInSeconds", CALL_SECONDS)
        self._retries = client.get("InvocationsMaxRetries", RETRIES)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._had: Counter[str] = Counter()

    def close(self) -> None:
        """Lets no call begin any more. Those that run end with their containers."""
        self._closing.set()

    @property
    def is_over(self) -> bool:
        """Whether there is no sense in sending more: it is closed, or a container has ended."""
        return self._closing.is_set() or any(instance.has_ended for instance in self._instances)

    def send(self, payload: bytes) -> bytes:
        """The answer to a payload. Raises JobFailure once it has failed as often as it may, or is refused."""
        fault = "it was stopped"
        for attempt in range(self._retries + 1):
            if self.is_over or (attempt and self._closing.wait(FIRST_PAUSE * 2 ** (attempt - 1))):
                break
            instance = self._take()
            try:
                answer = call(instance.port, payload, self._headers, self._seconds, MOST_MB * MB)
                if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
                    return answer.body
                fault = f"the container answered {answer.status}: {_said(answer)}"
                if not _passes(answer):
                    break
            except NotTaken:
                fault = "the container takes no connection"
            except CallFailed as error:
                fault = str(error)
            finally:
                self._give_back(instance)
        raise JobFailure(fault)

    def _take(self) -> Instance:
        with self._lock:
            chosen = min(self._instances, key=lambda one: (not one.is_ready, one.in_flight, self._had[one.id]))
            if not chosen.is_ready:
                raise JobFailure("the container has ended")
            chosen.in_flight += 1
            self._had[chosen.id] += 1
            return chosen

    def _give_back(self, instance: Instance) -> None:
        with self._lock:
            instance.in_flight -= 1


def _passes(answer: Answer) -> bool:
    """Whether a failed call may succeed later."""
    return answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status == HTTPStatus.TOO_MANY_REQUESTS


def _said(answer: Answer) -> str:
    return answer.body[:SAID].decode(errors="replace") or "nothing"
