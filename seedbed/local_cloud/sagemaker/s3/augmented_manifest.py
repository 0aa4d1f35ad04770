"""Augmented manifests: a file of JSON lines, of which a channel streams some attributes."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import JobFailure
from .cache import S3Object
from .find import Finder
from .manifest import MANIFEST_BYTES
from .object_reader import ObjectReader, fault
from .paths import split_uri

REFERENCE = "-ref"


@dataclass(frozen=True)
class Reference:
    """An attribute whose value is the content of an object."""

    uri: str


Row = Sequence[Reference | S3Object | bytes]
"""The attributes of one line that a channel streams, in its order; an object of a plain channel is a row too."""


def read_rows(finder: Finder, reader: ObjectReader, uri: str, names: Sequence[str]) -> list[Row]:
    """The rows of the manifest at `uri`. names: of the attributes. Raises JobFailure."""
    item = finder.head(*split_uri(uri))
    if item.size > MANIFEST_BYTES:
        raise JobFailure(f"{fault(item)}: an augmented manifest has at most 64 MiB.")
    with reader.open(item) as file:
        return [_row(item, number, line, names) for number, line in enumerate(file, 1) if line.strip()]


def content(finder: Finder, rows: Sequence[Row]) -> Iterator[S3Object | bytes]:
    """What the rows hold, one attribute after the other. Raises JobFailure for an object that isn't there."""
    for row in rows:
        for part in row:
            yield finder.head(*split_uri(part.uri)) if isinstance(part, Reference) else part


def _row(item: S3Object, number: int, line: bytes, names: Sequence[str]) -> Row:
    try:
        found: Any = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise JobFailure(f"{fault(item)}: line {number} of an augmented manifest must be a JSON object.")
    for name in names:
        if name not in found:
            raise JobFailure(f"{fault(item)}: line {number} has no attribute '{name}'.")
        if name.endswith(REFERENCE) and not isinstance(found[name], str):
            raise JobFailure(f"{fault(item)}: the attribute '{name}' in line {number} must be the URI of an object.")
    return [Reference(found[name]) if name.endswith(REFERENCE) else _text(found[name]) for name in names]


def _text(value: Any) -> bytes:
    return (value if isinstance(value, str) else json.dumps(value)).encode()
