"""What runs leave in the bucket, brought to this machine."""

import hashlib
from pathlib import Path
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from .errors import SeedbedError
from .local_cloud.home.folder import Home, private_files
from .stack import Stack


def fetch(stack: Stack, uri: str, path: Path, sha256: str | None = None) -> Path:
    """Bring an s3:// address to `path`, once. Raises SeedbedError if nothing is there.

    A file kept from an earlier time whose SHA-256 is not `sha256` is fetched again. If what is fetched differs too, it
    is deleted: SeedbedError.
    """
    if path.exists() and is_recorded(path, sha256):
        return path
    path.unlink(missing_ok=True)
    place, partial = urlsplit(uri, allow_fragments=False), path.with_name(f"{path.name}.partial")
    try:
        with private_files():
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.client("s3").download_file(place.netloc, place.path.lstrip("/"), str(partial))
    except ClientError as error:
        raise SeedbedError(f"{uri} can't be fetched: {error}") from error
    if not is_recorded(partial, sha256):
        partial.unlink()
        raise SeedbedError(
            f"{uri} is not the file that was recorded when its run ended, so it is not used. "
            "Find out who changed it, and restore it: on AWS the bucket keeps old versions for a while."
        )
    partial.replace(path)
    return path


def is_recorded(path: Path, sha256: str | None) -> bool:
    """Whether a file has this SHA-256; any file will do if it is None."""
    with path.open("rb") as file:
        return sha256 is None or hashlib.file_digest(file, "sha256").hexdigest() == sha256


def fetch_report(stack: Stack, home: Home, run_id: str = "") -> Path:
    """The report of a run, the best model's if none is named. Raises SeedbedError while that run has none."""
    run = stack.get(f"/runs/{run_id}" if run_id else "/models/best")
    if not run["report_uri"]:
        raise SeedbedError(f"Run {run['run_id']} is {run['state']}: it has no report yet.")
    return fetch(stack, run["report_uri"], home.reports / f"{run['run_id']}.html")


def fetch_mosaic(stack: Stack, home: Home, run_id: str) -> Path:
    """The picture of a completed run's dataset."""
    run = stack.get(f"/runs/{run_id}")
    return fetch(stack, run["mosaic_uri"], home.reports / f"{run_id}.jpg")
