"""`seedbed dlq`: messages that no function could process."""

import json
import sys

import typer

from ..dlq import DeadLetter, dead_letters, redrive
from ..terminal.console import results
from ..terminal.table import Column, FittedTable, Row
from .options import AsJson, OnAws, stack_for

COLUMNS = (
    Column("About"),
    Column("Sent", rank=2, wraps=True),
    Column("Redrivable", rank=1),
    Column("Message", rank=3, wraps=True),
)

dlq = typer.Typer(help="List or resend messages that no function could process.")


@dlq.command("list")
def list_letters(as_json: AsJson = False, aws: OnAws = "") -> None:
    """List the dead letters, oldest first."""
    with stack_for(aws) as stack:
        letters = dead_letters(stack)
    if as_json:
        sys.stdout.write(json.dumps([letter.as_json() for letter in letters], indent=2) + "\n")
        return
    if not letters:
        results().print("There are no dead letters.")
        return
    results().print(FittedTable(COLUMNS, list(map(row, letters))), crop=False)


def row(letter: DeadLetter) -> Row:
    """One dead letter's row."""
    redrivable = "yes" if letter.came_from else "no"
    return Row((letter.about, f"{letter.sent_at:%Y-%m-%d %H:%M:%S}", redrivable, letter.summary))


@dlq.command("redrive")
def resend(aws: OnAws = "") -> None:
    """Send the dead letters back to their original queues."""
    with stack_for(aws) as stack:
        sent, left = redrive(stack)
    results().print(f"Sent again: {sent}." + (f" Left, since they never were in a queue: {left}." if left else ""))
