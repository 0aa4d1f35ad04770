"""`seedbed dlq`: messages that no function could take."""

import json
import sys

import typer
from rich.table import Table
from rich.text import Text

from ..dlq import dead_letters, redrive
from .options import AsJson, OnAws, stack_for
from .progress import console

dlq = typer.Typer(no_args_is_help=True, help="Messages that no function could take: see them, send them again.")


@dlq.command("list")
def list_letters(as_json: AsJson = False, aws: OnAws = "") -> None:
    """List the dead letters, oldest first."""
    with stack_for(aws) as stack:
        letters = dead_letters(stack)
    if as_json:
        sys.stdout.write(json.dumps([letter.as_json() for letter in letters], indent=2) + "\n")
        return
    if not letters:
        console().print("There are no dead letters.")
        return
    table = Table("About", "Sent", "Can be sent again", "Message")
    for letter in letters:
        again = "yes" if letter.came_from else "no"
        table.add_row(letter.about, f"{letter.sent_at:%Y-%m-%d %H:%M:%S}", again, Text(letter.summary))
    console().print(table)


@dlq.command("redrive")
def send_again(aws: OnAws = "") -> None:
    """Send the dead letters to where they came from."""
    with stack_for(aws) as stack:
        sent, stay = redrive(stack)
    console().print(f"{sent} sent again." + (f" {stay} stay: no queue ever had them." if stay else ""))
