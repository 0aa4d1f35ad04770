"""`seedbed doctor` as a person gives it."""

import json
import re
from pathlib import Path

import pytest

from seedbed.commands.doctor import print_finding
from seedbed.doctor.finding import Finding, State
from seedbed.terminal.console import PlainConsole
from tests.contract.people import STACK
from tests.doctor.conftest import World
from tests.seedbed.commands import NOT_FOR_PEOPLE, Person

EXPIRED = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def states(output: str) -> dict[str, str]:
    """Each check's state, the last of those with the same name."""
    return {name: state for state, name in re.findall(r"^(ok|warning|failed) +([\w -]+):", output, re.MULTILINE)}


def test_a_stack_that_has_all_is_well(person: Person, world: World) -> None:
    world.deploy()
    world.push_image()

    outcome = person.runs("doctor", "--aws", STACK)

    assert (outcome.status, outcome.notes) == (0, ""), outcome
    found = states(outcome.output)
    assert found.pop("E-mail") == "warning"
    assert set(found) == {"Credentials", "Stack", "Quota", "Image", "Alarms", "Dead letters", "Runs", "Cost"}
    assert set(found.values()) == {"ok"}


def test_a_quota_of_zero_is_told_before_anything_is_deployed(person: Person, world: World) -> None:
    world.account.applied = dict.fromkeys(world.account.applied, 0.0)

    outcome = person.runs("doctor", "--aws", STACK)

    assert outcome.status == 1
    assert states(outcome.output) == {"Credentials": "ok", "Stack": "failed", "Quota": "failed"}
    assert re.search(r"ml\.m5\.large for (spot )?training job usage: 0, and a run needs \d", outcome.output)
    assert "us-east-1.console.aws.amazon.com/servicequotas/home/services/sagemaker/quotas/L-" in outcome.output
    assert re.fullmatch(r"Error: \d of \d checks failed\. .*\n", outcome.notes)


def test_quotas_that_may_not_be_listed_are_a_warning(person: Person, world: World) -> None:
    world.deploy()
    world.account.denies = True

    outcome = person.runs("doctor", "--aws", STACK)

    assert states(outcome.output)["Quota"] == "warning"
    assert "servicequotas:ListServiceQuotas" in outcome.output


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (dict.fromkeys(EXPIRED, ""), "Credentials: No AWS credentials were found."),
        ({"AWS_PROFILE": "nobody"}, "Credentials: There is no AWS profile nobody."),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, "Region: No AWS region was given."),
    ],
)
def test_without_an_account_there_is_one_finding(
    person: Person, world: World, changes: dict[str, str], said: str
) -> None:
    with person.monkeypatch.context() as patch:  # which ends before moto gives back the credentials that it hid
        for name, value in changes.items():
            patch.setenv(name, value) if value else patch.delenv(name)
        outcome = person.runs("doctor", "--aws", STACK)

    assert outcome.status == 1
    assert said in outcome.output
    assert len(states(outcome.output)) == 1
    assert not NOT_FOR_PEOPLE.search(outcome.output + outcome.notes)


def test_findings_are_json_for_programs(person: Person, world: World) -> None:
    world.deploy()

    outcome = person.runs("doctor", "--json", "--aws", STACK)

    assert outcome.status == 1
    found = json.loads(outcome.output)
    assert {"name", "state", "sentence", "next_step"} == set(found[0])
    assert [finding["name"] for finding in found if finding["state"] == "failed"] == ["Image"]


def test_a_finding_on_a_terminal_breaks_no_address(capsys: pytest.CaptureFixture[str]) -> None:
    address = f"https://us-east-1.console.aws.amazon.com/servicequotas/home/services/sagemaker/quotas/L-{99 * '0'}"
    console = PlainConsole()
    console._force_terminal, console._width = True, 40

    print_finding(console, Finding("Quota", State.failed, "ml.m5.large is 0, and a run needs 4.", f"See {address}"))

    lines = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out).splitlines()
    assert lines[0] == "failed  Quota: ml.m5.large is 0, and a"
    assert [line for line in lines if len(line) > 40] == [f"          {address}"]


def test_a_home_that_cant_be_used_fails_and_the_rest_is_checked(
    person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SEEDBED_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setattr("seedbed.doctor.packages.LOAD", "print('1 2 3')")
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    outcome = person.runs("doctor")

    assert outcome.status == 1
    found = states(outcome.output)
    assert [name for name, state in found.items() if state == "failed"] == ["Home"]
    assert {"Python", "Disk", "Memory", "Port", "Packages", "Docker", "TensorFlow", "Package index"} <= set(found)
