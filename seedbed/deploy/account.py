"""Whose account, and which region: asked before anything else, as nothing else works without."""

import difflib
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ..errors import SeedbedError, WrongUse
from ..local_cloud.clients import CONFIG
from ..stack import aws_session
from ..terminal.aws_errors import aws_sentence

AT_ONCE = Config(retries={"mode": "standard", "max_attempts": 2})
"""Who is offline need not wait for many attempts."""
NO_REGION = "No AWS region was given. Name the one to deploy to, such as: --region eu-central-1"
NO_ACCOUNT = "Your AWS account can't be used: {}"


@dataclass(frozen=True)
class Account:
    """An account and region of AWS, by the user's own credentials."""

    session: boto3.session.Session
    number: str
    region: str
    _clients: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def client(self, service: str) -> Any:
        """A boto3 client, created once."""
        if service not in self._clients:
            self._clients[service] = self.session.client(service, config=CONFIG)  # type: ignore[call-overload]
        return self._clients[service]


def sign_in(region: str) -> Account:
    """The account that the user's credentials belong to. Raises SeedbedError if there are none, or no such region."""
    try:
        session = aws_session(region)
        if not session.region_name:
            raise WrongUse(NO_REGION)
        check_region(session)
        number = caller_of(session)
    except (BotoCoreError, ClientError) as error:
        raise SeedbedError(NO_ACCOUNT.format(aws_sentence(error))) from error
    return Account(session, number, session.region_name)


def caller_of(session: boto3.session.Session) -> str:
    """The number of the account that the credentials belong to."""
    number: str = session.client("sts", config=CONFIG.merge(AT_ONCE)).get_caller_identity()["Account"]
    return number


def check_region(session: boto3.session.Session) -> None:
    """Raises WrongUse if AWS has no such region, or no SageMaker there."""
    known = [
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("sagemaker", partition)
    ]
    if session.region_name in known:
        return
    near = difflib.get_close_matches(session.region_name, known, n=1)
    advice = f"Did you mean {near[0]}?" if near else "Name another with --region."
    raise WrongUse(f"{session.region_name} is not a region of AWS with SageMaker. {advice}")
