"""One stack on a real AWS account for all tests of this folder. If it is made here, it is deleted with its data."""

import os
from collections.abc import Iterator

import pytest

from tests.aws.account import DEPLOY_LIMIT, DEPLOYED, EMAIL, REGION, check_account, seedbed

STACK = "seedbed-test"
SMALL = {
    "QuietPeriodSeconds": "60",
    "TrialCount": "4",
    "HeadsPerJob": "2",
    "FineTuneTrials": "0",
    "Exports": "",
    "CachedViews": "2",
    "TrialTimeLimitSeconds": "600",
    "ProcessingTimeLimitSeconds": "1200",
}


@pytest.fixture(scope="session", autouse=True)
def as_for_anybody() -> None:
    """Here the person's own environment counts."""


@pytest.fixture(scope="session", autouse=True)
def no_way_out() -> None:
    """These tests are about a real account."""


@pytest.fixture(scope="session")
def stack() -> Iterator[str]:
    """The name of the stack."""
    check_account()
    if DEPLOYED:
        yield DEPLOYED
        return
    place = ("--stack", STACK, "--region", os.environ[REGION])
    settings = [word for name, value in SMALL.items() for word in ("--set", f"{name}={value}")]
    try:
        seedbed("deploy", "--email", os.environ[EMAIL], "--budget", "1", *place, *settings, limit=DEPLOY_LIMIT)
        yield STACK
    finally:
        seedbed("undeploy", *place, "--yes", "--delete-data", limit=DEPLOY_LIMIT)
