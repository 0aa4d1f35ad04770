"""Where a model is deployed: beside the stack of this folder's local cloud, beside one on AWS, or in an account."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ...errors import SeedbedError
from ...hosting.names import group_in, named_after
from ...local_cloud.deploy import STACK
from ...local_cloud.home.folder import default_home
from ...stack import Stack, any_local_stack, aws_stack, check_was_used
from ...terminal.aws_errors import is_local
from ...terminal.hints import seedbed
from ...terminal.text import printable
from ..options import sagemaker_without_stack

NO_CLOUD = "The local cloud of {} is not running, and an endpoint needs it. Start it in another terminal: {}"
OLD_STACK = "The stack {} does not tell its role, as it is of an earlier release. Bring it up to date with: {}"
OLD_CLOUD = "The local cloud is of an earlier release. End it with Ctrl-C, and start it again with: {}"
NO_ROLE = "Name the role with which SageMaker fetches the image and the model: --role ARN"
ROLE = "arn:{}:iam::{}:role/{}"


@dataclass(frozen=True)
class Place:
    """Where a model is deployed. stack_name: empty without a stack."""

    stack: Stack
    stack_name: str = ""

    @property
    def group(self) -> str:
        """The group of the stack's champions."""
        return named_after(self.stack_name)

    def endpoint_for(self, name: str) -> str:
        """The endpoint's name if none was chosen, for a package or a group; for a champion without that."""
        return named_after(group_in(name)) if name else self.group

    @property
    def where(self) -> str:
        """A clause for a sentence about what is missing."""
        region = self.stack.session.region_name
        return f" at {self.stack.endpoint}" if self.stack.endpoint else f" in {region}" if region else ""

    @property
    def pause(self) -> float:
        """Seconds between two looks at a change."""
        return 0.5 if self.stack.endpoint and is_local(self.stack.endpoint) else 5.0

    def role(self, chosen: str) -> str:
        """The ARN of the role for the container: the chosen one, the stack's, or the caller's own.

        Raises SeedbedError if there is none.
        """
        if chosen:
            return chosen
        if self.stack_name:
            return self._stacks_role()
        caller = self.stack.client("sts").get_caller_identity()["Arn"].split(":")
        kind, _, rest = caller[5].partition("/")
        if kind != "assumed-role":
            raise SeedbedError(NO_ROLE)
        role: str = self.stack.client("iam").get_role(RoleName=rest.split("/")[0])["Role"]["Arn"]
        return role

    def _stacks_role(self) -> str:
        if role := self.stack.outputs.get("TrainingRole"):
            return role
        if self.stack.endpoint:
            raise SeedbedError(OLD_CLOUD.format(seedbed("up")))
        raise SeedbedError(OLD_STACK.format(printable(self.stack_name), seedbed("deploy", "--stack", self.stack_name)))


@contextmanager
def opened(name: str, aws: str, *, account: bool) -> Iterator[Place]:
    """The place that the options choose, as for `seedbed trials`. Raises SeedbedError if it can't be used.

    A package is looked for where AWS_ENDPOINT_URL leads, if it is set; a champion is this folder's.
    """
    found = sagemaker_without_stack(aws, account=account) if name or account else None
    if found:
        yield Place(found)
    elif aws:
        yield Place(aws_stack(aws), aws.partition(":stack/")[2].partition("/")[0] or aws)
    else:
        home = default_home()
        check_was_used(home)
        if not home.running():
            raise SeedbedError(NO_CLOUD.format(home.path, seedbed("up")))
        with any_local_stack(home) as stack:
            yield Place(stack, STACK)
