"""A real AWS account: whether tests may use it, the commands that they run there, and what they wait for."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.children import ROOT
from tests.conftest import ENVIRONMENT

SWITCH, EMAIL, REGION = "SEEDBED_TEST_AWS", "SEEDBED_TEST_EMAIL", "AWS_REGION"
DEPLOYED = os.environ.get("SEEDBED_TEST_STACK", "")
"""A stack that is there already, with defaults of a person's own: it is used, and stays."""
DEPLOY_LIMIT, RUN_LIMIT, PAUSE = 3600, 7200, 15
"""In seconds: AWS has its own pace, and nothing tells from here whether it moves."""


ALLOWED = os.environ.get(SWITCH) == "1"


def check_account() -> None:
    """Skip the test unless somebody allows the use of an account; fail it if that can't be used."""
    if not ALLOWED:
        pytest.skip(f"it deploys to your AWS account and costs some cents: {SWITCH}=1 allows that")
    if os.environ.get("AWS_ACCESS_KEY_ID") == ENVIRONMENT["AWS_ACCESS_KEY_ID"]:
        pytest.fail("other tests of this session may not reach AWS: run pytest tests/aws alone")
    missing = [name for name in (EMAIL, REGION) if not os.environ.get(name)]
    if missing:
        pytest.fail(f"{' and '.join(missing)} must be set: the address that e-mails go to, and the region")
    try:
        session().client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        pytest.fail(f"AWS does not know who this is: {error}")


def session() -> boto3.session.Session:
    """The account's session in the region of the tests."""
    return boto3.session.Session(region_name=os.environ[REGION])


def seedbed(*words: str, limit: int = 600, status: int = 0) -> str:
    """Run a command as a person does, and return what it prints; its exit status must be this one."""
    command = [str(Path(sys.executable).with_name("seedbed")), *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=limit, check=False)
    assert done.returncode == status, f"{' '.join(words)}: {done.stdout}\n{done.stderr}"
    return done.stdout


def runs(stack: str) -> list[dict[str, Any]]:
    """The stack's runs, newest first."""
    listed: list[dict[str, Any]] = json.loads(seedbed("runs", "--json", "--aws", stack))["runs"]
    return listed


def wait_for(condition: Callable[[], Any], what: str, limit: int = RUN_LIMIT) -> Any:
    """The first true answer of the condition; fails the test after so many seconds."""
    end = time.monotonic() + limit
    while not (answer := condition()):
        if time.monotonic() > end:
            pytest.fail(f"{what} did not happen within {limit} s")
        time.sleep(PAUSE)
    return answer


def ended(stack: str, number: int) -> dict[str, Any]:
    """The latest run, once so many have ended."""

    def latest() -> dict[str, Any] | None:
        found = [run for run in runs(stack) if run["ended_at"]]
        return found[0] if len(found) >= number else None

    run: dict[str, Any] = wait_for(latest, f"the end of run {number}")
    return run


def starts(stack: str, run_id: str) -> list[dict[str, Any]]:
    """What each training job of a run waited and was billed for: the cost model assumes both until this was read."""
    sagemaker = session().client("sagemaker")
    found = []
    for trial in json.loads(seedbed("runs", run_id, "--json", "--aws", stack))["trials"]:
        job = sagemaker.describe_training_job(TrainingJobName=trial["name"])
        steps = [(step["Status"], step["StartTime"], step.get("EndTime")) for step in job["SecondaryStatusTransitions"]]
        found.append(
            {
                "job": job["TrainingJobName"],
                "seconds until billed": (job["TrainingStartTime"] - job["CreationTime"]).total_seconds(),
                "billed": job.get("BillableTimeInSeconds"),
                "steps": {status: (end - start).total_seconds() for status, start, end in steps if end},
            }
        )
    return found
