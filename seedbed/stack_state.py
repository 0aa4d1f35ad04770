"""Whether a stack that CloudFormation describes is Seedbed's and can be used, and what to do if not."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .terminal.aws_errors import aws_sentence
from .terminal.hints import seedbed

NEEDED = {"ApiUrl", "BucketName"}
NO_STACK = "It does not exist in {}. Check its name, and the region in AWS_REGION."
NOT_OURS = "It is not a stack of Seedbed's. Name another."
AGAIN = "then run this again."
BEING_DELETED = "It is being deleted. Name another, or deploy it again once it is gone."
NEVER_DEPLOYED = "It was never deployed: its change set still waits to be executed. Execute that, or deploy it again."
ROLLED_BACK = "Its first deployment failed ({}). Delete it with: {}. Then deploy it again."
HALF_DELETED = "Only a part of it was deleted (DELETE_FAILED). Delete the rest with: {}"
FAILED_AT_FIRST = {"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"}


def outputs_of(described: Mapping[str, Any]) -> dict[str, str]:
    """A stack's outputs."""
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def obstacle_of(name: str, described: Mapping[str, Any]) -> str:
    """Why the stack can't be used, and what to do; empty if it can. One that is being updated can be used."""
    status = described.get("StackStatus", "unknown")
    delete = seedbed("undeploy --stack", name)
    if status.startswith("DELETE"):
        return HALF_DELETED.format(delete) if status == "DELETE_FAILED" else BEING_DELETED
    if outputs_of(described).keys() >= NEEDED:
        return ""
    if status == "REVIEW_IN_PROGRESS":
        return NEVER_DEPLOYED
    if status in FAILED_AT_FIRST:
        return ROLLED_BACK.format(status, delete)
    if status.endswith("IN_PROGRESS"):
        return f"It is not ready yet ({status}): wait until it is, {AGAIN}"
    return NOT_OURS


def why_unknown(error: BotoCoreError | ClientError, region: str | None) -> str:
    """What the error of DescribeStacks means to a person."""
    if "does not exist" in str(error):
        return NO_STACK.format(region or "this AWS region")
    return aws_sentence(error)
