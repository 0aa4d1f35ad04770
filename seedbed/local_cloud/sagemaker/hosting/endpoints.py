"""The operations on endpoints, and the threads in which endpoints change."""

import itertools
import logging
from collections.abc import Callable, Sequence
from typing import Any

from .. import tags
from ..containers.process import Stop, kill_leftover
from ..errors import REASON_LENGTH, Invalid, JobFailure
from ..jobs import JobServices, remove_directory
from ..kinds import ENDPOINT, ENDPOINT_CONFIG, Body
from ..records.store import JobRecord
from ..records.transitions import now
from .deployment import Deployment
from .endpoint_configs import check_weights
from .plans import VariantPlan, described, plans_of

log = logging.getLogger(__name__)

CHANGING = ("Creating", "Updating", "Deleting")


class Endpoints:
    """Creates, changes and deletes endpoints.

    live: the deployments that take invocations, by their endpoints' names in lower case.
    """

    def __init__(self, services: JobServices) -> None:
        self._services = services
        self._ledger = services.ledger
        self._numbers = itertools.count()
        self.live: dict[str, Deployment] = {}

    def create(self, request: Body, region: str) -> Body:
        plans = plans_of(self._ledger, request["EndpointConfigName"])
        shown = [described(plan, now(), creating=True) for plan in plans]
        given, body = tags.take(request), {**request, "ProductionVariants": shown}
        stored = [plan.as_stored() for plan in plans]
        body = self._ledger.create(ENDPOINT, body, given, region=region, plans=stored)
        self._begin(body["EndpointName"], self._create)
        return {"EndpointArn": body["EndpointArn"]}

    def update(self, request: Body) -> Body:
        """UpdateEndpoint: the old containers answer until the new ones do."""
        record = self._changeable(request["EndpointName"])
        plans = plans_of(self._ledger, request["EndpointConfigName"])
        if request.get("RetainAllVariantProperties"):
            excluded = {each["VariantPropertyType"] for each in request.get("ExcludeRetainedVariantProperties", [])}
            earlier = {plan.name: plan for plan in plans_in(record)}
            plans = [plan.retained(earlier[plan.name], excluded) if plan.name in earlier else plan for plan in plans]
        config = self._ledger.find(ENDPOINT_CONFIG, request["EndpointConfigName"]).body["EndpointConfigName"]
        return self._start_update(record, plans, self._replace, EndpointConfigName=config)

    def update_weights(self, request: Body) -> Body:
        """UpdateEndpointWeightsAndCapacities."""
        record = self._changeable(request["EndpointName"])
        desired = {each["VariantName"]: each for each in request["DesiredWeightsAndCapacities"]}
        plans = {plan.name: plan for plan in plans_in(record)}
        for name, each in desired.items():
            if name not in plans:
                config = record.body["EndpointConfigName"]
                raise Invalid(
                    f'The variant name(s) "{name}" is/are not present within endpoint configuration "{config}".'
                )
            check_capacity(plans[name], each)
        changed = [plan.changed(desired.get(plan.name, {})) for plan in plans.values()]
        check_weights({plan.name: plan.weight for plan in changed})
        return self._start_update(record, changed, self._resize)

    def delete(self, request: Body) -> Body:
        record = self._changeable(request["EndpointName"], also=("Failed",))
        self._change(record.body["EndpointName"], "Deleting")
        self._begin(record.body["EndpointName"], self._delete)
        return {}

    def recover(self, records: Sequence[JobRecord]) -> None:
        """Ends what an earlier run of this program left, and starts the endpoints again."""
        for record in records:
            for identity in record.private.get("processes", {}).values():
                kill_leftover(identity)
            name = record.body["EndpointName"]
            remove_directory(self._services.settings.work_dir(ENDPOINT, name))
            self._services.ledger.store.remember(ENDPOINT, name, processes=None)
        for record in records:
            self._recover(record)

    def _recover(self, record: JobRecord) -> None:
        name, status = record.body["EndpointName"], record.body["EndpointStatus"]
        if status == "Creating":
            self._begin(name, self._create)
        elif status == "Deleting":
            self._begin(name, self._delete)
        else:
            deployment = Deployment(self._services, record.body, plans_in(record))
            deployment.start(keeps_trying=True)
            self.live[name.lower()] = deployment
        if status == "Updating":
            self._begin(name, self._replace)

    def _changeable(self, name: str, also: Sequence[str] = ()) -> JobRecord:
        """The record of an endpoint that is in service. Raises Invalid for others."""
        record = self._ledger.find(ENDPOINT, name)
        status, arn = record.body["EndpointStatus"], record.body["EndpointArn"]
        if status in CHANGING:
            raise Invalid(f'Cannot update in-progress endpoint "{arn}".')
        if status != "InService" and status not in also:
            raise Invalid(f'Cannot update endpoint "{arn}" in status {status}. Delete it, and create it again.')
        return record

    def _start_update(
        self, record: JobRecord, plans: list[VariantPlan], work: Callable[[str, Stop], None], **changes: Any
    ) -> Body:
        name, earlier = record.body["EndpointName"], {plan.name: plan for plan in plans_in(record)}
        resolved = now()
        known = [plan for plan in plans if plan.name in earlier]
        shown = [described(plan, resolved, earlier=earlier[plan.name]) for plan in known] or None
        self._ledger.store.remember(ENDPOINT, name, next={"plans": [plan.as_stored() for plan in plans], **changes})
        self._change(name, "Updating", **({"ProductionVariants": shown} if shown else {}))
        self._begin(name, work)
        return {"EndpointArn": record.body["EndpointArn"]}

    def _begin(self, name: str, work: Callable[[str, Stop], None]) -> None:
        """Runs a change of an endpoint in a thread of its own."""

        def guarded(stop: Stop) -> None:
            try:
                work(name, stop)
            except Exception as error:
                if stop.reason != "shutdown":
                    log.exception("The endpoint %s could not be changed", name)
                    self._fail(name, f"InternalServerError: {error}", stop)

        self._services.job_threads.start(ENDPOINT, f"{name}/change {next(self._numbers)}", guarded)

    def _create(self, name: str, stop: Stop) -> None:
        record = self._ledger.find(ENDPOINT, name)
        deployment = Deployment(self._services, record.body, plans_in(record))
        deployment.start()
        try:
            deployment.wait_until_ready(stop)
        except JobFailure as failure:
            deployment.stop()
            self._fail(name, str(failure), stop)
            return
        self.live[name.lower()] = deployment
        self._in_service(name, plans_in(record), stop)

    def _replace(self, name: str, stop: Stop) -> None:
        """Ends an update with new containers for all variants."""
        record = self._ledger.find(ENDPOINT, name)
        wanted = record.private["next"]
        plans = [VariantPlan.read(stored) for stored in wanted["plans"]]
        deployment = Deployment(self._services, record.body, plans)
        deployment.start()
        try:
            deployment.wait_until_ready(stop)
        except JobFailure as failure:
            deployment.stop()
            self._keep_earlier(record, failure, stop)
            return
        earlier, self.live[name.lower()] = self.live[name.lower()], deployment
        config = wanted.get("EndpointConfigName", record.body["EndpointConfigName"])
        self._in_service(name, plans, stop, EndpointConfigName=config)
        earlier.retire(stop)

    def _resize(self, name: str, stop: Stop) -> None:
        """Ends an update of weights and numbers of containers."""
        record = self._ledger.find(ENDPOINT, name)
        plans = [VariantPlan.read(stored) for stored in record.private["next"]["plans"]]
        try:
            self.live[name.lower()].change({plan.name: plan for plan in plans}, stop)
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
                self._change(name, "InService", ProductionVariants=shown, **changes)

        self._services.disk_retry(ENDPOINT, name, stop).until_recorded(write)

    def _fail(self, name: str, reason: str, stop: Stop) -> None:
        """Enters Failed, unless this program ends: the next start then tries again."""
        if stop.reason != "shutdown":
            self._services.disk_retry(ENDPOINT, name, stop).until_recorded(
                lambda: self._change(name, "Failed", FailureReason=reason[:REASON_LENGTH])
            )

    def _delete(self, name: str, stop: Stop) -> None:
        deployment = self.live.pop(name.lower(), None)
        if deployment is not None:
            deployment.stop()
        if stop.reason != "shutdown":
            remove_directory(self._services.settings.work_dir(ENDPOINT, name))
            self._services.disk_retry(ENDPOINT, name, stop).until_recorded(
                lambda: self._ledger.store.delete(ENDPOINT, name)
            )

    def _change(self, name: str, status: str, **changes: Any) -> None:
        """Enters a status; an earlier FailureReason goes with it."""

        def change(body: Body) -> None:
            body.pop("FailureReason", None)
            body.update(EndpointStatus=status, **changes)

        self._ledger.change(ENDPOINT, name, change)


def plans_in(record: JobRecord) -> list[VariantPlan]:
    """The variants that an endpoint runs, by its record."""
    return [VariantPlan.read(stored) for stored in record.private["plans"]]


def check_capacity(plan: VariantPlan, desired: Body) -> None:
    """Raises Invalid for what a variant can't become."""
    if plan.serverless and "DesiredInstanceCount" in desired:
        raise Invalid(f"The variant '{plan.name}' is serverless: it takes no DesiredInstanceCount.")
    if not plan.serverless and "ServerlessUpdateConfig" in desired:
        raise Invalid(f"The variant '{plan.name}' is not serverless: it takes no ServerlessUpdateConfig.")
    if desired.get("DesiredInstanceCount", 1) < 1:
        raise Invalid(f"The variant '{plan.name}' needs a DesiredInstanceCount of at least 1.")
