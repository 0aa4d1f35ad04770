"""Checks of the credentials, the region, and whether the stack is there."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ..local_cloud.clients import CONFIG
from ..stack import Stack, describe, stack_of
from ..stack_state import obstacle_of, why_unknown
from ..terminal.aws_errors import aws_sentence
from ..terminal.hints import seedbed
from ..terminal.text import printable
from .finding import Finding, failed, ok, warning

MOST_SKEW = 60
"""Seconds; AWS refuses requests from 5 minutes on."""
QUICK = Config(connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 1})
AT_ONCE = 16


@dataclass(frozen=True)
class Deployed:
    """A stack that can be used: its name, its parameters and its state."""

    name: str
    stack: Stack
    parameters: dict[str, str]

    @property
    def is_local(self) -> bool:
        """Whether AWS_ENDPOINT_URL leads to a local cloud, which has no quotas and no registry of images."""
        return self.stack.endpoint is not None


def credentials(session: boto3.session.Session) -> tuple[Finding, str]:
    """Who AWS takes the person for, and whether the clocks agree; and the account, empty if AWS does not say."""
    try:
        answer = session.client("sts", config=CONFIG).get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        return failed("Credentials", aws_sentence(error)), ""
    return identity(answer), answer["Account"]


def identity(answer: Mapping[str, Any]) -> Finding:
    """The finding about what GetCallerIdentity answered."""
    who = f"You are {printable(answer['Arn'])}."
    seconds = skew(answer["ResponseMetadata"]["HTTPHeaders"].get("date", ""))
    if abs(seconds) > MOST_SKEW:
        sentence = f"{who} This machine's clock is {abs(seconds):.0f} seconds {'ahead' if seconds > 0 else 'behind'}."
        return warning("Credentials", sentence, "Set the clock: AWS refuses requests that differ by 5 minutes.")
    return ok("Credentials", who)


def skew(date: str) -> float:
    """By how many seconds this machine's clock is ahead of the date that a server sent; 0 if it sent none."""
    try:
        return (datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds()
    except (TypeError, ValueError):
        return 0.0


def find_stack(session: boto3.session.Session, name: str) -> tuple[Finding, Deployed | None]:
    """Whether the stack is there and can be used; if it can, what the other checks look at."""
    region = session.region_name
    try:
        described = describe(session, name)
    except (BotoCoreError, ClientError) as error:
        if "does not exist" in str(error):
            return missing(session, name), None
        return failed("Stack", why_unknown(error, region)), None
    obstacle = obstacle_of(name, described)
    if obstacle:
        return failed("Stack", f"{name} in {region} can't be used: {obstacle}"), None
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", [])}
    deployed = Deployed(name, stack_of(session, described), parameters)
    return state_of(name, region, described["StackStatus"]), deployed


def state_of(name: str, region: str, status: str) -> Finding:
    """What the state of a stack that can be used means."""
    sentence = f"{name} in {region} is {status}."
    if status.endswith("IN_PROGRESS"):
        return warning("Stack", sentence, "Wait until it is complete, then run this again.")
    if "ROLLBACK" in status:
        return warning("Stack", sentence, "Its latest deployment failed; the one before it works. Deploy again.")
    return ok("Stack", sentence)


def missing(session: boto3.session.Session, name: str) -> Finding:
    """The finding about a stack that is not in this region, with the regions that have it."""
    elsewhere = list(regions_with(session, name))
    sentence = f"{name} does not exist in {session.region_name}."
    if elsewhere:
        return failed("Stack", f"{sentence} It is in {', '.join(elsewhere)}.", f"Set AWS_REGION={elsewhere[0]}")
    deploy = seedbed("deploy --email you@example.org --stack", name)
    return failed("Stack", sentence, f"Deploy it with: {deploy}")


def regions_with(session: boto3.session.Session, name: str) -> Iterator[str]:
    """The other regions in which there is a stack of this name. Those that don't answer at once are left out."""
    partition = session.get_partition_for_region(session.region_name)
    regions = session.get_available_regions("cloudformation", partition)
    others = [region for region in regions if region != session.region_name]
    clients = [session.client("cloudformation", region_name=region, config=QUICK) for region in others]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda client: has_stack(client, name), clients)
        yield from (region for region, there in zip(others, found, strict=True) if there)


def has_stack(client: Any, name: str) -> bool:
    try:
        return bool(client.describe_stacks(StackName=name)["Stacks"])
    except (BotoCoreError, ClientError):
        return False
