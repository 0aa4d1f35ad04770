"""S3 URIs, and object keys as file names."""

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
