"""The only way to change a job's record: its times, transitions and events are stored together."""

import threading
from collections.abc import Callable
from typing import Any

from ..errors import ApiError, InUse, Invalid, NotFound
from ..kinds import ENDED, HOSTED, MODEL_PACKAGE, REGISTERED, TRAINING, TUNING, Body, Kind
from ..settings import EndpointSettings, region_of
from . import async_requests
from .experiments import NEW_TRIAL_SUFFIX, TRIAL, attach, create_table
from .state_change import state_change
from .store import JobRecord, Store
from .transitions import enter, now

IN_ORDER = (
    "TrainingStartTime",
    "ProcessingStartTime",
    "TransformStartTime",
    "TrainingEndTime",
    "ProcessingEndTime",
    "TransformEndTime",
    "HyperParameterTuningEndTime",
    "LastModifiedTime",
)


class Ledger:
    """Creates and changes jobs in the store; each change of a status adds an event to the store's outbox.

    posted: set when an event was added.
    """

    def __init__(self, store: Store, settings: EndpointSettings) -> None:
        self.store = store
        create_table(store)
        async_requests.create_table(store)
        self._settings = settings
        self.posted = threading.Event()

    def create(  # noqa: PLR0913  a job, where it belongs and where it was asked for
        self,
        kind: Kind,
        body: Body,
        tags: list[dict[str, str]],
        parent: str | None = None,
        number: int | None = None,
        *,
        region: str = "",
        **private: Any,
    ) -> Body:
        """Records a job, or another kind of resource, in the first status of its kind.

        parent, number: the tuning job and the place in it, for its training jobs. region: of its ARN, if not the
        endpoint's own. private: see JobRecord.
        Raises InUse, or Invalid for what is hosted, if the name is taken; upper and lower case count as the same.
        Raises NotFound or Invalid for an ExperimentConfig that names what is missing or does not belong together.
        """
        name = body[kind.name_field]
        arn = self._settings.arn(kind, name, region or self._settings.region)
        stamp = now()
        body = {
            **body,
            kind.arn_field: arn,
            kind.status_field: kind.first_status,
            "CreationTime": stamp,
            "LastModifiedTime": stamp,
        }
        if kind is TRAINING:
            enter(body, "Starting")
        with self.store.transaction():
            if not self.store.insert(kind, body, parent and parent.lower(), number, private):
                if kind in REGISTERED:
                    raise Invalid(f"{kind.noun.capitalize()} already exists: {arn}")
                if kind in HOSTED:
                    raise Invalid(f'Cannot create already existing {kind.noun} "{arn}".')
                raise InUse(f"A {kind.noun} named {name} exists already ({arn}). Choose another name.")
            self.store.add_tags(arn, tags)
            if "ExperimentConfig" in body:
                attach(self.store, kind, body, self._settings.arn(TRIAL, f"{name}{NEW_TRIAL_SUFFIX}", region_of(arn)))
            self._post(kind, body)
        return body

    def find(self, kind: Kind, name: str) -> JobRecord:
        """The record of a job or resource. As AWS, raises NotFound for a missing tuning job and Invalid for others."""
        job = self.store.get(kind, name)
        if job is None:
            raise self._missing(kind, name)
        return job

    def change(self, kind: Kind, name: str, change: Callable[[Body], None]) -> Body:
        """Applies `change` to a job's body; posts an event if its status, secondary status or approval has changed."""

        states = []

        def stamped(body: Body) -> None:
            states.append(_state(kind, body))
            change(body)
            body["LastModifiedTime"] = now()
            put_times_in_order(body)
            states.append(_state(kind, body))

        with self.store.transaction():
            body = self.store.update(kind, name, stamped)
            if states[0] != states[1]:
                self._post(kind, body)
        return body

    def begin_stop(self, kind: Kind, name: str) -> None:
        """InProgress → Stopping; a job that is already Stopping stays so. Raises Invalid for a job that has ended."""
        body = self.find(kind, name).body
        status = body[kind.status_field]
        if status in ENDED:
            raise Invalid(
                f"The request was rejected because the {kind.resource.replace('-', ' ')} is in status {status}."
            )

        def stop(body: Body) -> None:
            if body[kind.status_field] == "InProgress":
                body[kind.status_field] = "Stopping"
                if kind is TRAINING:
                    enter(body, "Stopping")

        self.change(kind, name, stop)

    def delete(self, kind: Kind, name: str) -> None:
        """Deletes a job and posts its last event. Raises Invalid for a job that has not ended."""
        status = self.find(kind, name).body[kind.status_field]
        if status not in ENDED:
            raise Invalid(f"The {kind.resource.replace('-', ' ')} {name} is in status {status}. Stop it first.")
        with self.store.transaction():
            self.change(kind, name, lambda body: body.update({kind.status_field: "Deleting"}))
            self.store.delete(kind, name)

    def _missing(self, kind: Kind, name: str) -> ApiError:
        if kind is TUNING:
            return NotFound(f"There is no hyperparameter tuning job named {name} in this account and region.")
        if kind is TRAINING:
            return Invalid("Requested resource not found.")
        if kind in HOSTED:
            return Invalid(f'Could not find {kind.noun} "{self._settings.arn(kind, name, self._settings.region)}".')
        if kind in REGISTERED:
            arn = self._settings.arn(kind, name, self._settings.region)
            return Invalid(f"{kind.noun.capitalize()} {arn} does not exist.")
        return Invalid(f"Could not find requested job with name: {name}")

    def _post(self, kind: Kind, body: Body) -> None:
        if not kind.event:
            return
        tags = self.store.tags(body[kind.arn_field])
        self.store.post(state_change(kind, self.describe(kind, body), tags, self._settings))
        self.posted.set()

    def describe(self, kind: Kind, body: Body) -> Body:
        """The body; a tuning job's with the counters of its training jobs, a model version's without a name."""
        if kind is MODEL_PACKAGE and "ModelPackageVersion" in body:
            return {name: value for name, value in body.items() if name != "ModelPackageName"}
        if kind is not TUNING:
            return body
        jobs = dict.fromkeys(("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped"), 0)
        objectives = dict.fromkeys(("Succeeded", "Pending", "Failed"), 0)
        for status, objective, retryable, count in self.store.counts(body[kind.name_field]):
            failed = "RetryableError" if retryable else "NonRetryableError"
            jobs[{"Failed": failed, "Stopping": "InProgress"}.get(status, status)] += count
            objectives[objective or "Pending"] += count
        return {**body, "TrainingJobStatusCounters": jobs, "ObjectiveStatusCounters": objectives}


def put_times_in_order(body: Body) -> None:
    """Keeps a job's times in order even if the clock was set back in between."""
    earliest = body["CreationTime"]
    for name in IN_ORDER:
        if name in body:
            earliest = body[name] = max(body[name], earliest)


def _state(kind: Kind, body: Body) -> tuple[Any, Any]:
    return body[kind.status_field], body.get("SecondaryStatus", body.get("ModelApprovalStatus"))
