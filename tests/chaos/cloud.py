"""The deployed stack in memory on a virtual clock: what wakes which function, and what becomes of its messages."""

import json
import logging
from dataclasses import replace
from datetime import datetime, timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError
from botocore.exceptions import ClientError, ReadTimeoutError

import advance_run
import api
import note_upload
import notify
import reconcile
import start_run
from job_manager.aws.dynamodb import DynamoDBRuns
from job_manager.aws.s3 import S3Bucket
from job_manager.aws.sagemaker import SageMakerJobs
from job_manager.aws.sagemaker_requests import JobRequests
from job_manager.aws.sns import SNSAnnouncer
from job_manager.aws.sqs import SQSSettleTimer
from job_manager.domain.errors import MalformedEvent
from job_manager.domain.plan import Plan
from job_manager.domain.run import PREFIX, RunState
from tests.chaos.faults import Crash, Faults, Flaky
from tests.chaos.queues import MemoryQueue, MemoryStream, QueuedMessage
from tests.chaos.sagemaker import Account, MemorySageMaker, SimulatedJob
from tests.chaos.storage import MemoryStorage
from tests.chaos.table import Item, MemoryTable
from tests.chaos.topic import MemoryTopic
from tests.chaos.watch import ENDS, Watch
from tests.fakes.neighbours import MemoryClock, MemoryMetrics, SteppedClock
from tests.fakes.world import FULL_PLAN, RULE
from tests.handlers.deployed import LambdaContext

SMALL_PLAN = replace(
    FULL_PLAN,
    trials=2,
    minimum_images=3,
    minimum_per_label=1,
    trial_time_limit=600,
    tuning_time_limit=1800,
    processing_time_limit=900,
)
MANY_IMAGES = replace(SMALL_PLAN, prepare_instances=2, images_per_instance=2, head_sample=1)
"""The plan of runs that prepare on several instances, and tune heads on a sample."""
RECONCILE_EVERY = timedelta(minutes=5)
STREAM_BATCH = 10
TOLD_OF = {state.value for state in RunState if state.ended or state is RunState.PREPARING}
FORESEEN = (ClientError, ReadTimeoutError, MalformedEvent, BatchProcessingError)
QUIET = logging.Logger("nobody hears this", logging.CRITICAL + 1)
CONTEXT = LambdaContext()


class Cloud:
    """Everything that the template deploys, and SageMaker; `faults` strike what the functions ask of it.

    `beside` is an earlier stack of the same account: both have its clock, and SageMaker has the jobs of both.
    """

    def __init__(
        self,
        plan: Plan = SMALL_PLAN,
        storage: MemoryStorage | None = None,
        beside: "Cloud | None" = None,
        prefix: str = PREFIX,
    ) -> None:
        self.prefix = prefix
        self.plan = self.affordable = plan
        self.clock: MemoryClock = beside.clock if beside else MemoryClock()
        self.functions_clock = SteppedClock(self.clock)
        self.faults = Faults()
        self.storage = storage or MemoryStorage()
        self.table = MemoryTable(self._written)
        self.topic = MemoryTopic()
        account: Account | None = beside.sagemaker.account if beside else None
        self.sagemaker: MemorySageMaker = MemorySageMaker(self.clock.now, self.storage, account)
        self.sagemaker.account.told.append(self._job_ended)
        self.uploads = MemoryQueue(self.clock.now, timedelta(seconds=360), batch_size=1000)
        self.metrics = MemoryMetrics()
        self.settled = MemoryQueue(self.clock.now, timedelta(seconds=1800), batch_size=1)
        self.job_states = MemoryQueue(self.clock.now, timedelta(seconds=720), batch_size=10)
        self.queues = {"note_upload": self.uploads, "start_run": self.settled, "advance_run": self.job_states}
        self.stream = MemoryStream()
        self.watch = Watch(self)
        self.sagemaker.begun = self.watch.begun
        self.settled.sent = self.watch.armed
        self.next_reconcile = self.clock.now() + RECONCILE_EVERY
        self.ports = self._ports()
        self.poison: list[QueuedMessage] = []
        self._telling = False

    def upload(self, key: str, body: bytes) -> None:
        """A person puts an object; S3's event is on its way."""
        self.storage.put(key, body)
        self._s3_event(key)

    def delete(self, key: str) -> None:
        """A person deletes an object; S3's event is on its way."""
        self.storage.delete(key)
        self._s3_event(key)

    def send_poison(self, function: str) -> None:
        """A message arrives that its function can't read."""
        queue = self.queues[function]
        queue.send_message(MessageBody="{not JSON")
        self.poison.append(queue.messages[-1])

    def deliver(self, function: str, first: int = 0) -> bool:
        """Give a function a batch of its queue; what it did not take comes back later. False if nothing was there."""
        queue = self.queues[function]
        batch = queue.receive(first)
        if batch:
            for message in self._taken(function, batch):
                queue.delete(message)
        return bool(batch)

    def tell(self) -> bool:
        """Give notify the stream's oldest records of runs that started or ended; one shard, so one batch at a time."""
        batch = self.stream.batch(STREAM_BATCH)
        if self._telling or not batch:
            return False
        self._telling = True
        records = [stream_record(number, image) for number, image in batch]
        struck = self.faults.struck
        answer = self.invoke(notify, {"Records": records})
        self._telling = False
        failed = batch[0][0] if answer is None else first_failed(answer, batch[-1][0])
        self.stream.taken(failed - 1)
        if failed <= batch[-1][0]:
            self.stream.not_taken()
        elif struck == self.faults.struck:
            ended = (image for _, image in batch if image["state"]["S"] in ENDS)
            self.watch.all_marked(image["run_id"]["S"] for image in ended)
        return True

    def reconcile(self, **event: Any) -> bool:
        """Reconcile's schedule fires. Whether the function finished."""
        return self.invoke(reconcile, event, answers=False) is not None

    def ask_to_stop(self) -> bool:
        """A person asks the API for the end of the open run; whether they were told that it will stop."""
        slot = self.table.items.get(("MANAGER", "OPEN"))
        run_id = slot["run_id"]["S"] if slot else "sb-0000000000000000-1"
        answer = self._post(f"/runs/{run_id}/stop")
        heard = answer is not None and answer["statusCode"] == 202
        if heard:
            self.watch.stops(run_id)
        return heard

    def ask_to_retry(self) -> bool:
        """A person asks the API for another attempt after the latest run; whether they were told that it comes."""
        runs = [item for item in self.table.items.values() if "state" in item]
        latest = max(runs, key=lambda item: item["created_at"]["S"], default=None)
        run_id = latest["run_id"]["S"] if latest else "sb-0000000000000000-1"
        self.watch.may_begin_again(run_id)
        answer = self._post(f"/runs/{run_id}/retry")
        return answer is not None and answer["statusCode"] == 202

    def _post(self, path: str) -> Any:
        http = {"method": "POST", "path": path}
        request = {"version": "2.0", "rawPath": path, "requestContext": {"http": http, "stage": "$default"}}
        return self.invoke(api, {**request, "headers": {}})

    def lose_table(self) -> None:
        """The table is gone, with its stream; an empty one is in its place."""
        self.watch.table_lost()
        self.table.items.clear()
        self.table.catch_up()
        self.stream.records.clear()

    def forward(self, seconds: float) -> None:
        """Time passes; jobs whose time limit is over are stopped."""
        self.clock.forward(seconds)
        self.table.catch_up()
        for job in self.sagemaker.running_jobs():
            if self.clock.now() >= job.started_at + timedelta(seconds=job.time_limit):
                self.sagemaker.end(job)

    def flow(self, seconds: float) -> None:
        """Time passes without delays: whatever is due happens at once."""
        until = self.clock.now() + timedelta(seconds=seconds)
        while True:
            self.deliver_all()
            due = min(self._due())
            if due > until:
                break
            self.forward((due - self.clock.now()).total_seconds())
            for job in self.sagemaker.running_jobs():
                if job.ends_at <= due:
                    self.sagemaker.end(job)
            if self.next_reconcile <= due:
                self.next_reconcile = due + RECONCILE_EVERY
                self.reconcile()
        self.forward((until - self.clock.now()).total_seconds())

    def deliver_all(self) -> None:
        """Deliver until nothing more can be, in this moment."""
        for _ in range(200):
            delivered = [self.deliver(function) for function in self.queues]
            if not any([*delivered, self.tell()]):
                return
        self.watch.note("Messages go round in circles.")

    def invoke(self, function: ModuleType, event: Item, *, answers: bool = True) -> Any:
        """A function's answer; None where it failed or its process died."""
        own: dict[str, Any] = {"aws": lambda: self.ports, "settings": self._settings, "logger": QUIET}
        if hasattr(function, "processor"):
            own["processor"] = BatchProcessor(event_type=function.processor.event_type)
        before = {name: getattr(function, name) for name in own if hasattr(function, name)}
        vars(function).update((name, own[name]) for name in before)
        try:
            answer = function.handler(event, CONTEXT)
        except Crash:
            return None
        except FORESEEN:
            return None
        finally:
            vars(function).update(before)
            self.watch.failures(getattr(own.get("processor"), "exceptions", []))
        return answer if answers else True

    def _taken(self, function: str, batch: list[QueuedMessage]) -> list[QueuedMessage]:
        records = [
            {"messageId": str(number), "body": message.body, "eventSource": "aws:sqs"}
            for number, message in enumerate(batch)
        ]
        module = {"note_upload": note_upload, "start_run": start_run, "advance_run": advance_run}[function]
        answer = self.invoke(module, {"Records": records})
        if answer is None:
            return []
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        return [message for number, message in enumerate(batch) if str(number) not in failed]

    def _due(self) -> list[datetime]:
        waiting = [message.visible_at for queue in self.queues.values() for message in queue.messages]
        return [*waiting, self.next_reconcile, *(job.ends_at for job in self.sagemaker.running_jobs())]

    def _settings(self) -> Any:
        return SimpleNamespace(plan=self.plan, settle_rule=RULE, notify_start=True)

    def _ports(self) -> Any:
        def flaky(client: Any) -> Any:
            return Flaky(client, self.faults)

        return SimpleNamespace(
            clock=self.functions_clock,
            bucket=S3Bucket(flaky(self.storage), self.storage.name),
            runs=DynamoDBRuns(flaky(self.table), "runs"),
            jobs=SageMakerJobs(flaky(self.sagemaker), JobRequests(self.storage.name, "role"), self.prefix),
            timer=SQSSettleTimer(flaky(self.settled), "settle"),
            announcer=SNSAnnouncer(flaky(self.topic), "topic", "events", "seedbed"),
            metrics=self.metrics,
        )

    def _s3_event(self, key: str) -> None:
        self.uploads.send_message(MessageBody=json.dumps({"detail": {"object": {"key": key}}}))

    def _job_ended(self, job: SimulatedJob) -> None:
        if not job.name.startswith(self.prefix):
            return
        own = [] if job.trains else [{f"{'HyperParameterTuning' if job.tunes else 'Processing'}JobName": job.name}]
        for detail in [{"TrainingJobName": trial.name} for trial in job.trials] + own:
            self.job_states.send_message(MessageBody=json.dumps({"detail": detail}))

    def _written(self, old: Item | None, new: Item) -> None:
        self.watch.written(old, new)
        if new.get("kind") == {"S": "run"} and new["state"]["S"] in TOLD_OF:
            self.stream.add(new)


def stream_record(number: int, image: Item) -> Item:
    return {"eventID": str(number), "dynamodb": {"SequenceNumber": str(number), "NewImage": image}}


def first_failed(answer: Any, last: int) -> int:
    """The sequence number from which on a batch comes again: one after the last where all were taken."""
    return min((int(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]), default=last + 1)
