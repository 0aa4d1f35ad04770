"""Options that several commands take."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Annotated

import typer

from ..answers import api_at_rest
from ..errors import WrongUse
from ..local_cloud.home.demo import home_to_query
from ..local_cloud.home.folder import Home, default_home
from ..local_cloud.home.lock import make_home
from ..local_cloud.parameters import PlanName
from ..stack import Stack, any_local_stack, aws_session, aws_stack
from ..terminal.console import say
from ..watch.status import Api

TWO_PLACES = "Choose one of --aws and --account."
STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}|arn:aws[a-z-]*:cloudformation:[^\s]+:stack/[^\s]+")


def stack_name(context: typer.Context, parameter: typer.CallbackParam, name: str) -> str:
    """The value of --aws, if a stack can be called that. An empty one, as of a variable that is not set, can't."""
    given = parameter.name and str(context.get_parameter_source(parameter.name)).endswith("COMMANDLINE")
    if given and not STACK_NAME.fullmatch(name):
        raise typer.BadParameter("a stack's name is of letters, digits and hyphens, and begins with a letter.")
    return name


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """What reads an option's value: a whole number within these bounds."""

    def number(text: str) -> int:
        with suppress(ValueError):
            if least <= int(text) <= most:
                return int(text)
        raise typer.BadParameter(f"{text} is not a whole number from {least} to {most}")

    return number


Port = Annotated[
    int,
    typer.Option(
        parser=whole_number(0, 65535), metavar="NUMBER", help="The port on 127.0.0.1; 0 for any that is free."
    ),
]
OnAws = Annotated[
    str,
    typer.Option("--aws", metavar="STACK", callback=stack_name, help="Use this stack on AWS instead of this machine."),
]
Trials = Annotated[
    int | None,
    typer.Option(parser=whole_number(1, 750), metavar="NUMBER", help="The number of trials per run, from 1 to 750."),
]
Plan = Annotated[PlanName, typer.Option(help="full also fine-tunes the whole network, and makes every format.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AsJsonLines = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]


def check_one_place(aws: str, *, account: bool) -> None:
    """Raises WrongUse for both --aws and --account."""
    if aws and account:
        raise WrongUse(TWO_PLACES)


def sagemaker_without_stack(aws: str, *, account: bool) -> Stack | None:
    """SageMaker where AWS_ENDPOINT_URL leads or, with --account, in the user's account; None if a stack is meant."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_SAGEMAKER") or os.environ.get("AWS_ENDPOINT_URL")
    return Stack(aws_session(), endpoint, {}) if account or (endpoint and not aws) else None


@contextmanager
def stack_for(aws: str) -> Iterator[Stack]:
    """The stack of this name on AWS, or the one on this machine if the name is empty."""
    if aws:
        yield aws_stack(aws)
        return
    with any_local_stack(queried_home()) as stack:
        yield stack


@contextmanager
def api_for(aws: str) -> Iterator[Api]:
    """The API of that stack. That of a local cloud that is not running answers as it did last, or is started."""
    if aws:
        yield aws_stack(aws)
        return
    home = queried_home()
    with any_local_stack(home) if home.running() else api_at_rest(home) as api:
        yield api


def is_at_rest(aws: str) -> bool:
    """Whether the stack is of a local cloud that is not running, so that nothing advances."""
    return not aws and not home_to_query(default_home()).running()


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
        say(f"Using the demo's results in {home.path}, since there is nothing in {own.path} yet.")
    return home
