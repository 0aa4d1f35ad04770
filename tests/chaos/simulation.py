"""The simulation, as many stories as wanted: python -m tests.chaos.simulation 20000."""

import sys

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.chaos.machine import Chaos

STEPS = 30
FIND = (Phase.generate,)
FIND_AND_SHRINK = (Phase.generate, Phase.shrink)


def simulate(examples: int, *, same_each_time: bool, phases: tuple[Phase, ...] = FIND_AND_SHRINK) -> None:
    """Live through as many stories; a broken promise is an AssertionError with the story."""
    run_state_machine_as_test(
        Chaos,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            phases=phases,
            deadline=None,
            derandomize=same_each_time,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


if __name__ == "__main__":
    simulate(int(sys.argv[1]), same_each_time=False)
