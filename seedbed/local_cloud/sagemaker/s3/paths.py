"""S3 URIs, and object keys as file names."""

import os
from pathlib import Path

from ..errors import JobFailure


def split_uri(uri: str) -> tuple[str, str]:
    """s3://bucket/key → (bucket, key); the key may be empty. Raises JobFailure."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise JobFailure(f"ClientError: '{uri}' is not an s3://bucket/key.")
    return bucket, key


def safe_path(directory: Path, name: str, key: str) -> Path:
    """The file for an object. Raises JobFailure for a name that leaves the directory or that no file can have."""
    parts = name.split("/")
    if "\0" in name or not name or any(part in ("", ".", "..") for part in parts):
        raise JobFailure(
            f"ClientError: Data download failed: the key '{key}' can't become a file: it leaves its directory."
        )
    return directory.joinpath(*parts)


def files_below(directory: Path) -> list[tuple[Path, str]]:
    """(file, relative name with /) of each regular file below `directory`, except links to files outside of it."""
    root = directory.resolve()
    found = []
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            path = Path(folder, name)
            real = path.resolve()
            if real.is_file() and real.is_relative_to(root):
                found.append((path, path.relative_to(root).as_posix()))
    return found
