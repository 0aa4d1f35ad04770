"""The threads in which endpoints are created, changed and deleted."""

import itertools
import logging
from collections.abc import Callable, Sequence
from typing import Any

from ..containers.process import Stop
from ..errors import REASON_LENGTH, JobFailure
from ..jobs import JobServices, remove_directory
from ..kinds import ENDPOINT, Body
from ..records import async_requests
from ..records.store import JobRecord
from ..records.transitions import now
from .deployment import Deployment
from .owner import end_leftovers
from .plans import VariantPlan, described

log = logging.getLogger(__name__)

ASYNC_CONFIG = "AsyncInferenceConfig"


class Changes:
    """Takes endpoints from one status to the next.

    live: the deployments that take invocations, by their endpoints' names in lower case.
    """

    def __init__(self, services: JobServices) -> None:
        self._services = services
        self._ledger = services.ledger
        self._numbers = itertools.count()
        self.live: dict[str, Deployment] = {}

    def recover(self, records: Sequence[JobRecord]) -> None:
        """Ends what an earlier run of this program left, and starts the endpoints again."""
        end_leftovers(self._services, ENDPOINT, records)
        for record in records:
            self._recover(record)

    def _recover(self, record: JobRecord) -> None:
        name, status = record.body["EndpointName"], record.body["EndpointStatus"]
        if status == "Creating":
            self.begin(record.body, self.create)
        elif status == "Deleting":
            self.begin(record.body, self.delete)
        else:
            deployment = self._deployment(record)
            deployment.start(keeps_trying=True)
            self.live[name.lower()] = deployment
        if status == "Updating":
            self.begin(record.body, self.replace)

    def _deployment(self, record: JobRecord) -> Deployment:
        """The containers of an endpoint as it is now."""
        return Deployment(self._services, record.body, plans_in(record), record.body.get(ASYNC_CONFIG))

    def begin(self, body: Body, work: Callable[[str, Stop], None]) -> Body:
        """Runs a change of an endpoint in a thread of its own, and returns the answer to the request for it."""
        name = body["EndpointName"]

        def guarded(stop: Stop) -> None:
            try:
                work(name, stop)
            except Exception as error:
                if stop.reason != "shutdown":
                    log.exception("The endpoint %s could not be changed", name)
                    self._fail(name, f"InternalServerError: {error}", stop)

        self._services.job_threads.start(ENDPOINT, f"{name}/change {next(self._numbers)}", guarded)
        return {"EndpointArn": body["EndpointArn"]}

    def create(self, name: str, stop: Stop) -> None:
        """Creating → InService, or Failed."""
        record = self._ledger.find(ENDPOINT, name)
        deployment = self._deployment(record)
        deployment.start()
        try:
            deployment.wait_until_ready(stop)
        except JobFailure as failure:
            deployment.stop()
            self._fail(name, str(failure), stop)
            return
        self.live[name.lower()] = deployment
        self._in_service(name, plans_in(record), stop)

    def replace(self, name: str, stop: Stop) -> None:
        """Ends an update with new containers for all variants."""
        record = self._ledger.find(ENDPOINT, name)
        wanted = record.private["next"]
        plans = [VariantPlan.read(stored) for stored in wanted["plans"]]
        config = {field: wanted.get(field, record.body.get(field)) for field in ("EndpointConfigName", ASYNC_CONFIG)}
        deployment = Deployment(self._services, record.body, plans, config[ASYNC_CONFIG])
        deployment.start()
        try:
            deployment.wait_until_ready(stop)
        except JobFailure as failure:
            deployment.stop()
            self._keep_earlier(record, failure, stop)
            return
        earlier, self.live[name.lower()] = self.live.get(name.lower()), deployment
        self._in_service(name, plans, stop, **config)
        if earlier is not None:
            earlier.retire(stop)

    def resize(self, name: str, stop: Stop) -> None:
        """Ends an update of weights and numbers of containers."""
        record, deployment = self._ledger.find(ENDPOINT, name), self.live.get(name.lower())
        if deployment is None:
            self.replace(name, stop)
            return
        plans = [VariantPlan.read(stored) for stored in record.private["next"]["plans"]]
        try:
            deployment.change({plan.name: plan for plan in plans}, stop)
        except JobFailure as failure:
            self._keep_earlier(record, failure, stop)
            return
        self._in_service(name, plans, stop)

    def _keep_earlier(self, record: JobRecord, failure: JobFailure, stop: Stop) -> None:
        if stop.reason != "shutdown":
            reason = str(failure)[:REASON_LENGTH]
            self._in_service(record.body["EndpointName"], plans_in(record), stop, FailureReason=reason)

    def _in_service(self, name: str, plans: list[VariantPlan], stop: Stop, **changes: Any) -> None:
        stored = [plan.as_stored() for plan in plans]
        shown = [described(plan, now()) for plan in plans]

        def write() -> None:
            with self._ledger.store.transaction():
                self._ledger.store.remember(ENDPOINT, name, plans=stored, next=None)
                self.enter(name, "InService", ProductionVariants=shown, **changes)

        self._services.disk_retry(ENDPOINT, name, stop).until_recorded(write)

    def _fail(self, name: str, reason: str, stop: Stop) -> None:
        """Enters Failed, unless this program ends: the next start then tries again."""
        if stop.reason != "shutdown":
            self._services.disk_retry(ENDPOINT, name, stop).until_recorded(
                lambda: self.enter(name, "Failed", FailureReason=reason[:REASON_LENGTH])
            )

    def delete(self, name: str, stop: Stop) -> None:
        """Ends the containers, and then removes the record."""
        deployment = self.live.pop(name.lower(), None)
        if deployment is not None:
            deployment.stop()
        if stop.reason != "shutdown":
            remove_directory(self._services.settings.work_dir(ENDPOINT, name))
            self._services.disk_retry(ENDPOINT, name, stop).until_recorded(lambda: self._forget(name))

    def _forget(self, name: str) -> None:
        """Removes the record, and with it the requests that wait."""
        with self._ledger.store.transaction():
            self._ledger.store.delete(ENDPOINT, name)
            async_requests.forget(self._ledger.store, name)

    def enter(self, name: str, status: str, **changes: Any) -> None:
        """Enters a status; an earlier FailureReason goes with it."""

        def change(body: Body) -> None:
            body.pop("FailureReason", None)
            body.update(EndpointStatus=status, **changes)
            if not body.get(ASYNC_CONFIG):
                body.pop(ASYNC_CONFIG, None)

        self._ledger.change(ENDPOINT, name, change)


def plans_in(record: JobRecord) -> list[VariantPlan]:
    """The variants that an endpoint runs, by its record."""
    return [VariantPlan.read(stored) for stored in record.private["plans"]]
