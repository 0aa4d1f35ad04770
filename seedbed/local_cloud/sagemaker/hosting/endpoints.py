"""The operations on endpoints."""

from collections.abc import Sequence
from typing import Any

from .. import tags
from ..errors import Invalid, LimitExceeded
from ..jobs import JobServices
from ..kinds import ENDPOINT, ENDPOINT_CONFIG, Body
from ..records.store import JobRecord
from ..records.transitions import now
from .changes import ASYNC_CONFIG, Changes, plans_in
from .endpoint_configs import check_weights
from .plans import VariantPlan, described, plans_of

MOST_CONTAINERS = 20
CHANGING = ("Creating", "Updating", "Deleting")


class Endpoints:
    """CreateEndpoint, UpdateEndpoint, UpdateEndpointWeightsAndCapacities and DeleteEndpoint."""

    def __init__(self, services: JobServices, changes: Changes) -> None:
        self._ledger = services.ledger
        self._changes = changes

    def create(self, request: Body, region: str) -> Body:
        plans = plans_of(self._ledger, request["EndpointConfigName"])
        check_number(plans)
        shown = [described(plan, now(), creating=True) for plan in plans]
        given, config = tags.take(request), self._config(request)
        more = {ASYNC_CONFIG: config[ASYNC_CONFIG]} if ASYNC_CONFIG in config else {}
        body = {**request, "ProductionVariants": shown, **more}
        stored = [plan.as_stored() for plan in plans]
        body = self._ledger.create(ENDPOINT, body, given, region=region, plans=stored)
        return self._changes.begin(body, self._changes.create)

    def update(self, request: Body) -> Body:
        """UpdateEndpoint: the old containers answer until the new ones do."""
        with self._ledger.store.transaction():
            record = self._changeable(request["EndpointName"])
            plans = plans_of(self._ledger, request["EndpointConfigName"])
            if request.get("RetainAllVariantProperties"):
                excluded = {each["VariantPropertyType"] for each in request.get("ExcludeRetainedVariantProperties", [])}
                earlier = {plan.name: plan for plan in plans_in(record)}
                plans = [plan.retained(earlier.get(plan.name, plan), excluded) for plan in plans]
            config = self._config(request)
            more = {"EndpointConfigName": config["EndpointConfigName"], ASYNC_CONFIG: config.get(ASYNC_CONFIG, {})}
            self._enter_update(record, plans, **more)
        return self._changes.begin(record.body, self._changes.replace)

    def update_weights(self, request: Body) -> Body:
        """UpdateEndpointWeightsAndCapacities."""
        desired = {each["VariantName"]: each for each in request["DesiredWeightsAndCapacities"]}
        with self._ledger.store.transaction():
            record = self._changeable(request["EndpointName"])
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
            self._enter_update(record, changed)
        return self._changes.begin(record.body, self._changes.resize)

    def delete(self, request: Body) -> Body:
        with self._ledger.store.transaction():
            record = self._changeable(request["EndpointName"], also=("Failed",))
            self._changes.enter(record.body["EndpointName"], "Deleting")
        self._changes.begin(record.body, self._changes.delete)
        return {}

    def _config(self, request: Body) -> Body:
        """The configuration that a request names. Raises Invalid."""
        return self._ledger.find(ENDPOINT_CONFIG, request["EndpointConfigName"]).body

    def _changeable(self, name: str, also: Sequence[str] = ()) -> JobRecord:
        """The record of an endpoint that is in service. Raises Invalid for others."""
        record = self._ledger.find(ENDPOINT, name)
        status, arn = record.body["EndpointStatus"], record.body["EndpointArn"]
        if status in CHANGING:
            raise Invalid(f'Cannot update in-progress endpoint "{arn}".')
        if status != "InService" and status not in also:
            raise Invalid(f'Cannot update endpoint "{arn}" in status {status}. Delete it, and create it again.')
        return record

    def _enter_update(self, record: JobRecord, plans: list[VariantPlan], **changes: Any) -> None:
        """Records what an endpoint is to become. Raises LimitExceeded."""
        check_number(plans)
        name, earlier = record.body["EndpointName"], {plan.name: plan for plan in plans_in(record)}
        resolved = now()
        known = [plan for plan in plans if plan.name in earlier]
        shown = [described(plan, resolved, earlier=earlier[plan.name]) for plan in known] or None
        self._ledger.store.remember(ENDPOINT, name, next={"plans": [plan.as_stored() for plan in plans], **changes})
        self._changes.enter(name, "Updating", **({"ProductionVariants": shown} if shown else {}))


def check_number(plans: Sequence[VariantPlan]) -> None:
    """Raises LimitExceeded for more containers than an endpoint may have."""
    count = sum(plan.count for plan in plans)
    if count > MOST_CONTAINERS:
        raise LimitExceeded(f"An endpoint has at most {MOST_CONTAINERS} instances on this machine, not {count}.")


def check_capacity(plan: VariantPlan, desired: Body) -> None:
    """Raises Invalid for what a variant can't become."""
    if plan.serverless and "DesiredInstanceCount" in desired:
        raise Invalid(f"The variant '{plan.name}' is serverless: it takes no DesiredInstanceCount.")
    if not plan.serverless and "ServerlessUpdateConfig" in desired:
        raise Invalid(f"The variant '{plan.name}' is not serverless: it takes no ServerlessUpdateConfig.")
    if desired.get("DesiredInstanceCount", 1) < 1:
        raise Invalid(f"The variant '{plan.name}' needs a DesiredInstanceCount of at least 1.")
