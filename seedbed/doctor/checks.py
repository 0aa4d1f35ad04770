"""The checks in their order: those of this machine, and those of a stack on AWS."""

from collections.abc import Callable, Iterator, Mapping

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ..local_cloud.clients import CONFIG
from ..local_cloud.home.folder import Home
from ..stack import aws_session
from ..terminal.aws_errors import aws_sentence
from . import deployed as of_deployed
from . import image, machine, packages, quotas
from .account import Deployed, credentials, find_stack
from .finding import Check, Finding, failed, findings
from .plan import defaults, needs

NO_REGION = "No AWS region was given."


def of_machine(home: Home) -> Iterator[Finding]:
    """What this machine has, and what it lacks."""
    checks: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
        ("Python", machine.python),
        ("Home", lambda: machine.home_folder(home)),
        ("Disk", lambda: machine.disk(home)),
        ("Memory", machine.memory),
        ("Port", lambda: machine.port(home)),
        ("Packages", packages.installed),
        ("Docker", lambda: packages.docker(home)),
        ("Package index", packages.package_index),
        ("TensorFlow", packages.tensorflow),
    ]
    yield from findings(Check(name, find) for name, find in checks)


def of_stack(name: str) -> Iterator[Finding]:
    """What a stack on AWS has, and what it lacks. Where there is none, the account's quotas are still looked at."""
    try:
        session = aws_session()
    except BotoCoreError as error:
        yield failed("Credentials", aws_sentence(error))
        return
    if not session.region_name:
        yield failed("Region", NO_REGION, "Name the stack's region in AWS_REGION, then run this again.")
        return
    who, account = credentials(session)
    yield who
    if account:
        found, deployed = find_stack(session, name)
        yield found
        parameters = {**defaults(), **(deployed.parameters if deployed else {})}
        if not (deployed and deployed.is_local):
            yield from findings([Check("Quota", lambda: of_quotas(session, parameters), quotas.PERMISSIONS)])
        yield from findings(checks_of(deployed, account) if deployed else [])


def checks_of(deployed: Deployed, account: str) -> list[Check]:
    """The checks of a stack that can be used, with the permissions that they need. A local cloud has no registry."""
    of_image = Check("Image", lambda: image.training_image(deployed, account), image.PERMISSIONS)
    return [
        *([] if deployed.is_local else [of_image]),
        Check("E-mail", lambda: of_deployed.subscription(deployed), "sns:ListSubscriptionsByTopic"),
        Check(
            "Alarms",
            lambda: of_deployed.alarms(deployed),
            "cloudformation:ListStackResources and cloudwatch:DescribeAlarms",
        ),
        Check("Dead letters", lambda: of_deployed.dead_letters(deployed), "sqs:GetQueueAttributes"),
        Check("API", lambda: of_deployed.runs(deployed)),
    ]


def of_quotas(session: boto3.session.Session, parameters: Mapping[str, str]) -> Iterator[Finding]:
    """SageMaker's quotas beside what a run with these parameters needs."""
    client, wanted = session.client("service-quotas", config=CONFIG), needs(parameters)
    known = quotas.known_quotas(client, wanted)
    try:
        asked = quotas.requested(client)
    except (BotoCoreError, ClientError):  # it only explains what is known already
        asked = {}
    yield from quotas.compared(wanted, known, asked, session.region_name)
