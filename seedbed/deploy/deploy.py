"""`seedbed deploy` from beginning to end: all that can be wrong is found before anything is made."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from ..bundle import TEMPLATE
from ..errors import SeedbedError, WrongUse
from ..terminal.hints import seedbed
from ..watch.stage import StageProgress
from . import parameters, subscription
from .account import Account, sign_in
from .archive import digest, packed
from .bound import check_budgets
from .functions import packages
from .image import BuildRoom, Images
from .stack_state import StackState
from .stacks import Show, Stacks, Tell
from .subscription import Subscription
from .template import TemplateFile

BUILD_TEMPLATE = Path(__file__).with_name("build_stack.yaml")
STACK_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_NAME = 40
NOT_SEEN = {"403", "404", "NoSuchKey", "NotFound"}
"""What S3 answers about an object that is not there, 403 to those who may not list the bucket."""
BAD_NAME = "{} can't be the stack's name: it is of lower-case letters, digits and hyphens, such as seedbed-trial."
IS_MOVING = "AWS is at work on the stack {} (its state is {}): wait until that has ended, then run this again."
IS_STUCK = "The stack {} can't be changed (its state is {}). Take it away with `{}`, then run this again."
NOT_ROLLED_BACK = "The stack {} could not be rolled back. Finish that in CloudFormation's console, then run this again."
NOT_SEEDBEDS = "The stack {} is not Seedbed's. Choose another name with --stack."


@dataclass(frozen=True)
class Wish:
    """What a person asks for. An empty address and no budget leave those of an earlier deployment."""

    stack: str
    email: str
    budget: str
    settings: Mapping[str, str]
    region: str

    @property
    def given(self) -> dict[str, str]:
        """The template's parameters that are given."""
        own = {"NotificationEmail": self.email, "RunBudget": self.budget}
        return {**self.settings, **{name: value for name, value in own.items() if value}}


@dataclass(frozen=True)
class Deployed:
    """What was deployed, and whether anybody hears of it."""

    account: Account
    stack: StackState
    image: str
    bound: float
    email: str
    heard: Subscription


def build_stack(stack: str) -> str:
    """The name of the stack in which a stack's image is built."""
    return f"{stack}-build"


class Deployment:
    """One deployment. `show` is told how far a stage is, `tell` what a person should read."""

    def __init__(self, wish: Wish, show: Show, tell: Tell) -> None:
        check_name(wish.stack)
        self._wish = wish
        self._show = show
        self._template = TemplateFile(TEMPLATE)
        parameters.check(wish.given, self._template.parameters)
        if wish.email:
            parameters.check_email(wish.email)
        self._account = sign_in(wish.region)
        self._stacks = Stacks(self._account.client("cloudformation"), show, tell)
        self._images = Images(self._account, show, tell)

    def run(self) -> Deployed:
        """Deploy. Raises SeedbedError, at first before anything is made or costs anything."""
        before = self._checked(self._wish.stack)
        values = self._values(before)
        self._checked(build_stack(self._wish.stack))
        parameters.check_email(values.get("NotificationEmail", ""))
        bound = check_budgets(self._template, values)
        own_image = self._wish.settings.get("TrainingImage", "")
        image = self._images.of_a_persons_own(own_image) if own_image else ""
        self._show(StageProgress("package", note="fetching the functions' packages"))
        functions = packages(self._template)
        room = self._build_room()
        code = {uri: self._code(room, uri, files) for uri, files in functions.items()}
        image = image or self._images.of_this_source(room)
        values["TrainingImage"] = image
        body = self._template.as_json(code).encode()
        key = self._uploaded(room, f"templates/{digest({'template': body})}.json", body)
        stack = self._stacks.apply("deploy", self._wish.stack, values, TemplateURL=self._address(room, key))
        heard = self._heard(stack, values["NotificationEmail"], asked_before=before is not None)
        return Deployed(self._account, stack, image, bound, values["NotificationEmail"], heard)

    def _checked(self, name: str) -> StackState | None:
        """The stack as it is; None if there is none. Raises SeedbedError if it can't be deployed to."""
        found = self._stacks.find(name)
        if found:
            check_state(found, seedbed("undeploy", "--stack", self._wish.stack, "--region", self._account.region))
        return found

    def _values(self, found: StackState | None) -> dict[str, str]:
        """The parameters' values: what a person chose before is kept."""
        before = {}
        if found:
            before = parameters.chosen_before(found.parameters, self._stacks.deployed_defaults(found.stack_id))
        before.pop("TrainingImage", None)
        return parameters.merged(self._wish.given, before, self._template.defaults)

    def _build_room(self) -> BuildRoom:
        """Where the image is built; it is made or brought up to date first."""
        stack = self._stacks.apply(
            "room",
            build_stack(self._wish.stack),
            {"RepositoryName": f"{self._wish.stack}-trainer"},
            TemplateBody=TemplateFile(BUILD_TEMPLATE).as_json(),
        )
        outputs = stack.outputs
        return BuildRoom(
            bucket=outputs["ArtifactsBucket"],
            project=outputs["BuildProject"],
            repository=outputs["RepositoryName"],
            uri=outputs["RepositoryUri"],
        )

    def _uploaded(self, room: BuildRoom, key: str, body: bytes) -> str:
        """Put an object, whose name is its content's, into the room's bucket unless it is there. Returns its key."""
        s3 = self._account.client("s3")
        try:
            s3.head_object(Bucket=room.bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] not in NOT_SEEN:
                raise
            s3.put_object(Bucket=room.bucket, Key=key, Body=body)
        return key

    def _code(self, room: BuildRoom, uri: str, files: Mapping[str, bytes]) -> str:
        """Upload a package of functions. Returns its s3:// address."""
        return f"s3://{room.bucket}/{self._uploaded(room, f'{uri}{digest(files)}.zip', packed(files))}"

    def _address(self, room: BuildRoom, key: str) -> str:
        """Where CloudFormation reads an object of the room's bucket."""
        return f"{self._account.client('s3').meta.endpoint_url}/{room.bucket}/{key}"

    def _heard(self, stack: StackState, address: str, asked_before: bool) -> Subscription:
        """Whether the address is confirmed. If not, and it may have been asked before, it is asked once more."""
        sns, topic = self._account.client("sns"), stack.outputs["TopicArn"]
        state = subscription.state_of(sns, topic, address)
        if state is Subscription.missing or (state is Subscription.pending and asked_before):
            subscription.ask_again(sns, topic, address)
        return state


def check_name(name: str) -> None:
    """Raises WrongUse if no stack of Seedbed's can be called that: its bucket and its repository are named after it."""
    if not STACK_NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise WrongUse(BAD_NAME.format(name or "An empty text"))


def check_state(found: StackState, undeploy: str) -> None:
    """Raises SeedbedError if a stack is not Seedbed's, or can't be changed now; `undeploy` takes it away."""
    if not found.is_seedbeds:
        raise SeedbedError(NOT_SEEDBEDS.format(found.name))
    if found.is_moving:
        raise SeedbedError(IS_MOVING.format(found.name, found.status))
    if found.status == "UPDATE_ROLLBACK_FAILED":
        raise SeedbedError(NOT_ROLLED_BACK.format(found.name))
    if not found.can_be_changed:
        raise SeedbedError(IS_STUCK.format(found.name, found.status, undeploy))
