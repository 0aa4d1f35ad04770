"""`seedbed up`: a local cloud that runs until Ctrl-C."""

from ..answers import answers_kept, last_answers
from ..local_cloud.home.demo import keep
from ..local_cloud.home.folder import default_home
from ..local_cloud.parameters import PlanName, parameters
from ..local_cloud.process import local_cloud
from ..stack import local_stack
from ..terminal.console import results
from ..terminal.hints import seedbed
from . import progress, show
from .options import Plan, Port, Trials


def up(
    port: Port = 4566,
    trials: Trials = None,
    plan: Plan = PlanName.quick,
) -> None:
    """Run the local cloud until Ctrl-C. It resumes where it was stopped."""
    home, console = default_home(), results()
    with answers_kept(home) as keep_answers, local_cloud(home, parameters(plan, trials), port=port) as cloud:
        keep(home)
        stack = local_stack(cloud)
        for line in (
            f"The local cloud is running at {stack.endpoint}. It accepts only requests signed with this home's key.",
            f"The bucket is {stack.bucket}, the state is in {home.path}, e-mails are in {home.mail}.",
            f"Upload a folder of images with: {seedbed('upload', 'FOLDER')}",
            f"See it in a browser with: {seedbed('dashboard')}",
            f"Get the best model with:\n  {show.curl_best(stack, home)}",
            f"Use the AWS CLI or boto3 after:\n  {show.exports(cloud['endpoint'], cloud['credentials'])}",
            show.STOP_HINT,
        ):
            console.print(line, soft_wrap=True)
        try:
            progress.print_states(stack, console)
        finally:
            keep_answers(last_answers(stack))
