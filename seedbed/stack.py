"""A deployed stack, on this machine or on AWS, behind one interface."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError
from botocore.httpsession import URLLib3Session

from .errors import SeedbedError
from .local_cloud.access.credentials import Credentials
from .local_cloud.clients import CONFIG, local_session
from .local_cloud.environment import REGION
from .local_cloud.home.folder import Home
from .local_cloud.home.lock import AlreadyUp
from .local_cloud.home.mark import check_is_home
from .local_cloud.process import local_cloud
from .stack_state import obstacle_of, outputs_of, why_unknown
from .terminal.aws_errors import TOO_MANY, is_local, unreachable
from .terminal.hints import seedbed

TIMEOUT = 60
MAY_NOT_ASK = "You may not ask this stack: sign in to AWS as somebody with the policy in its output AskersPolicy."
UNUSABLE = "The stack {} can't be used: {}"


@dataclass(frozen=True)
class Stack:
    """A deployed template with its outputs. `endpoint` is None on AWS."""

    session: boto3.session.Session
    endpoint: str | None
    outputs: dict[str, str]
    _clients: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self.outputs["BucketName"]

    @property
    def api_url(self) -> str:
        """What the API's paths are appended to."""
        if self.endpoint:
            return f"{self.endpoint}/_aws/execute-api/{self.outputs['ApiId']}/$default"
        return self.outputs["ApiUrl"]

    def client(self, service: str) -> Any:
        """A boto3 client for this stack, created once: that takes longer than most calls."""
        if service not in self._clients:
            made = self.session.client(service, endpoint_url=self.endpoint, config=CONFIG)  # type: ignore[call-overload]
            self._clients[service] = made
        return self._clients[service]

    def get(self, path: str) -> dict[str, Any]:
        """GET a path of the API. Raises SeedbedError with the API's message if that fails."""
        return self._answer("GET", path)

    def post(self, path: str, body: Mapping[str, Any] | None = None, **headers: str) -> dict[str, Any]:
        """POST to a path of the API, a body as JSON. Raises SeedbedError with the API's message if that fails."""
        return self._answer("POST", path, body, headers)

    def _answer(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        credentials = self.session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        content = {"Content-Type": "application/json"} if body else {}
        request = AWSRequest(
            method, self.api_url + path, {**content, **(headers or {})}, json.dumps(body) if body else ""
        )
        SigV4Auth(credentials, "execute-api", self.session.region_name or REGION).add_auth(request)
        try:
            answer = URLLib3Session(timeout=TIMEOUT).send(request.prepare())
        except (BotoCoreError, HTTPClientError) as error:
            raise SeedbedError(unreachable(self.endpoint or self.api_url)) from error
        found = object_in(answer.content)
        if answer.status_code not in {200, 202} or found is None:
            raise SeedbedError(refusal(answer.status_code, found or {}))
        return found


def object_in(body: bytes) -> dict[str, Any] | None:
    """The JSON object that an answer holds, none for an empty one; None if it holds something else."""
    try:
        content = json.loads(body or b"{}")
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def refusal(status: int, content: Mapping[str, Any]) -> str:
    """Why the API did not do as asked. What API Gateway itself answers says too little."""
    message = str(content.get("message") or "")
    if status == HTTPStatus.FORBIDDEN:
        return MAY_NOT_ASK
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return TOO_MANY
    if message and message not in {"Internal Server Error", "Service Unavailable"}:
        return message
    return f"The API could not answer ({status}): run this again in a minute. If that does not help, see its log."


def local_stack(cloud: dict[str, Any]) -> Stack:
    """The stack on a running local cloud."""
    return Stack(local_session(Credentials(**cloud["credentials"])), cloud["endpoint"], cloud["outputs"])


@contextmanager
def any_local_stack(home: Home) -> Iterator[Stack]:
    """The stack of the cloud that serves this home. If none is running, one is started for the block, without jobs.

    Raises SeedbedError if the home has never been used, or is no folder that Seedbed may use.
    """
    check_was_used(home)
    with ExitStack() as opened:
        cloud = home.running()
        if not cloud:
            try:
                cloud = opened.enter_context(local_cloud(home, run_jobs=False))
            except AlreadyUp:  # it has started meanwhile
                cloud = home.running()
        if not cloud:
            raise SeedbedError(f"The local cloud of {home.path} has just ended. Run this again.")
        yield local_stack(cloud)


def check_was_used(home: Home) -> None:
    """Raises SeedbedError if no local cloud has ever used the home, or it is no folder that Seedbed may use."""
    if not home.was_used:
        check_is_home(home.path)
        raise SeedbedError(f"There is nothing in {home.path} yet. Start with: {seedbed('demo')}, or: {seedbed('up')}")


def aws_session(region: str = "") -> boto3.session.Session:
    """A session with the user's own credentials, in this region, or else in the one of AWS_REGION or the profile.

    boto3 alone knows only AWS_DEFAULT_REGION.
    """
    return boto3.session.Session(region_name=region or os.environ.get("AWS_REGION") or None)


def aws_stack(name: str) -> Stack:
    """The stack of this name on AWS, by the user's own credentials. Raises SeedbedError if it can't be used.

    If AWS_ENDPOINT_URL leads AWS's tools to a local cloud, it is the stack there.
    """
    session = None
    try:
        session = aws_session()
        described = describe(session, name)
    except (BotoCoreError, ClientError) as error:
        reason = why_unknown(error, session.region_name if session else None)
        raise SeedbedError(UNUSABLE.format(name, reason)) from error
    obstacle = obstacle_of(name, described)
    if obstacle:
        raise SeedbedError(UNUSABLE.format(name, obstacle))
    return stack_of(session, described)


def describe(session: boto3.session.Session, name: str) -> dict[str, Any]:
    """What CloudFormation says of a stack on AWS. Raises errors of boto3."""
    answer = session.client("cloudformation", config=CONFIG).describe_stacks(StackName=name)
    return dict(answer["Stacks"][0])


def stack_of(session: boto3.session.Session, described: Mapping[str, Any]) -> Stack:
    """The stack that CloudFormation described."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/")
    return Stack(session, endpoint if is_local(endpoint) else None, outputs_of(described))
