"""How model packages and their groups are named in requests: by a name or an ARN."""


def name_in(given: str) -> str:
    """The name in an ARN, or the name itself. A version is named GROUP/NUMBER."""
    return given.split(":", 5)[5].partition("/")[2] if given.startswith("arn:") else given


def parent_of(group: str) -> str:
    """By what the records of a group's versions are found. No tuning job has such a name."""
    return f"model-package-group/{group.lower()}"
