"""Manifest files: which objects of a prefix a channel contains."""

import json
from typing import Any

from ..errors import JobFailure

MANIFEST_BYTES = 64 * 2**20


def parse_manifest(body: bytes, uri: str) -> tuple[str, list[str]]:
    """(prefix, keys below it) of a manifest that was read from `uri`. Raises JobFailure."""
    fault = f"ClientError: Data download failed: the manifest {uri} must be a JSON list of a prefix and keys."
    try:
        content: Any = json.loads(body) if len(body) <= MANIFEST_BYTES else None
    except ValueError as error:
        raise JobFailure(fault) from error
    head = content[0] if isinstance(content, list) and content else None
    if not isinstance(head, dict) or not isinstance(head.get("prefix"), str):
        raise JobFailure(fault)
    names = content[1:]
    if not all(isinstance(name, str) for name in names):
        raise JobFailure(fault)
    return head["prefix"], names
