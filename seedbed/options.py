"""Options that several commands take."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from .home import default_home
from .stack import Stack, any_local_stack, aws_stack

OnAws = Annotated[
    str, typer.Option("--aws", metavar="STACK", help="Talk to this stack on AWS instead of this machine.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def stack_for(aws: str) -> Iterator[Stack]:
    """The stack of that name on AWS, or this machine's if the name is empty."""
    if aws:
        yield aws_stack(aws)
        return
    with any_local_stack(default_home()) as stack:
        yield stack
