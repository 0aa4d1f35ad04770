"""The containers of an endpoint, and which of them gets a request."""

import math
import random
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from ..containers.process import Stop
from ..errors import JobFailure
from ..jobs import JobServices
from ..kinds import Body
from .instance import Instance
from .owner import Owner
from .plans import VariantPlan
from .refusals import InvocationRefused
from .response_stream import STREAM_SECONDS

MOST_INVOCATIONS = 64
"""At once in all containers of an endpoint; more wait for their turn."""
LOOK_SECONDS = 0.05
LONGEST_CALL, LONGEST_ASYNC_CALL = STREAM_SECONDS, 3600.0
"""How long an invocation may take, in seconds: containers that are replaced have so long to answer those they have."""
ASYNC_CALLS = 4
"""How many asynchronous invocations a container has at once, unless MaxConcurrentInvocationsPerInstance says so."""


class Variant:
    """A production variant that runs."""

    def __init__(self, plan: VariantPlan, instances: list[Instance]) -> None:
        self.plan = plan
        self.instances = instances
        self._lock = threading.Lock()

    def take(self, most_each: float = math.inf) -> Instance | None:
        """A container that answers, the one with the fewest invocations, which counts this one; None if there is none.

        most_each: how many a container has at most. `give_back` ends the invocation.
        Raises InvocationRefused where a serverless variant has as many as it takes.
        """
        with self._lock:
            most = self.plan.max_concurrency
            if most and sum(instance.in_flight for instance in self.instances) >= most:
                raise InvocationRefused(
                    "ThrottlingException", 400, f"Rate exceeded: {self.plan.name} takes {most} at once."
                )
            ready = [instance for instance in self.instances if instance.is_ready]
            if not ready:
                return None
            chosen = min(ready, key=lambda instance: instance.in_flight)
            if chosen.in_flight >= most_each:
                return None
            chosen.in_flight += 1
            return chosen

    def keep(self, count: int) -> list[Instance]:
        """Keeps so many containers, and returns the others, which get no more invocations."""
        with self._lock:
            surplus, self.instances = self.instances[count:], self.instances[:count]
        return surplus

    def give_back(self, instance: Instance) -> None:
        with self._lock:
            instance.in_flight -= 1


class Deployment:
    """All variants of an endpoint with their containers.

    owner: the endpoint. async_config: its AsyncInferenceConfig, empty for one that answers at once.
    """

    def __init__(
        self, services: JobServices, endpoint: Body, plans: Iterable[VariantPlan], async_config: Body | None = None
    ) -> None:
        self._services = services
        self.owner = Owner.endpoint(endpoint)
        self.async_config = async_config or {}
        self.variants = {plan.name: Variant(plan, []) for plan in plans}
        self.threads = ThreadPoolExecutor(MOST_INVOCATIONS, thread_name_prefix="sagemaker-invocation")

    def start(self, *, keeps_trying: bool = False) -> None:
        """Starts as many containers as each variant's plan says. keeps_trying: see Instance."""
        for variant in self.variants.values():
            while len(variant.instances) < variant.plan.count:
                instance = Instance(self._services, self.owner, variant.plan, keeps_trying=keeps_trying)
                variant.instances = [*variant.instances, instance]
                instance.start()

    def wait_until_ready(self, stop: Stop) -> None:
        """Returns once every container has answered a ping. Raises JobFailure if one has ended instead."""
        waiting = [(variant, instance) for variant in self.variants.values() for instance in variant.instances]
        while waiting and stop.reason is None:
            for variant, instance in waiting:
                if instance.has_ended:
                    raise JobFailure(not_healthy(variant.plan.name, instance.failure))
            waiting = [(variant, instance) for variant, instance in waiting if not instance.is_ready]
            stop.wait(LOOK_SECONDS)
        if stop.reason is not None:
            raise JobFailure("It was stopped.")

    def change(self, plans: Mapping[str, VariantPlan], stop: Stop) -> None:
        """Takes new weights, numbers of containers and limits, once all containers answer.

        Raises JobFailure, and leaves all as it was, if a container does not start.
        """
        before = {name: (variant.plan, len(variant.instances)) for name, variant in self.variants.items()}
        for name, plan in plans.items():
            self.variants[name].plan = plan
        try:
            self.start()
            self.wait_until_ready(stop)
        except JobFailure:
            for name, (plan, count) in before.items():
                self.variants[name].plan = plan
                end(self.variants[name].keep(count))
            raise
        for variant in self.variants.values():
            self._drain_and_end(variant.keep(variant.plan.count), stop)

    def stop(self) -> None:
        """Ends all containers at once, and returns when they have."""
        end(self._all_instances())
        self.threads.shutdown(wait=False)

    def retire(self, stop: Stop) -> None:
        """Ends all containers, each after the invocations that it has."""
        self._drain_and_end(self._all_instances(), stop)
        self.threads.shutdown(wait=False)

    def take_for_queue(self, chance: random.Random) -> tuple[Variant, Instance] | None:
        """A container that has room for an asynchronous invocation, of a variant by weight; None if there is none."""
        client = self.async_config.get("ClientConfig", {})
        most = client.get("MaxConcurrentInvocationsPerInstance", ASYNC_CALLS)
        left = dict(self.variants)
        while sum(variant.plan.weight for variant in left.values()) > 0:
            variant = choose(left, chance)
            instance = variant.take(most)
            if instance is not None:
                return variant, instance
            del left[variant.plan.name]
        return None

    def _drain_and_end(self, instances: list[Instance], stop: Stop) -> None:
        """Ends containers that get no new invocations, once those they have are answered or have had their time."""
        left = LONGEST_ASYNC_CALL if self.async_config else LONGEST_CALL
        while left > 0 and stop.reason is None and any(instance.in_flight for instance in instances):
            stop.wait(LOOK_SECONDS)
            left -= LOOK_SECONDS
        end(instances)

    def _all_instances(self) -> list[Instance]:
        """All containers, which get no more invocations."""
        return [instance for variant in self.variants.values() for instance in variant.keep(0)]


def choose(variants: Mapping[str, Variant], chance: random.Random) -> Variant:
    """A variant at random, in proportion to the weights."""
    found = list(variants.values())
    return chance.choices(found, [variant.plan.weight for variant in found])[0]


def end(instances: list[Instance]) -> None:
    """Ends containers, and returns when they have ended."""
    for instance in instances:
        instance.stop()
    for instance in instances:
        instance.wait_until_ended()


def not_healthy(variant: str, reason: str) -> str:
    """A FailureReason for a container that never answered."""
    return (
        f"The primary container for production variant {variant} did not pass the ping health check. Please check"
        f" CloudWatch logs for this endpoint. {reason}"
    )
