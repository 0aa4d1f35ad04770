"""The operations on transform jobs."""

from collections.abc import Sequence

from .. import defaults, tags
from ..errors import Invalid, LimitExceeded
from ..hosting.owner import end_leftovers
from ..hosting.plans import plan_of_model
from ..jobs import JobServices
from ..kinds import TRANSFORM, Body
from ..records.store import JobRecord
from .parameters import MOST_MB
from .run import TransformRun

MOST_INSTANCES = 20


class TransformJobs:
    """CreateTransformJob and StopTransformJob, and the threads that run the jobs."""

    def __init__(self, services: JobServices) -> None:
        self._services = services

    def create(self, request: Body, region: str) -> Body:
        defaults.fill_transform_job(request)
        check(request)
        ledger, name = self._services.ledger, request["TransformJobName"]
        plan = plan_of_model(ledger, request["ModelName"], name).as_stored()
        body = ledger.create(TRANSFORM, request, tags.take(request), region=region, plan=plan)
        self.start(name)
        return {"TransformJobArn": body["TransformJobArn"]}

    def stop(self, request: Body) -> Body:
        name = request["TransformJobName"]
        try:
            self._services.ledger.begin_stop(TRANSFORM, name)
        finally:
            self._services.job_threads.request_stop(TRANSFORM, name)
        return {}

    def start(self, name: str) -> None:
        """Runs a recorded job in a thread of its own, from scratch."""
        self._services.job_threads.start(TRANSFORM, name, lambda stop: TransformRun(self._services, name, stop).work())

    def end_leftovers(self, records: Sequence[JobRecord]) -> None:
        """Ends the containers that an earlier run of this program left."""
        end_leftovers(self._services, TRANSFORM, records)


def check(request: Body) -> None:
    """Checks the rules for a transform job that the service model doesn't contain. Raises Invalid or LimitExceeded."""
    source, target = request["TransformInput"]["DataSource"]["S3DataSource"], request["TransformOutput"]
    for uri in (source["S3Uri"], target["S3OutputPath"]):
        if not uri.startswith("s3://"):
            raise Invalid(f"Objects are read and written at s3://bucket/key, not at {uri}.")
    payload, concurrent = request.get("MaxPayloadInMB"), request.get("MaxConcurrentTransforms", 0)
    if payload == 0:
        raise Invalid(
            "This endpoint can't take MaxPayloadInMB 0: no payload is sent in chunks. Give one from 1 to 100."
        )
    if (payload or 1) * max(concurrent, 1) > MOST_MB:
        raise Invalid(
            f"MaxPayloadInMB ({payload or 'not given'}) and its product with MaxConcurrentTransforms ({concurrent}) can"
            f" be at most {MOST_MB}."
        )
    count = request["TransformResources"]["InstanceCount"]
    if count > MOST_INSTANCES:
        raise LimitExceeded(f"A transform job has at most {MOST_INSTANCES} instances on this machine, not {count}.")
