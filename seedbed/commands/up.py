"""`seedbed up`: the local cloud, kept up."""

from typing import Annotated

import typer

from ..local_cloud.home.demo import keep
from ..local_cloud.home.folder import default_home
from ..local_cloud.parameters import PlanName, parameters
from ..local_cloud.process import local_cloud
from ..stack import local_stack
from . import progress, show
from .options import Plan, Trials


def up(
    port: Annotated[int, typer.Option(help="Where to listen on 127.0.0.1.")] = 4566,
    trials: Trials = None,
    plan: Plan = PlanName.quick,
) -> None:
    """Keep the local cloud up until Ctrl-C; it goes on where it was stopped."""
    home, console = default_home(), progress.console()
    with local_cloud(home, parameters(plan, trials), port=port) as cloud:
        keep(home)
        stack = local_stack(cloud)
        for line in (
            f"The local cloud is up at {stack.endpoint}; it answers programs that sign with this home's key alone.",
            f"Bucket {stack.bucket}, state in {home.path}, e-mails in {home.mail}.",
            "Upload a folder of images with: seedbed upload DIR",
            f"Ask for the best model with:\n  {show.curl_best(stack, home)}",
            f"For the AWS CLI, boto3 and other S3 clients:\n  {show.exports(cloud['endpoint'], cloud['credentials'])}",
            "Stop with Ctrl-C.",
        ):
            console.print(line, soft_wrap=True, markup=False, highlight=False)
        progress.print_states(stack, console)
