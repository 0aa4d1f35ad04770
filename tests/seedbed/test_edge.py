"""The edge of every command: each error becomes one sentence, and what is printed suits whoever reads it."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from boto3.exceptions import Boto3Error, RetriesExceededError
from botocore import exceptions as botocore
from botocore.exceptions import ClientError

from seedbed import cli
from seedbed.errors import NoModel
from seedbed.terminal import edge
from tests.children import run
from tests.seedbed.commands import Person

SEEDBED = Path(sys.executable).with_name("seedbed")
FULL = Path("/dev/full")


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Person:
    return Person(monkeypatch, capsys)


def refused(code: str, message: str = "said by AWS") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStacks")


OUTPUTS = [{"OutputKey": name, "OutputValue": "x"} for name in ("ApiUrl", "BucketName")]


def of_system(number: int, path: str | None = "/photos/a.png") -> OSError:
    return OSError(number, os.strerror(number), path)


ERRORS: list[tuple[BaseException, str]] = [
    (of_system(errno.ENOSPC), "The disk is full. Make room at /photos/a.png"),
    (of_system(errno.EDQUOT, None), "The disk is full. Make room at "),
    (of_system(errno.EACCES), "/photos/a.png may not be used by you: change its permissions"),
    (of_system(errno.EROFS), "/photos/a.png is on a disk that can't be written to"),
    (of_system(errno.ENOENT), "/photos/a.png does not exist"),
    (of_system(errno.EISDIR), "/photos/a.png is a folder"),
    (of_system(errno.ENOTDIR), "/photos/a.png is not a folder"),
    (of_system(errno.ENAMETOOLONG), "/photos/a.png has too long a name"),
    (of_system(errno.ELOOP), "/photos/a.png is a link that leads to itself"),
    (of_system(errno.EMFILE), "Too many files are open"),
    (of_system(errno.ENOMEM, None), "There is too little memory"),
    (of_system(errno.EBUSY), "/photos/a.png can't be used: Device or resource busy."),
    (OSError(errno.EACCES, "Permission denied", b"/ph\xffotos"), "/ph?otos may not be used"),
    (FileNotFoundError(2, "No usable temporary directory found in ['/tmp']"), "No folder for temporary files can be"),
    (MemoryError(), "There is too little memory"),
    (ValueError("internal"), "This is a mistake in Seedbed"),
    (botocore.NoCredentialsError(), "No AWS credentials were found. Sign in"),
    (botocore.PartialCredentialsError(provider="env", cred_var="key"), "Your AWS credentials are incomplete."),
    (botocore.TokenRetrievalError(provider="sso", error_msg="x"), "Your AWS credentials have expired."),
    (botocore.UnauthorizedSSOTokenError(), "Your AWS credentials have expired."),
    (botocore.NoRegionError(), "No AWS region was given."),
    (botocore.InvalidRegionError(region_name="here"), "There is no AWS region here that this release knows."),
    (
        botocore.EndpointConnectionError(endpoint_url="https://sts.us-east-99.amazonaws.com/"),
        "There is no AWS region us-east-99 that this release knows.",
    ),
    (botocore.ProfileNotFound(profile="[red]x"), "There is no AWS profile [red]x."),
    (botocore.ConfigParseError(path="/home/you/.aws/config"), "/home/you/.aws/config can't be read"),
    (botocore.EndpointConnectionError(endpoint_url="https://s3.x/"), "AWS can't be reached at https://s3.x/."),
    (botocore.ConnectTimeoutError(endpoint_url="https://s3.x/"), "AWS can't be reached at https://s3.x/."),
    (botocore.ReadTimeoutError(endpoint_url="https://s3.x/"), "AWS can't be reached at https://s3.x/."),
    (botocore.EndpointConnectionError(endpoint_url="http://127.0.0.1:1/"), "The local cloud at http://127.0.0.1:1/"),
    (botocore.ProxyConnectionError(proxy_url="http://p"), "The proxy for AWS can't be reached."),
    (botocore.SSLError(endpoint_url="https://s3.x/", error=OSError()), "The connection to AWS is not trusted"),
    (RetriesExceededError(Boto3Error()), "AWS can't be reached."),
    (botocore.UnknownServiceError(service_name="x", known_service_names="y"), "AWS can't be asked: Unknown service"),
    (refused("ExpiredToken"), "Your AWS credentials have expired."),
    (refused("InvalidClientTokenId"), "AWS does not accept your credentials."),
    (refused("SignatureDoesNotMatch"), "AWS does not accept your credentials."),
    (refused("Throttling"), "AWS takes no more requests for the moment"),
    (refused("SlowDown"), "AWS takes no more requests for the moment"),
    (refused("RequestTimeTooSkewed"), "This machine's clock is wrong"),
    (refused("ServiceUnavailable"), "AWS could not answer"),
    (refused("AccessDenied", "You are not authorized to do x"), "You may not do that on AWS: You are not authorized"),
    (refused("InsufficientCapacity", "Make room\non it"), "Make room on it."),
    (refused("404", ""), "DescribeStacks failed (404)."),
]


@pytest.mark.parametrize(
    ("error", "sentence"), ERRORS, ids=[f"{n}-{type(e).__name__}" for n, (e, _) in enumerate(ERRORS)]
)
def test_an_error_ends_in_a_sentence(person: Person, error: BaseException, sentence: str) -> None:
    def fail(**_: object) -> None:
        raise error

    person.monkeypatch.setattr(cli, "app", fail)

    outcome = person.runs("best")

    outcome.assert_is_sentence(status=1)
    assert outcome.notes.startswith(f"Error: {sentence}")


def test_a_mistake_of_seedbed_shows_where_it_is_when_asked(person: Person) -> None:
    def fail(**_: object) -> None:
        raise ValueError("internal")

    person.monkeypatch.setattr(cli, "app", fail)
    person.monkeypatch.setenv(edge.TRACEBACK, "1")

    with pytest.raises(ValueError, match="internal"):
        person.runs("best")


def stack_of(answer: dict[str, Any]) -> Callable[..., Any]:
    """A stack of which every question has this answer."""

    class Answers:
        def get(self, path: str) -> dict[str, Any]:
            return answer

    return lambda *_: nullcontext(Answers())


@pytest.fixture
def long_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    run = {"state": "Failed", "created_at": "2026-01-01T00:00", "images": 1, "test_accuracy": 0.5, "cost_usd": 0.0}
    runs = [{**run, "run_id": f"sb-{number}", "won": False, "reason": "Küche"} for number in range(2000)]
    monkeypatch.setattr("seedbed.commands.runs.api_for", stack_of({"runs": runs, "pending": None}))


@pytest.mark.parametrize("words", [["runs"], ["runs", "--json"]], ids=" ".join)
def test_output_that_nobody_reads_ends_a_command_quietly(person: Person, long_answer: None, words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as pipe:
        person.monkeypatch.setattr(sys, "stdout", pipe)

        outcome = person.runs(*words)

    assert (outcome.status, outcome.notes) == (141, "")


@pytest.mark.parametrize("words", [["runs"], ["runs", "--json"]], ids=" ".join)
def test_output_onto_a_full_disk_is_a_sentence(person: Person, long_answer: None, words: list[str]) -> None:
    if not FULL.exists():
        pytest.skip(f"Only Linux has {FULL}.")
    with FULL.open("w", encoding="utf-8") as full:
        person.monkeypatch.setattr(sys, "stdout", full)

        outcome = person.runs(*words)

    outcome.assert_is_sentence(status=1)
    assert outcome.notes.startswith("Error: The disk is full.")


def test_a_character_that_the_terminal_lacks_is_a_question_mark(
    person: Person, long_answer: None, tmp_path: Path
) -> None:
    with (tmp_path / "terminal").open("w", encoding="ascii") as terminal:
        person.monkeypatch.setattr(sys, "stdout", terminal)

        outcome = person.runs("runs")

    assert outcome.status == 0
    assert "sb-7: K?che" in (tmp_path / "terminal").read_text(encoding="ascii")


@pytest.mark.parametrize(
    ("shell", "statuses"),
    [
        ('"$0" --help | head -1; exit ${PIPESTATUS[0]}', {0, 141}),
        ('"$0" --version >&-', {0}),
        ('"$0" best 2>&-', {1}),
        ('LC_ALL=C PYTHONIOENCODING=ascii "$0" --help', {0}),
        ('LC_ALL=C PYTHONIOENCODING=ascii "$0" best --aws=é', {2}),
    ],
)
def test_a_shell_sees_no_traceback(tmp_path: Path, shell: str, statuses: set[int]) -> None:
    environment = {**os.environ, "SEEDBED_HOME": str(tmp_path / "home")}
    done = run(["bash", "-c", shell, SEEDBED], env=environment, stderr=subprocess.PIPE)

    assert done.returncode in statuses, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.parametrize(
    ("stacks", "said"),
    [
        (refused("ValidationError", "Stack with id mine does not exist"), "It does not exist in eu-west-1."),
        (refused("ExpiredToken"), "Your AWS credentials have expired."),
        (refused("Throttling"), "AWS takes no more requests"),
        (botocore.NoRegionError(), "No AWS region was given."),
        (botocore.EndpointConnectionError(endpoint_url="https://cloudformation.x/"), "AWS can't be reached"),
        ([{"StackStatus": "CREATE_IN_PROGRESS"}], "It is not ready yet (CREATE_IN_PROGRESS): wait until it is"),
        ([{"StackStatus": "ROLLBACK_COMPLETE"}], "Its first deployment failed (ROLLBACK_COMPLETE). Delete it with: "),
        ([{"StackStatus": "REVIEW_IN_PROGRESS"}], "It was never deployed"),
        ([{"StackStatus": "DELETE_IN_PROGRESS", "Outputs": OUTPUTS}], "It is being deleted."),
        ([{"StackStatus": "DELETE_FAILED", "Outputs": OUTPUTS}], "Only a part of it was deleted"),
        ([{"StackStatus": "CREATE_COMPLETE"}], "It is not a stack of Seedbed's. Name another."),
    ],
    ids=str,
)
@pytest.mark.parametrize("words", [["best"], ["dlq", "list", "--json"], ["upload", "."]], ids=" ".join)
def test_a_stack_that_cant_be_used_is_a_sentence(person: Person, words: list[str], stacks: Any, said: str) -> None:
    class Session:
        def __init__(self, region_name: str) -> None:
            self.region_name = region_name

        def client(self, *_: object, **__: object) -> "Session":
            return self

        def describe_stacks(self, **_: object) -> dict[str, Any]:
            if isinstance(stacks, Exception):
                raise stacks
            return {"Stacks": stacks}

    person.monkeypatch.setattr("boto3.session.Session", Session)
    person.monkeypatch.setenv("AWS_REGION", "eu-west-1")

    outcome = person.runs(*words, "--aws", "mine")

    outcome.assert_is_sentence(status=1)
    assert outcome.notes.startswith("Error: The stack mine ")
    assert said in outcome.notes


def test_the_help_lists_every_exit_status(person: Person) -> None:
    help_text = " ".join(person.runs("--help").output.split())

    for status in (0, edge.FAILED, edge.WRONG, edge.NO_MODEL, edge.INTERRUPTED, edge.UNREAD):
        assert f" {status} " in help_text
    assert edge.end_with(NoModel("sb-1 failed: no image.")) == 3
