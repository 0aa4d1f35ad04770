"""What a check finds, and how checks are made one after the other."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from ..errors import SeedbedError
from ..terminal.aws_errors import aws_sentence

DENIED = ("AccessDenied", "Unauthorized", "Authorization", "Forbidden")


class State(StrEnum):
    """`failed` is what keeps Seedbed from working, `warning` what may, or what could not be checked."""

    ok = "ok"
    warning = "warning"
    failed = "failed"


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's: what was checked, what was found, and what to do about it."""

    name: str
    state: State
    sentence: str
    next_step: str = ""

    def as_json(self) -> dict[str, str]:
        """What `seedbed doctor --json` prints of it."""
        return {**asdict(self), "state": self.state.value}


def ok(name: str, sentence: str) -> Finding:
    """A finding that needs nothing."""
    return Finding(name, State.ok, sentence)


def warning(name: str, sentence: str, next_step: str = "") -> Finding:
    """A finding that may need something."""
    return Finding(name, State.warning, sentence, next_step)


def failed(name: str, sentence: str, next_step: str = "") -> Finding:
    """A finding that keeps Seedbed from working."""
    return Finding(name, State.failed, sentence, next_step)


@dataclass(frozen=True)
class Check:
    """A check by its name, and the permissions on AWS that it needs."""

    name: str
    find: Callable[[], Iterable[Finding]]
    permissions: str = ""


def findings(checks: Iterable[Check]) -> Iterator[Finding]:
    """What the checks find, as they find it. One that can't be made is a warning, and the others are made."""
    for check in checks:
        try:
            yield from check.find()
        except ClientError as error:
            yield denied(check) if is_denied(error) else unchecked(check, aws_sentence(error))
        except (BotoCoreError, Boto3Error) as error:
            yield unchecked(check, aws_sentence(error))
        except SeedbedError as error:
            yield unchecked(check, str(error))


def is_denied(error: ClientError) -> bool:
    """Whether AWS answered that a permission is missing."""
    return str(error.response.get("Error", {}).get("Code", "")).startswith(DENIED)


def denied(check: Check) -> Finding:
    """The warning that names the permissions of a check that AWS did not allow."""
    return warning(check.name, f"You may not look: this needs {check.permissions}.", "Ask for it, if you want to know.")


def unchecked(check: Check, sentence: str) -> Finding:
    """The warning about a check that could not be made."""
    return warning(check.name, f"This could not be checked. {sentence}")
