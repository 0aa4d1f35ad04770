"""What is installed beyond the packages that every command needs: the extras of pyproject.toml."""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, requires, version

from .errors import SeedbedError
from .platforms import obstacle_to_tensorflow

NAME = "seedbed"
UNKNOWN = "unknown (this checkout is not installed)"


def own_version() -> str:
    """Seedbed's version."""
    try:
        return version(NAME)
    except PackageNotFoundError:
        return UNKNOWN


def need(extra: str, what: str) -> None:
    """Raises SeedbedError, which says that `what` needs the extra, where a package of it is not installed."""
    if not any(is_missing(package) for package in packages_of(extra)):
        return
    obstacle = obstacle_to_tensorflow() if extra == "laptop" else ""
    if obstacle:
        raise SeedbedError(f"{what} can't run on this machine. {obstacle}")
    raise SeedbedError(f"{what} needs the extra `{extra}`: pip install '{NAME}[{extra}]'")


def packages_of(extra: str) -> Iterator[str]:
    """The packages that an extra adds, those of the extras in it included; none where Seedbed is not installed."""
    try:
        wanted = requires(NAME) or []
    except PackageNotFoundError:
        return
    for requirement in wanted:
        if not re.search(rf"""\bextra == ['"]{extra}['"]""", requirement):
            continue
        own = re.match(rf"{NAME}\[([\w,-]+)\]", requirement)
        if own:
            for inner in own[1].split(","):
                yield from packages_of(inner)
        else:
            yield re.split(r"[^\w.-]", requirement, maxsplit=1)[0]


def is_missing(package: str) -> bool:
    """Whether a package is not installed."""
    try:
        distribution(package)
    except PackageNotFoundError:
        return True
    return False
