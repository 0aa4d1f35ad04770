"""The names of what serves a model, and which of them belong to one endpoint."""

import re
from hashlib import sha256

from ..errors import SeedbedError

LONGEST = 52
"""In letters, so that models and configurations can have the endpoint's name with a digest."""
DIGITS = 10
NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
PACKAGE_ARN = re.compile(r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:[0-9]{12}:model-package/([a-zA-Z0-9-]+)(?:/[0-9]+)?")
GROUP_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
ODD_ENDPOINT = (
    "{} can't be an endpoint's name here: that has 1 to {} letters, digits and hyphens, and begins and ends with no "
    "hyphen."
)
ODD_PACKAGE = "{} is neither the ARN of a model package nor the name of a group of them."


def named_after(name: str) -> str:
    """The name of the group and the endpoint of a stack or a group: its own, as far as it can be an endpoint's."""
    return name[:LONGEST].rstrip("-")


def check_endpoint(name: str) -> None:
    """Raises SeedbedError for what can't be the name of an endpoint that this package makes."""
    if len(name) > LONGEST or not NAME.fullmatch(name):
        raise SeedbedError(ODD_ENDPOINT.format(repr(name), LONGEST))


def group_in(given: str) -> str:
    """The group of a package's ARN, or a group's name as it is; of a package without a group, its own name.

    Raises SeedbedError for what is neither.
    """
    if found := PACKAGE_ARN.fullmatch(given):
        return found[1]
    if not GROUP_NAME.fullmatch(given):
        raise SeedbedError(ODD_PACKAGE.format(repr(given)))
    return given


def tag_of(stack: str) -> dict[str, str]:
    """The tag of all that is made for a stack's champions."""
    return {"Key": "stack", "Value": stack}


def resource_name(endpoint: str, *facts: object) -> str:
    """The name of the model and the configuration that make an endpoint what these facts say."""
    return f"{endpoint}-{sha256(repr(facts).encode()).hexdigest()[:DIGITS]}"


def is_of(endpoint: str, name: str) -> bool:
    """Whether a model or a configuration of this name was made for the endpoint."""
    start, _, digest = name.rpartition("-")
    return start.lower() == endpoint.lower() and re.fullmatch(rf"[0-9a-f]{{{DIGITS}}}", digest) is not None
