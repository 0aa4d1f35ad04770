"""`seedbed ranges`: the ranges that the next runs search, checked and put into the bucket."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from ...bundle import FUNCTIONS
from ...errors import SeedbedError, WrongUse
from ...stack import Stack
from ...terminal.console import results, say
from ...terminal.hints import seedbed
from ...terminal.text import printable
from ...trainer_rules import reason_of
from ..options import OnAws, stack_for

KEY = "search-space.json"
LARGEST = 64 * 1024
CHECK = """
import sys
sys.path.insert(0, sys.argv[1])
from job_manager.aws.search_space_file import read_ranges
from job_manager.domain.errors import RunRefused
from job_manager.domain.ranges import check_ranges
try:
    check_ranges(read_ranges(sys.stdin.buffer.read()))
except RunRefused as error:
    sys.exit(str(error))
"""
CHECK_SECONDS = 60
IN_USE = "The next run searches these ranges. Start it now: {}"
USUAL = "The next run searches the usual ranges."
NONE_YET = "There are no ranges in the bucket: runs search the usual ones."


def ranges(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Search the ranges in this JSON file.")] = None,
    usual: Annotated[bool, typer.Option("--usual", help="Search the usual ranges again.")] = False,
    aws: OnAws = "",
) -> None:
    """Choose the ranges of hyperparameters that the next runs search, or print those that were chosen."""
    if file and usual:
        raise WrongUse("Choose one of FILE and --usual.")
    content = checked(file) if file else b""
    with stack_for(aws) as stack:
        s3 = stack.client("s3")
        if file:
            s3.put_object(Bucket=stack.bucket, Key=KEY, Body=content)
            results().print(IN_USE.format(seedbed("run", aws=aws)), soft_wrap=True)
        elif usual:
            s3.delete_object(Bucket=stack.bucket, Key=KEY)
            results().print(USUAL)
        else:
            show(stack)


def show(stack: Stack) -> None:
    """Print the ranges in the bucket."""
    s3 = stack.client("s3")
    try:
        with s3.get_object(Bucket=stack.bucket, Key=KEY)["Body"] as body:
            content = body.read(LARGEST)
    except s3.exceptions.NoSuchKey:
        say(NONE_YET)
        return
    lines = content.decode("utf-8", "replace").splitlines()
    sys.stdout.write("".join(f"{printable(line)}\n" for line in lines))


def checked(file: Path) -> bytes:
    """The file's content. Raises SeedbedError, with what is wrong where, if it holds no ranges that can be searched."""
    shown = printable(str(file))
    if not file.is_file():
        raise SeedbedError(f"{shown} is not a file.")
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
    except OSError as error:
        raise SeedbedError(f"{shown} can't be read: {reason_of(error)}.") from error
    command = [sys.executable, "-I", "-B", "-c", CHECK, str(FUNCTIONS)]
    environment = {"PATH": os.environ.get("PATH", "")}
    done = subprocess.run(
        command, env=environment, input=content, capture_output=True, check=False, timeout=CHECK_SECONDS
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason was given"]
        raise SeedbedError(printable(said[-1]).replace(KEY, shown, 1))
    return content
