"""What the stack says of a run, as JSON beside the text of an e-mail, and what of it depends on this machine."""

import re
import shlex
from pathlib import Path

import msgspec

from ...terminal.hints import seedbed
from ..access.credentials import ACCOUNT

ADDRESS = re.compile(r"^s3://(\S+)$", re.MULTILINE)
RUN_ID = re.compile(r"sb-[0-9a-f]+-[0-9]+")


class Line(msgspec.Struct):
    """A line of a section; `arguments` are what a command gives to `seedbed`."""

    form: str
    text: str
    name: str = ""
    arguments: tuple[str, ...] = ()


class Section(msgspec.Struct):
    """Lines under a title."""

    title: str
    lines: tuple[Line, ...]


class Scores(msgspec.Struct):
    """How good the model is: shares from 0 to 1."""

    test_images: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    difference: float | None = None
    under_changes: float | None = None


class Notification(msgspec.Struct):
    """What an e-mail shows of a run; `kind` and `outcome` are as docs/notifications.md lists them."""

    kind: str
    outcome: str
    run_id: str
    subject: str
    summary: tuple[str, ...]
    sections: tuple[Section, ...]
    scores: Scores | None = None


def read(content: object) -> Notification | None:
    """The notification in an e-mail's JSON; None if there is none, or it names no run."""
    if not isinstance(content, str):
        return None
    try:
        found = msgspec.json.decode(content, type=Notification)
    except msgspec.MsgspecError:
        return None
    return found if RUN_ID.fullmatch(found.run_id) else None


def on_this_machine(body: str, notification: Notification | None, home: Path) -> str:
    """The text with commands for this home, and the addresses of files on this disk, which outlast the cloud.

    The lines of the notification are changed, too.
    """
    for line in (line for section in (notification.sections if notification else ()) for line in section.lines):
        if line.arguments:
            here = seedbed(*map(shlex.quote, line.arguments), home=home)
            body = body.replace(f"\n    {line.text}\n", f"\n    {here}\n")
            line.text = here
        elif line.form == "address":
            line.text = with_files(line.text, home)
    return with_files(body, home)


def with_files(text: str, home: Path) -> str:
    """The text with the files of s3:// addresses that have a line of their own."""
    bucket = home.absolute() / "s3" / ACCOUNT
    return ADDRESS.sub(lambda found: (bucket / found[1]).as_uri(), text)
