"""The processes of a job's hosts, run together: when one fails, the others are ended too."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ...errors import JobFailure
from ..output import Listener
from ..process import Launch, Outcome, ProcessRunner, Stop


@dataclass(frozen=True)
class HostLaunch:
    """What to run on one host, and who hears its output."""

    launch: Launch
    listener: Listener


class ClusterRun:
    """One attempt of a job on all its hosts. stop: ends all of them. on_start: called with the identities so far."""

    def __init__(self, runner: ProcessRunner, stop: Stop, on_start: Callable[[list[str]], None]) -> None:
        self._runner = runner
        self._stop = stop
        self._on_start = on_start
        self._lock = threading.Lock()
        self._stops: list[Stop] = []
        self._identities: list[str] = []
        self._outcomes: list[Outcome] = []
        self._faults: list[BaseException] = []
        self._left = 0
        self._over = threading.Event()

    def end(self, reason: str = "failed") -> None:
        """Ends all hosts' processes."""
        for stop in self._stops:
            stop.request(reason)

    def run(self, launches: Sequence[HostLaunch]) -> Outcome:
        """Blocks until all processes have ended; they are stopped when their time is up or `stop` is requested.

        Returns how the job ended: as the first host that failed did, else as one that was stopped, else as the first.
        Raises JobFailure if a process can't be started.
        """
        self._stops = [Stop() for _ in launches]
        self._left = len(launches)
        threads = [
            threading.Thread(target=self._host, args=(index, item), name="sagemaker-host", daemon=True)
            for index, item in enumerate(launches)
        ]
        for thread in threads:
            thread.start()
        self._stop.on_request(lambda: self.end(self._stop.reason or "failed"))
        if not self._over.wait(max(0.0, min(item.launch.seconds for item in launches))):
            self.end("timeout")
        for thread in threads:
            thread.join()
        if self._faults:
            raise self._faults[0]
        return self._decisive()

    def _decisive(self) -> Outcome:
        failed = [one for one in self._outcomes if one.exit_code and not one.ended_by]
        stopped = [one for one in self._outcomes if one.ended_by not in (None, "failed")]
        return (failed or stopped or self._outcomes)[0]

    def _host(self, index: int, item: HostLaunch) -> None:
        launch = replace(item.launch, seconds=threading.TIMEOUT_MAX)
        try:
            self._runner.run(
                launch, self._stops[index], self._started, item.listener, lambda one: self._ended(index, one)
            )
        except OSError as error:
            words = f"{launch.command[0]} can't be started in {launch.folder}: {error.strerror}"
            self._fault(JobFailure(f"ClientError: {words}"))
        except BaseException as error:  # noqa: BLE001  raised again in the job's own thread
            self._fault(error)
        finally:
            with self._lock:
                self._left -= 1
                if not self._left:
                    self._over.set()

    def _started(self, identity: str) -> None:
        with self._lock:
            self._identities.append(identity)
            self._on_start(self._identities)

    def _ended(self, index: int, outcome: Outcome) -> None:
        with self._lock:
            self._outcomes.append(replace(outcome, host=index))
        if outcome.exit_code and not outcome.ended_by:
            self.end()

    def _fault(self, error: BaseException) -> None:
        with self._lock:
            self._faults.append(error)
        self.end()
