"""The plan of the next run searches the ranges that a person chose, if there are any."""

from dataclasses import replace

from ..domain.errors import RunRefused
from ..domain.plan import Plan
from ..domain.ranges import with_ranges
from ..ports import Ports


def with_chosen_ranges(plan: Plan, ports: Ports) -> Plan:
    """The stack's plan with the ranges in the bucket's file, or, if they can't be used, refused for that reason."""
    try:
        given = ports.bucket.read_ranges()
        return with_ranges(plan, given) if given is not None else plan
    except RunRefused as error:
        return replace(plan, refusal=str(error))
