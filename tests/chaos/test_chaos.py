"""Nothing lost, nothing twice, whatever goes wrong."""

import os

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.chaos.machine import Chaos

EXAMPLES = int(os.environ.get("CHAOS_EXAMPLES", "0"))


def test_every_promise_is_kept_whatever_goes_wrong() -> None:
    run_state_machine_as_test(
        Chaos,
        settings=settings(
            max_examples=EXAMPLES or 300,
            stateful_step_count=30,
            deadline=None,
            derandomize=not EXAMPLES,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
