"""What must never happen, noted as it does: functions swallow errors, so a broken promise can't just be raised."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ReadTimeoutError

from job_manager.domain import layout
from job_manager.domain.errors import MalformedEvent, NotFound
from job_manager.domain.run import run_id_in
from tests.chaos.sagemaker import SimulatedJob
from tests.chaos.table import Item
from tests.fakes.world import RULE

if TYPE_CHECKING:
    from tests.chaos.cloud import Cloud

ORDER = ["Preparing", "Merging", "Tuning", "Refitting", "FineTuning", "Evaluating"]
FORESEEN = (ClientError, ReadTimeoutError, MalformedEvent)
ENDS = {"Completed", "Failed", "Stopped", "Refused"}

WHILE_WAITING = {"waits_for", "delay", "notice", "warm_start_from"}


def waits(old: Item, new: Item) -> bool:
    """Whether a run is as it was, but for what its job waits for or starts without."""
    bodies = [json.loads(item["body"]["S"]) for item in (old, new)]
    return all(bodies[0][name] == bodies[1][name] for name in bodies[0].keys() - WHILE_WAITING)


def announced(old: Item, new: Item) -> bool:
    """Whether a run that ended is as it was, but for whether anybody could have heard of its end."""
    bodies = [json.loads(item["body"]["S"]) for item in (old, new)]
    return bool(old["state"]["S"] in ENDS and bodies[0] | {"notified": None} == bodies[1] | {"notified": None})


class Watch:
    """The promises that hold at every moment."""

    def __init__(self, cloud: "Cloud") -> None:
        self.broken: list[str] = []
        self.told: Counter[str] = Counter()
        self.told_of_waiting: Counter[str] = Counter()
        self.told_of_start: Counter[str] = Counter()
        self.ended: set[str] = set()
        self.tables_lost = 0
        self._tuned: Counter[tuple[str, str]] = Counter()
        self._jobs_at_stop: dict[str, set[str]] = {}
        self._cloud = cloud
        cloud.topic.published = self.publishes

    def note(self, sentence: str) -> None:
        """A promise was broken."""
        self.broken.append(sentence)

    def table_lost(self) -> None:
        """Of a run that SageMaker took no job of, nothing is left but its snapshot, which rebuild passes over."""
        self.tables_lost += 1
        jobs = self._cloud.sagemaker.jobs
        self.ended = {
            run_id
            for run_id in self.ended
            if layout.prepare_job(run_id) in jobs or self.snapshot(run_id)["run"]["state"] == "Refused"
        }

    def failures(self, failures: Iterable[Any]) -> None:
        """Records of a batch failed: every error must be of AWS's making."""
        for kind, error, _ in failures:
            gone = self.tables_lost and kind is NotFound
            if not (gone or (kind and issubclass(kind, FORESEEN))):
                self.note(f"A function failed by itself: {error!r}")

    def begun(self, job: SimulatedJob) -> None:
        """A job was created."""
        running_jobs = [known.name for known in self._cloud.sagemaker.running_jobs()]
        if len(running_jobs) > 1:
            self.note(f"At one time went on {running_jobs}.")
        run_id = run_id_in(job.name) or job.name
        since = self._cloud.sagemaker.jobs.keys() - self._jobs_at_stop.get(run_id, self._cloud.sagemaker.jobs.keys())
        if len(since) > 1:
            self.note(f"Of {run_id}, which was to stop, {sorted(since)} were started.")
        if job.tunes or job.trains:
            images = json.dumps(self.snapshot(run_id)["images"])
            for dataset in (run_id.rpartition("-")[0], images):
                self._tuned[dataset, job.name.removeprefix(run_id)] += 1
                if self._tuned[dataset, job.name.removeprefix(run_id)] > 1:
                    self.note(f"{job.name} tunes on what was tuned on before.")

    def armed(self, seconds: int) -> None:
        """Someone is to be woken: whatever the clocks say, no later than the bucket has to be quiet."""
        if seconds > RULE.quiet.total_seconds():
            self.note(f"A run that was due waits for another {seconds} s.")

    def stops(self, run_id: str) -> None:
        """This run will stop, a person was told: from now on it starts no job, but for one that is being started."""
        self._jobs_at_stop.setdefault(run_id, set(self._cloud.sagemaker.jobs))

    def written(self, old: Item | None, new: Item) -> None:
        """An item of the table changed."""
        if new.get("kind") == {"S": "run"}:
            self._run_moved(old, new)
        elif new["sk"]["S"] == "CHAMPION":
            self._champion_changed(old, new["run_id"]["S"])

    def all_marked(self, run_ids: Iterable[str]) -> None:
        """Notify took these without a fault: each is told of and marked."""
        for run_id in run_ids:
            if not (self.told[run_id] and self._marked(run_id)):
                self.note(f"{run_id} was taken from the stream, but nobody was told.")

    def publishes(self, text: str) -> None:
        """A mail goes out: it is about one run, and none whose mark is set; or about an open run that waits."""
        about = next(line for line in text.splitlines() if line.startswith("Run: ")).split()[1]
        if text.startswith("Seedbed: the run waits: "):
            self.told_of_waiting[about] += 1
            return
        if text.startswith("Seedbed: a run has started"):
            if layout.notified_of_start(about) in self._cloud.storage.contents:
                self.note(f"The start of {about} was told of again although it is marked.")
            self.told_of_start[about] += 1
            return
        (run_id,) = {word for word in text.split() if word in self.ended and f"Run: {word}" in text}
        if self._marked(run_id):
            self.note(f"{run_id} was told of again although it is marked.")
        self.told[run_id] += 1

    def now(self) -> list[str]:
        """All that was broken so far, and what is wrong in this moment."""
        return [*self.broken, *self._runs_open()]

    def _marked(self, run_id: str) -> bool:
        return layout.notified(run_id) in self._cloud.storage.contents

    def _run_moved(self, old: Item | None, new: Item) -> None:
        run_id, state = new["run_id"]["S"], new["state"]["S"]
        before = old["state"]["S"] if old else None
        if old and (old["body"] == new["body"] or announced(old, new)):
            return
        if before in ENDS or (
            old
            and before in ORDER
            and state in ORDER
            and ORDER.index(state) <= ORDER.index(before)
            and not waits(old, new)
        ):
            self.note(f"{run_id} went back from {before} to {state}.")
        if state in ENDS:
            self.ended.add(run_id)
            if json.loads(new["body"]["S"])["begins_again"]:
                self.may_begin_again(run_id)
            self._ends_after_it_began(json.loads(new["body"]["S"]))
        if state == "Completed":
            self._adds_up(run_id, json.loads(new["body"]["S"])["dataset"])

    def may_begin_again(self, run_id: str) -> None:
        """Another run may tune on what this one did."""
        if layout.snapshot(run_id) not in self._cloud.storage.contents:
            return
        datasets = {run_id.rpartition("-")[0], json.dumps(self.snapshot(run_id)["images"])}
        for dataset, stage in list(self._tuned):
            if dataset in datasets:
                del self._tuned[dataset, stage]

    def _ends_after_it_began(self, run: Any) -> None:
        began, ended = (datetime.fromisoformat(run[name]) for name in ("created_at", "ended_at"))
        if ended < began or run["processing_seconds"] < 0:
            self.note(f"{run['run_id']} began at {began}, ended at {ended} and took {run['processing_seconds']} s.")

    def _adds_up(self, run_id: str, dataset: Any) -> None:
        left_out = len(dataset["duplicates"]) + len(dataset["near_duplicates"]) + len(dataset["refused"])
        snapshot = self.snapshot(run_id)
        if dataset["images"] != dataset["used"] + left_out:
            self.note(f"Of {run_id}'s {dataset['images']} files {dataset['used']} + {left_out} are accounted for.")
        if dataset["images"] != len(snapshot["images"]) + len(snapshot["refused"]):
            self.note(f"{run_id} did not see the files of its snapshot.")

    def _champion_changed(self, old: Item | None, run_id: str) -> None:
        contents = self._cloud.storage.contents
        model, former = (layout.model(run) for run in (run_id, old["run_id"]["S"] if old else run_id))
        if old and former in contents and float(contents[model]) <= float(contents[former]):
            self.note(f"{run_id} took the place of {old['run_id']['S']}, which is no worse.")

    def _runs_open(self) -> list[str]:
        items = self._cloud.table.items
        running_jobs = [i["run_id"]["S"] for i in items.values() if "state" in i and i["state"]["S"] in ORDER]
        slot = items.get(("MANAGER", "OPEN"))
        return (
            []
            if running_jobs == ([slot["run_id"]["S"]] if slot else [])
            else [f"Open: {running_jobs}, known of: {slot}"]
        )

    def snapshot(self, run_id: str) -> Any:
        """What a run was started on, as the bucket has it."""
        return json.loads(self._cloud.storage.contents[layout.snapshot(run_id)])
