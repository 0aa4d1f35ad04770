"""The edge of every command: each error ends in one sentence on standard error, with the exit status of its kind.

2: it was asked for in a wrong way. 1: it could not be done. 3: the run that it waited for ended without a model.
128 and a signal's number: it was ended, 141 where nothing reads its output any more.
"""

import contextlib
import errno
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import typer
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from ..errors import AlreadyPrinted, NoModel, SeedbedError, WrongUse
from .aws_errors import aws_sentence
from .console import say
from .system_errors import system_sentence
from .text import printable

UsageError: Any = typer.BadParameter.__base__
FAILED, WRONG, NO_MODEL, INTERRUPTED, UNREAD = 1, 2, 3, 128 + signal.SIGINT, 128 + signal.SIGPIPE
STATUSES = (
    f"Exit status: 0 done, {FAILED} it could not be done, {WRONG} wrong arguments, {NO_MODEL} the run that was waited "
    f"for ended without a model, {INTERRUPTED} interrupted, {UNREAD} nobody reads the output any more."
)
"""What the program's help says of it."""
TRACEBACK = "SEEDBED_TRACEBACK"
FAULT = (
    f"This is a mistake in Seedbed, not yours. Please report it, with what this prints when {TRACEBACK}=1 is set "
    "before it."
)
NO_MEMORY = "There is too little memory: close some programs, then run this again."


def run(app: Callable[..., Any], program: str) -> int:
    """Run a typer app with the process's arguments, and return its exit status. `program` is what people call it."""
    make_streams_take_any_text()
    try:
        status = app(prog_name=program, standalone_mode=False)
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001  whatever it is, a person reads a sentence
        return end_with(error)
    return status if isinstance(status, int) else 0


def end_with(error: BaseException) -> int:
    """Print the sentence about an error, and return the exit status."""
    if was_left_unread(error):
        stop_writing()
        return UNREAD
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return INTERRUPTED
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else FAILED if error.code else 0
    if isinstance(error, UsageError):
        say(*usage_lines(error))
        return int(error.exit_code)
    if os.environ.get(TRACEBACK):
        raise error
    if isinstance(error, OSError) and error.filename is None:
        stop_writing()  # standard output may be what failed; it would fail again at the end
    if not isinstance(error, AlreadyPrinted):
        with contextlib.suppress(OSError):
            say(f"Error: {sentence(error)}")
    return WRONG if isinstance(error, WrongUse) else NO_MODEL if isinstance(error, NoModel) else FAILED


def sentence(error: BaseException) -> str:
    """What a person reads instead of an error."""
    if isinstance(error, SeedbedError):
        return printable(error)
    if isinstance(error, ClientError | BotoCoreError | Boto3Error):
        return aws_sentence(error)
    if isinstance(error, OSError):
        return system_sentence(error)
    return NO_MEMORY if isinstance(error, MemoryError) else FAULT


def usage_lines(error: Any) -> tuple[str, ...]:
    """How the command is used, and what was wrong with how it was."""
    said = printable(" ".join(error.format_message().split())).replace("Value error, ", "").rstrip(".")
    if error.ctx is None:
        return (f"Error: {said}.",)
    command, path = error.ctx.command, error.ctx.command_path
    if hasattr(command, "list_commands"):
        said = f"{said}. Choose one of {', '.join(command.list_commands(error.ctx))}"
    return error.ctx.get_usage().strip(), f"Error: {said}. See: {path} --help"


def was_left_unread(error: BaseException) -> bool:
    """Whether the reader of standard output has ended, as `head` does. Rich and click make a SystemExit of that."""
    cause = error.__context__ if isinstance(error, SystemExit) else error
    return isinstance(cause, OSError) and cause.errno == errno.EPIPE


def stop_writing() -> None:
    """Nothing more goes to standard output, so that nothing can fail when Python closes it."""
    with contextlib.suppress(OSError, ValueError):
        output = sys.stdout.fileno()
        os.dup2(os.open(os.devnull, os.O_WRONLY), output)


def make_streams_take_any_text() -> None:
    """A character that the terminal's encoding lacks is printed as a question mark; a closed stream takes anything."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115  until the end
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
