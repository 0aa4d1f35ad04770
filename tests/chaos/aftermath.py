"""Once nothing goes wrong any more: everything ends, in a bounded time, and everything that landed is accounted for."""

import json
from collections import Counter
from collections.abc import Collection
from datetime import timedelta

from job_manager.domain.measurement import Metric
from job_manager.domain.run import run_id_in
from tests.chaos.cloud import SMALL_PLAN, Cloud
from tests.chaos.table import Item
from tests.chaos.watch import ENDS

# Two runs whose every job hangs until its time limit, the longest wait for uploads, a message's way back to its queue.
RUN = timedelta(
    seconds=3 * SMALL_PLAN.processing_time_limit + 2 * SMALL_PLAN.tuning_time_limit + SMALL_PLAN.trial_time_limit
)
BOUND = 2 * RUN + timedelta(hours=1)
ONCE = set(Metric) - {Metric.EMAILS_SENT, Metric.EMAILS_UNHEARD, Metric.STAGE_TIME_USED, Metric.RECONCILE_FINDINGS}
WAITING = {("MANAGER", "OPEN"), ("MANAGER", "PENDING")}


def calm_down(cloud: Cloud) -> list[str]:
    """Let all faults cease and time pass; what was broken on the way or is not finished in time."""
    cloud.faults.cease()
    cloud.sagemaker.rejecting = False
    cloud.sagemaker.refusal = None
    cloud.plan = cloud.affordable
    finish(cloud)
    jobs = set(cloud.sagemaker.jobs)
    deliver_what_is_late(cloud)
    finish(cloud)
    extra = [f"{name} was started for nothing." for name in set(cloud.sagemaker.jobs) - jobs]
    return [
        *cloud.watch.now(),
        *unfinished(cloud),
        *extra,
        *unrecorded(cloud),
        *misremembered(cloud),
        *poison_lost(cloud),
        *counted_twice(cloud),
    ]


def finish(cloud: Cloud) -> None:
    """Let time pass until all is done, or should be; reconcile notices first what was left undone without a trace."""
    until = cloud.clock.now() + BOUND
    cloud.flow(300)
    while not cloud.watch.broken and unfinished(cloud) and cloud.clock.now() < until:
        cloud.flow(300)


def deliver_what_is_late(cloud: Cloud) -> None:
    """Every message that is still somewhere comes now, and reconcile runs once more."""
    for queue in cloud.queues.values():
        for message in queue.messages:
            message.visible_at = cloud.clock.now()
    cloud.deliver_all()
    cloud.reconcile()


def unfinished(cloud: Cloud) -> list[str]:
    """What still has to happen."""
    waiting = [f"{name} is there." for _, name in cloud.table.items.keys() & WAITING]
    running_jobs = [f"{job.name} is still running." for job in cloud.sagemaker.running_jobs()]
    unnotified = [f"Nobody was told of {run_id}." for run_id in cloud.watch.ended if not cloud.watch.told[run_id]]
    return [*waiting, *running_jobs, *unnotified, *unaccounted(cloud), *unnamed(cloud)]


def unrecorded(cloud: Cloud) -> list[str]:
    """The trials of which the table knows less than SageMaker."""
    table = cloud.table.items
    return [
        f"{trial.name} is {trial.status}, recorded is {recorded}."
        for job in cloud.sagemaker.jobs.values()
        for trial in job.trials
        if (recorded := status_of(table.get((f"RUN#{run_id_in(job.name)}", f"TRIAL#{trial.name}")))) != trial.status
    ]


def misremembered(cloud: Cloud) -> list[str]:
    """The runs whose beginning the bucket, from which a table is rebuilt, tells in another way than the table."""
    runs = [json.loads(item["body"]["S"]) for item in cloud.table.items.values() if "state" in item]
    began = [
        (run["run_id"], run["created_at"], cloud.watch.snapshot(run["run_id"])["run"]["created_at"]) for run in runs
    ]
    return [f"{run_id} began at {at}, and as the bucket has it at {kept}." for run_id, at, kept in began if at != kept]


def status_of(trial: Item | None) -> str | None:
    return str(json.loads(trial["body"]["S"])["status"]) if trial else None


def poison_lost(cloud: Cloud) -> list[str]:
    """Messages that no function can read must stay where a person finds them."""
    kept = [message for queue in cloud.queues.values() for message in [*queue.messages, *queue.dead]]
    return [f"A poison message of {len(cloud.poison)} is gone." for message in cloud.poison if message not in kept]


def counted_twice(cloud: Cloud) -> list[str]:
    """The facts about a run that were measured more than once, though its table was never lost."""
    if cloud.watch.tables_lost:
        return []
    counts = Counter((run_id, one.metric, one.stage) for run_id, one in cloud.metrics.recorded if one.metric in ONCE)
    return [
        f"{metric} of {run_id} was measured {count} times."
        for (run_id, metric, _), count in counts.items()
        if count > 1
    ]


def unaccounted(cloud: Cloud) -> list[str]:
    """The images that no run that ended was started on, all of them together and as they are now."""
    etags = cloud.storage.etags
    images = {key: etags[key] for key, body in cloud.storage.contents.items() if is_image(key, body)}
    ends = ENDS if too_few(images, cloud) else ENDS - {"Refused"}
    for run in [item for item in cloud.table.items.values() if "state" in item and item["state"]["S"] in ends]:
        snapshot = cloud.watch.snapshot(run["run_id"]["S"])
        if {key: etag for key, etag, _ in snapshot["images"]} == images:
            return []
    return [f"No run saw these images: {sorted(images)}."] if images else []


def unnamed(cloud: Cloud) -> list[str]:
    """The files that are no images and that no run named."""
    named = {file["file"] for run_id in cloud.watch.ended for file in cloud.watch.snapshot(run_id)["refused"]}
    strays = {
        key.removeprefix("seedlings/")
        for key, body in cloud.storage.contents.items()
        if not key.startswith("runs/") and not is_image(key, body)
    }
    return [f"Nobody was told of these files: {sorted(strays - named)}."] if strays - named else []


def too_few(images: Collection[str], cloud: Cloud) -> bool:
    """Whether no model can come of these images."""
    return len(images) < cloud.plan.minimum_images or len({key.split("/")[1] for key in images}) < 2


def is_image(key: str, body: bytes) -> bool:
    """Whether this would be an image of the dataset, told by other means than the manager's."""
    return key.startswith("seedlings/") and key.count("/") == 2 and key.isprintable() and body != b""
