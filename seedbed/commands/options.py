"""Options that several commands take."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from ..local_cloud.home.demo import home_to_query
from ..local_cloud.home.folder import Home, default_home
from ..local_cloud.home.lock import make_home
from ..local_cloud.parameters import PlanName
from ..stack import Stack, any_local_stack, aws_stack

PORT_HELP = "The port on 127.0.0.1."

OnAws = Annotated[str, typer.Option("--aws", metavar="STACK", help="Use this stack on AWS instead of this machine.")]
Trials = Annotated[int | None, typer.Option(min=1, max=750, help="The number of trials per run.")]
Plan = Annotated[PlanName, typer.Option(help="full also fine-tunes the whole network, and exports it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def stack_for(aws: str) -> Iterator[Stack]:
    """The stack of this name on AWS, or the one on this machine if the name is empty."""
    if aws:
        yield aws_stack(aws)
        return
    with any_local_stack(queried_home()) as stack:
        yield stack


@contextmanager
def stack_and_home(aws: str) -> Iterator[tuple[Stack, Home]]:
    """The stack, and the home for files fetched from it."""
    if aws:
        stack, home = aws_stack(aws), default_home()
        make_home(home)
        yield stack, home
        return
    home = queried_home()
    with any_local_stack(home) as stack:
        yield stack, home


def queried_home() -> Home:
    """The user's home, or the demo's, with a note, while the user's is unused."""
    own = default_home()
    home = home_to_query(own)
    if home != own:
        sys.stderr.write(f"Using the demo's results in {home.path}, since there is nothing in {own.path} yet.\n")
    return home
