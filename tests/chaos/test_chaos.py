"""Nothing is lost and nothing happens twice, whatever goes wrong."""

import os

import pytest

from tests.chaos.simulation import simulate

EXAMPLES = int(os.environ.get("CHAOS_EXAMPLES", "0"))


@pytest.mark.timeout(0)  # as many steps as it has, in this process: they take what they take
def test_every_promise_is_kept_under_random_faults() -> None:
    """Five thousand stories, the same each time; `make chaos` tells others, and more."""
    simulate(EXAMPLES or 5000, same_each_time=not EXAMPLES)
