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

OnAws = Annotated[
    str, typer.Option("--aws", metavar="STACK", help="Talk to this stack on AWS instead of this machine.")
]
Trials = Annotated[int | None, typer.Option(min=1, max=750, help="How many heads a run tries.")]
Plan = Annotated[PlanName, typer.Option(help="Train heads alone, or the whole network too and export it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def stack_for(aws: str) -> Iterator[Stack]:
    """The stack of that name on AWS, or this machine's if the name is empty."""
    if aws:
        yield aws_stack(aws)
        return
    with any_local_stack(queried_home()) as stack:
        yield stack


@contextmanager
def stack_and_home(aws: str) -> Iterator[tuple[Stack, Home]]:
    """The stack, and the home where what is fetched from it is kept."""
    if aws:
        stack, home = aws_stack(aws), default_home()
        make_home(home)
        yield stack, home
        return
    home = queried_home()
    with any_local_stack(home) as stack:
        yield stack, home


def queried_home() -> Home:
    """The home that answers here; if it is the demo's, for want of one's own, that is said."""
    own = default_home()
    home = home_to_query(own)
    if home != own:
        sys.stderr.write(f"The demo's home {home.path} answers, as long as there is nothing in {own.path}.\n")
    return home
