"""The world in memory, and a run in it."""

import pytest

from job_manager.domain.run import Run
from tests.fakes.world import World


@pytest.fixture
def world() -> World:
    """An empty bucket and an empty table."""
    return World()


@pytest.fixture
def run(world: World) -> Run:
    """A run that has just started."""
    return world.start()
