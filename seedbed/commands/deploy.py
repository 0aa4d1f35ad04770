"""`seedbed deploy` and `seedbed undeploy`: Seedbed on AWS, and away from it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from ..deploy.deploy import Deployed, Deployment, Wish
from ..deploy.parameters import settings_of
from ..deploy.subscription import Subscription
from ..deploy.undeploy import PACKAGES, PRICES_OF, Inventory, Left, Removal
from ..errors import SeedbedError, WrongUse
from ..stack import aws_session
from ..terminal.console import results, say
from ..terminal.hints import seedbed
from ..terminal.text import counted
from .progress import StageBars

NAME = "seedbed"
NO_YES = "Nobody can be asked whether to go ahead here: look at the list above, then run this again with --yes."
CONTINUES = "What was begun on AWS continues there. Run this again in some minutes: it takes up from where that is."
A_RUN_IS_OPEN = "The run {} is in progress, and what it uses costs money. Stop it first with: {}"
NOT_ASKED = "Whether a run is in progress could not be asked. {}"

StackName = Annotated[str, typer.Option("--stack", metavar="NAME", help="The stack's name.")]
Region = Annotated[
    str, typer.Option(metavar="REGION", help="The AWS region. By default, your profile's or AWS_REGION's.")
]


def deploy(
    email: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where e-mails go. Only the first deployment needs it.")
    ] = "",
    stack: StackName = NAME,
    budget: Annotated[
        str, typer.Option(metavar="DOLLARS", help="A run that could cost more is refused. 10 by default.")
    ] = "",
    region: Region = "",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Another parameter of template.yaml. May be repeated."),
    ] = None,
) -> None:
    """Deploy Seedbed to your AWS account, or bring it up to date. Needs no Docker, and builds what it needs there."""
    wish = Wish(stack, email, budget, settings_of(settings or []), region)
    with StageBars() as stages, continued_on_aws():
        deployed = Deployment(wish, stages.show, say).run()
    for line in outcome(deployed):
        results().print(line, soft_wrap=True)


@contextmanager
def continued_on_aws() -> Iterator[None]:
    """Whoever interrupts the block is told that this ends the command alone."""
    try:
        yield
    except KeyboardInterrupt:
        say(CONTINUES)
        raise


def outcome(deployed: Deployed) -> Iterator[str]:
    """What was deployed, whether anybody hears of it, and what to do next."""
    name, region = deployed.stack.name, deployed.account.region
    yield f"The stack {name} is deployed in {region}, account {deployed.account.number}."
    yield f"Its training image is {deployed.image}"
    yield f"A run costs at most ${deployed.bound:.2f} at the prices in the stack's parameters."
    if deployed.heard is Subscription.confirmed:
        yield f"E-mails go to {deployed.email}."
    else:
        yield f"Nobody hears of runs yet: follow the link that AWS Notifications has mailed to {deployed.email}."
    if region != aws_session().region_name:
        yield f"Later commands need the region: export AWS_REGION={region}"
    yield f"Upload images with: {seedbed('upload', 'FOLDER', aws=name)}"
    yield f"See the runs with: {seedbed('runs', aws=name)}"


def undeploy(
    stack: StackName = NAME,
    region: Region = "",
    delete_data: Annotated[
        bool, typer.Option("--delete-data", help="Also delete images, models and logs. They can't be restored.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Take Seedbed off your AWS account. Images, models and logs stay unless you ask for their deletion."""
    with StageBars() as stages:
        removal = Removal(stack, region, stages.show, say)
        found = removal.inventory()
    check_no_run(found)
    say(*plan(found, delete_data))
    if not yes:
        confirm()
    with StageBars() as stages, continued_on_aws():
        removal.delete(found, delete_data)
    for line in remains(found, delete_data):
        results().print(line, soft_wrap=True)


def check_no_run(found: Inventory) -> None:
    """Raises SeedbedError if a run is in progress, whose jobs would continue without the stack."""
    try:
        run_id = found.open_run()
    except SeedbedError as error:
        say(NOT_ASKED.format(error))
        return
    if run_id and found.stack:
        raise SeedbedError(A_RUN_IS_OPEN.format(run_id, seedbed("stop", run_id, aws=found.stack.name)))


def confirm() -> None:
    """Ask whether to go ahead. Raises SeedbedError if the answer is no, WrongUse where nobody can answer."""
    if not sys.stdin.isatty():
        raise WrongUse(NO_YES)
    if not typer.confirm("Go ahead?", err=True):
        raise SeedbedError("Nothing was deleted.")


def plan(found: Inventory, delete_data: bool) -> Iterator[str]:
    """What is about to be deleted, and what would stay."""
    yield f"In {found.account.region}, account {found.account.number}, this deletes:"
    yield from (f"  the endpoint {name}, which answers with its model" for name in found.endpoints)
    if found.stack:
        yield f"  the stack {found.stack.name}: functions, queues, API, e-mail topic and the table of runs"
    if found.room:
        yield f"  the stack {found.room.name}: {counted(found.images, 'training image')}, {size(found.image_bytes)}"
    if found.left:
        yield "and all data:" if delete_data else f"It leaves, for about ${found.monthly:.2f} a month:"
        yield from (f"  {described(each)}" for each in found.left)


def remains(found: Inventory, delete_data: bool) -> Iterator[str]:
    """What is left, what it costs, and how it is deleted."""
    if delete_data or not found.left:
        yield "All was deleted."
    else:
        yield f"Deleted. What remains costs about ${found.monthly:.2f} a month (list prices of {PRICES_OF}):"
        for each in found.left:
            yield f"  {described(each)}"
            yield f"    {command(each, found.account.region)}"
    yield "SageMaker keeps its list of jobs, at no cost, and their logs below /aws/sagemaker/ in CloudWatch."


def described(left: Left) -> str:
    """What remains, and how large it is."""
    if left.kind == PACKAGES:
        return f"the {PACKAGES} {left.name}: {left.count:,}"
    count = f"{counted(left.count, 'object')}, " if left.kind == "bucket" else ""
    return f"the {left.kind} {left.name}: {count}{size(left.size)}"


def command(left: Left, region: str) -> str:
    """How to delete what remains."""
    if left.kind == "bucket":
        return f"empty and delete it at https://{region}.console.aws.amazon.com/s3/bucket/{left.name}/empty"
    if left.kind == PACKAGES:
        group = f"aws sagemaker delete-model-package-group --region {region} --model-package-group-name {left.name}"
        return f"{group} (after its packages)" if left.count else group
    return f"aws logs delete-log-group --region {region} --log-group-name {left.name}"


def size(count: float) -> str:
    """A number of bytes, as people read it."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e8 else f"{count / 1e6:,.1f} MB"
