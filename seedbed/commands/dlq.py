"""`seedbed dlq`: messages that no function could process."""

import json
import sys

import typer
from rich.table import Table

from ..dlq import dead_letters, redrive
from ..terminal.console import results
from .options import AsJson, OnAws, stack_for

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
    table = Table("About", "Sent", "Redrivable", "Message")
    for letter in letters:
        redrivable = "yes" if letter.came_from else "no"
        table.add_row(letter.about, f"{letter.sent_at:%Y-%m-%d %H:%M:%S}", redrivable, letter.summary)
    results().print(table)


@dlq.command("redrive")
def resend(aws: OnAws = "") -> None:
    """Send the dead letters back to their original queues."""
    with stack_for(aws) as stack:
        sent, left = redrive(stack)
    results().print(f"Sent again: {sent}." + (f" Left, since they never were in a queue: {left}." if left else ""))
