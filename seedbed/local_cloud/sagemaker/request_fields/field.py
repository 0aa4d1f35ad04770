"""What becomes of one field of a request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Field:
    """What becomes of a field and of all fields within it.

    effect: "given", "noted" or "refused". why: a clause for a person, empty for a given field.
    taken: values of a refused field that are taken, besides those that ask for nothing.
    """

    effect: str
    why: str = ""
    taken: tuple[Any, ...] = ()


GIVEN = Field("given")
KEYS = Field("noted", "nothing is encrypted with keys of KMS")


def given(names: str) -> dict[str, Field]:
    """Fields that are given, by their names with spaces between."""
    return dict.fromkeys(names.split(), GIVEN)


def below(prefix: str, fields: Mapping[str, Field]) -> dict[str, Field]:
    """Fields of a structure, by their paths from outside it."""
    return {f"{prefix}.{name}": field for name, field in fields.items()}
