"""Schedule → whatever lost events left undone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from job_manager.domain.dataset import Snapshot
from job_manager.domain.errors import Cause
from job_manager.domain.refusal import Delay
from job_manager.domain.run import Run
from tests.handlers.deployed import Deployed, Event

RUN_ID = "sb-3f9c1b7a5d2e8046-1"

Events = Callable[[str], Event]


def test_reconcile_notices_a_bucket_without_a_run(deployed: Deployed, event: Events) -> None:
    deployed.put("seedlings/Maize/1.png")

    deployed.invoke("Reconcile", event("clock"))

    assert deployed.runs.pending() is not None
    assert deployed.wake_ups() == 1


def test_reconcile_advances_the_open_run(deployed: Deployed, event: Events, run: Run) -> None:
    deployed.runs.create(run)

    deployed.invoke("Reconcile", event("clock"))

    assert deployed.jobs.created == [f"{RUN_ID}-prepare"]


def test_reconcile_rebuilds_an_empty_table_on_request(deployed: Deployed, run: Run) -> None:
    deployed.bucket.write_snapshot(run, Snapshot((), ()))
    deployed.jobs.start_prepare(run)

    assert deployed.invoke("Reconcile", {"rebuild": True}) == {"rebuilt": [RUN_ID]}

    assert deployed.runs.open_run() == run


def test_reconcile_mails_once_what_a_run_waits_for(deployed: Deployed, event: Events, run: Run) -> None:
    deployed.runs.create(replace(run, delay=Delay(Cause.QUOTA, datetime.now(UTC) - timedelta(minutes=20))))
    deployed.jobs.delayed_by = Cause.QUOTA

    for _ in range(2):
        deployed.invoke("Reconcile", event("clock"))

    (mail,) = deployed.mails()
    assert mail["Subject"].startswith("Seedbed: the run waits: ")
