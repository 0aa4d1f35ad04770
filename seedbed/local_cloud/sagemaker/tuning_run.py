"""The loop of one tuning job: ask the search, start training jobs, tell it how they did, until all are done."""

import contextlib
import hashlib
import logging
import queue
from dataclasses import dataclass

from .container import REASON_LENGTH
from .early_stopping import should_stop
from .errors import Invalid
from .jobs import Workshop
from .kinds import ENDED, TRAINING, TUNING, Body, cores
from .ledger import now
from .limits import Limits
from .ranges import read_ranges
from .runner import Stop
from .strategies import Search
from .training import TrainingJobs
from .training_run import Watcher

log = logging.getLogger(__name__)

INHERITED = [
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "VpcConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "Environment",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "RetryStrategy",
]
Result = tuple[int, Body, list[float]]


@dataclass
class Trial(Watcher):
    """One training job of the loop. Its threads call `reported` and `ended`; the loop reads the results."""

    run: "TuningRun"
    number: int
    name: str
    objective: str
    threads: int

    def reported(self, series: list[float], stop: Stop) -> None:
        run = self.run
        if run.early_stopping and stop.reason is None and should_stop(series, list(run.series.values()), run.maximize):
            run.ask_child(self.name, "early")

    def ended(self, body: Body, series: list[float]) -> None:
        value = objective_of(body, self.objective)
        store = self.run.shop.ledger.store
        store.set_objective(TRAINING, self.name, "Failed" if value is None else "Succeeded", value)
        store.remember(TRAINING, self.name, series=series)
        self.run.results.put((self.number, body, series))


class TuningRun:
    """One tuning job from its record on: new, or left in progress by an endpoint that died."""

    def __init__(self, shop: Workshop, training_jobs: TrainingJobs, name: str, stop: Stop) -> None:
        self.shop = shop
        self._training_jobs = training_jobs
        self._name = name
        self._stop = stop
        job = shop.ledger.find(TUNING, name)
        self._body = job.body
        config = self._body["HyperParameterTuningJobConfig"]
        objective = config["HyperParameterTuningJobObjective"]
        self._metric: str = objective["MetricName"]
        self.maximize: bool = objective["Type"] == "Maximize"
        self.early_stopping: bool = config.get("TrainingJobEarlyStoppingType") == "Auto"
        self._limits = Limits.read(config, self._body["CreationTime"])
        ranges = read_ranges(config["ParameterRanges"])
        self._search = Search(ranges, config["Strategy"], self.maximize, job.private["seed"])
        self.series: dict[int, list[float]] = {}
        self.results: queue.SimpleQueue[Result | None] = queue.SimpleQueue()
        self._running: dict[int, str] = {}
        self._launched = 0
        self._objectives: list[float | None] = []
        self._last_failure = ""
        self._closing = ""

    def work(self) -> None:
        """Blocks until the tuning job has ended or the endpoint shuts down."""
        try:
            self._stop.when_asked(lambda: self.results.put(None))
            if self.shop.ledger.find(TUNING, self._name).body["HyperParameterTuningJobStatus"] == "Stopping":
                self._close("Stopped")
            self._add_priors()
            self._resume()
            self._loop()
        except Exception as error:
            if self._stop.reason == "shutdown":
                return
            log.exception("The tuning job %s ended in an error of the endpoint's own", self._name)
            for child in self._running.values():
                self.ask_child(child, "stopped")
            self._finish("Failed", f"InternalServerError: {error}")

    def ask_child(self, name: str, reason: str) -> None:
        with contextlib.suppress(Invalid):  # it has just ended
            self.shop.ledger.begin_stop(TRAINING, name)
        self.shop.running.ask_stop(TRAINING, name, reason)

    def _loop(self) -> None:
        while True:
            while (
                not self._closing and self._launched < self._limits.jobs and len(self._running) < self._limits.parallel
            ):
                self._launch()
            if not self._running:
                self._finish(*self._verdict())
                return
            try:
                result = self.results.get(timeout=None if self._closing else self._limits.seconds_left())
            except queue.Empty:
                self._close("Completed")
                continue
            if self._stop.reason == "shutdown":
                return
            if result is None:
                self._close("Stopped")
            else:
                self._take(*result)

    def _launch(self) -> None:
        number = self._launched + 1
        tuned = self._search.ask(number)
        definition = self._body["TrainingJobDefinition"]
        name = child_name(self._name, number)
        static = definition.get("StaticHyperParameters", {})
        body = {
            **{field: definition[field] for field in INHERITED if field in definition},
            "TrainingJobName": name,
            "HyperParameters": {**static, **tuned, "_tuning_objective_metric": self._metric},
            "TuningJobArn": self._body["HyperParameterTuningJobArn"],
        }
        tags = self.shop.ledger.store.tags(self._body["HyperParameterTuningJobArn"])
        self.shop.ledger.create(TRAINING, body, tags, self._name, number, tuned=tuned, tuning_job=self._name)
        self._launched = number
        self._start(number, name)

    def _start(self, number: int, name: str) -> None:
        self._running[number] = name
        threads = max(1, cores() // min(self._limits.parallel, self._limits.jobs))
        self._training_jobs.start(name, Trial(self, number, name, self._metric, threads))

    def _take(self, number: int, body: Body, series: list[float]) -> None:
        """A training job has ended."""
        self._running.pop(number, None)
        self.series[number] = series
        objective = objective_of(body, self._metric)
        self._objectives.append(objective)
        self._last_failure = body.get("FailureReason", self._last_failure)
        self._search.tell(number, objective)
        if not self._closing and self._limits.reached(self._objectives, self.maximize):
            self._close("Completed")

    def _close(self, status: str) -> None:
        """Nothing new is started from here on, and what runs is told to stop. Being stopped outranks being complete."""
        if not self._closing or status == "Stopped":
            self._closing = status
        for child in list(self._running.values()):
            self.ask_child(child, "stopped")

    def _verdict(self) -> tuple[str, str]:
        if self._closing == "Stopped" or any(value is not None for value in self._objectives):
            return self._closing or "Completed", ""
        if self._last_failure:
            return "Failed", f"All training jobs failed. The last one said: {self._last_failure}"
        return (
            "Failed",
            f"No training job reported the objective metric '{self._metric}'. Check its regular expression.",
        )

    def _finish(self, status: str, reason: str) -> None:
        def end(body: Body) -> None:
            body.update(HyperParameterTuningJobStatus=status, HyperParameterTuningEndTime=now())
            if reason:
                body["FailureReason"] = reason[:REASON_LENGTH]

        self.shop.ledger.change(TUNING, self._name, end)

    def _add_priors(self) -> None:
        """Warm start: what the parents' training jobs found."""
        for parent in self._body.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", []):
            for job in self.shop.ledger.store.children(parent["HyperParameterTuningJobName"]):
                if job.objective is not None:
                    self._search.add_prior(job.body["HyperParameters"], job.objective)

    def _resume(self) -> None:
        """Takes up the training jobs of before the endpoint's last start; those that had not ended run again."""
        for job in self.shop.ledger.store.children(self._name):
            number, name = job.number or 0, job.body["TrainingJobName"]
            self._launched = number
            self._search.resume(number, job.private["tuned"])
            if job.body["TrainingJobStatus"] == "InProgress" and not self._closing:
                self._start(number, name)
                continue
            body = job.body if job.body["TrainingJobStatus"] in ENDED else self._training_jobs.end_stopped(name)
            if job.objective_status is None:
                self.shop.ledger.store.set_objective(TRAINING, name, "Failed", None)
            self._take(number, body, job.private.get("series", []))


def child_name(tuning_job: str, number: int) -> str:
    """The name of a tuning job's n-th training job: always the same one."""
    digest = hashlib.sha256(f"{tuning_job}/{number}".encode()).hexdigest()[:8]
    return f"{tuning_job}-{number:03d}-{digest}"


def objective_of(body: Body, metric: str) -> float | None:
    """A training job's last value of the metric; None for one that failed or reported none."""
    if body["TrainingJobStatus"] == "Failed":
        return None
    values = [item["Value"] for item in body.get("FinalMetricDataList", []) if item["MetricName"] == metric]
    return values[0] if values else None
