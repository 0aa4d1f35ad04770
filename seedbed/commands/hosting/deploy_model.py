"""`seedbed deploy-model`: a model at a serverless SageMaker endpoint, here and on AWS alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from ...errors import WrongUse
from ...hosting import packages
from ...hosting.champion import champion_of, check_unchanged, image_of
from ...hosting.endpoint import Endpoints, Serving
from ...hosting.names import check_endpoint
from ...hosting.packages import APPROVED, PENDING, Package
from ...terminal.console import results, say
from ...terminal.hints import seedbed
from ...terminal.text import printable
from ..options import OnAws, check_one_place, whole_number
from ..progress import StageBars
from .place import Place, opened
from .trying import how_to_try

MEMORY = range(1024, 6145, 1024)
SIZES = ", ".join(map(str, MEMORY))
NO_CHAMPION_THERE = "Only a stack has a champion: name a model package or its group, or the stack with --aws STACK."
ITS_OWN = "--pending is about the champion: leave out what else is to be deployed."
TWO_WISHES = "Choose one of --pending and --delete."
WAITS = "The model of run {} is registered as {}. Its status is {}."
CONTINUES = "SageMaker continues. Follow it by running this again."
DONE = "The endpoint {} serves {}."
AS_IT_WAS = "The endpoint {} serves {} already, so nothing was changed."
DELETED = "The endpoint {} was deleted, with its configuration and model. Its model packages stay."
NOTHING = "There is no endpoint {} to delete."


def memory(text: str) -> int:
    """What reads --memory: a size that serverless endpoints have."""
    if str(text) not in map(str, MEMORY):  # the default comes as a number
        raise typer.BadParameter(f"{text} is not one of {SIZES}")
    return int(text)


def deploy_model(  # noqa: PLR0913, PLR0917  each is an option of the command
    name: Annotated[
        str,
        typer.Argument(
            metavar="PACKAGE", help="A model package's ARN, or a group for its latest approved one; else the champion."
        ),
    ] = "",
    endpoint: Annotated[str, typer.Option(help="The endpoint's name. By default the stack's, or the group's.")] = "",
    memory_mb: Annotated[
        int, typer.Option("--memory", parser=memory, metavar="MB", help=f"Of the container: {SIZES}.")
    ] = 4096,
    concurrency: Annotated[
        int, typer.Option(parser=whole_number(1, 200), metavar="NUMBER", help="Requests at once, from 1 to 200.")
    ] = 5,
    pending: Annotated[
        bool, typer.Option("--pending", help="Only register the champion, as a package that waits for approval.")
    ] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Delete the endpoint, its configuration and model.")] = False,
    role: Annotated[
        str, typer.Option(metavar="ARN", help="The role of the container. By default the stack's, or your own.")
    ] = "",
    account: Annotated[
        bool, typer.Option("--account", help="Ask SageMaker by your own AWS settings, without a stack.")
    ] = False,
    aws: OnAws = "",
) -> None:
    """Serve the champion, or an approved model package, from a serverless SageMaker endpoint."""
    check_wish(name, aws, pending=pending, delete=delete, account=account)
    with opened(name, aws, account=account) as place:
        served = endpoint or place.endpoint_for(name)
        if not served:
            raise WrongUse(NO_CHAMPION_THERE)
        check_endpoint(served)
        if delete:
            take_away(place, served)
        elif pending:
            register(place, aws)
        else:
            own_role = place.role(role)
            package = chosen(place, name, aws)
            serve(place, Serving(served, package, own_role, memory_mb, concurrency, place.stack_name))


def check_wish(name: str, aws: str, *, pending: bool, delete: bool, account: bool) -> None:
    """Raises WrongUse for options that exclude one another."""
    check_one_place(aws, account=account)
    if pending and delete:
        raise WrongUse(TWO_WISHES)
    if pending and name:
        raise WrongUse(ITS_OWN)
    if account and not name and not delete:
        raise WrongUse(NO_CHAMPION_THERE)


def chosen(place: Place, name: str, aws: str) -> Package:
    """The package to deploy: the one that was named, or the champion's, which is registered and approved."""
    sagemaker = place.stack.client("sagemaker")
    if name:
        return packages.chosen(sagemaker, name, place.where)
    return packages.approve(sagemaker, champions(place, aws, APPROVED))


def register(place: Place, aws: str) -> None:
    """Register the champion for somebody else to approve."""
    package = champions(place, aws, PENDING)
    results().print(WAITS.format(package.run_id, package.arn, package.approval), soft_wrap=True)
    if package.approval != APPROVED:
        say(f"Approve it with: {packages.APPROVE.format(package.arn)}")
    say(f"Deploy it then with: {seedbed('deploy-model', package.arn, aws=aws)}")


def champions(place: Place, aws: str, approval: str) -> Package:
    """The champion's package, which is registered with this approval if there is none yet."""
    sagemaker, champion = place.stack.client("sagemaker"), champion_of(place.stack)
    found = packages.registered(sagemaker, champion, place.group)
    if found:
        return found
    check_unchanged(place.stack, champion)
    image = image_of(sagemaker, champion, aws)
    packages.make_group(sagemaker, place.group, place.stack_name)
    package = packages.register(sagemaker, champion, image, place.group, approval)
    if approval == APPROVED:
        say(f"The model of run {printable(champion.run_id)} is registered as {printable(package.arn)}")
    return package


def serve(place: Place, wanted: Serving) -> None:
    """Have the endpoint serve the package, and tell how to try it."""
    with following(place) as endpoints:
        changed = endpoints.serve(wanted)
    package = wanted.package
    model = f"the model of run {package.run_id}" if package.run_id else f"the model package {package.arn}"
    results().print((DONE if changed else AS_IT_WAS).format(wanted.endpoint, model), soft_wrap=True)
    for line in how_to_try(place.stack, wanted.endpoint):
        results().print(line, soft_wrap=True)


def take_away(place: Place, endpoint: str) -> None:
    """Delete the endpoint with all that was made for it."""
    with following(place) as endpoints:
        was_there = endpoints.take_away(endpoint)
    results().print((DELETED if was_there else NOTHING).format(endpoint), soft_wrap=True)


@contextmanager
def following(place: Place) -> Iterator[Endpoints]:
    """SageMaker's endpoints, with bars that show how far a change is. Ctrl-C says that it continues."""
    try:
        with StageBars() as bars:
            yield Endpoints(place.stack.client("sagemaker"), bars.show, place.pause)
    except KeyboardInterrupt:
        say(CONTINUES)
        raise
