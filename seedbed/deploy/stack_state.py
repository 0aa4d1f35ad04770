"""A stack of CloudFormation's as it is: whose it is, and whether it can be changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OWN_TAG = "seedbed:stack"
OURS = "Seedbed"
"""What the descriptions of Seedbed's templates begin with."""
CHANGEABLE = {
    "CREATE_COMPLETE",
    "IMPORT_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
}
ABSENT = {"REVIEW_IN_PROGRESS", "DELETE_COMPLETE"}


@dataclass(frozen=True)
class StackState:
    """A stack as CloudFormation describes it."""

    name: str
    stack_id: str
    status: str
    description: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    tagged: bool = False

    @property
    def is_seedbeds(self) -> bool:
        """Whether it was made from a template of Seedbed's."""
        return self.tagged or self.description.strip().startswith(OURS)

    @property
    def can_be_changed(self) -> bool:
        """Whether an update is possible now."""
        return self.status in CHANGEABLE

    @property
    def is_moving(self) -> bool:
        """Whether CloudFormation is at work on it."""
        return self.status.endswith("_IN_PROGRESS") and self.status not in ABSENT


def state_of(described: Mapping[str, Any]) -> StackState:
    """A stack from CloudFormation's description."""
    return StackState(
        name=described["StackName"],
        stack_id=described["StackId"],
        status=described["StackStatus"],
        description=described.get("Description", ""),
        parameters={each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", [])},
        outputs={each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])},
        tagged=any(each["Key"] == OWN_TAG for each in described.get("Tags", [])),
    )
