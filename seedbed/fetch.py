"""Fetches what runs leave in the bucket to this machine."""

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from .errors import SeedbedError
from .local_cloud.home.folder import Home, make_private_folder
from .stack import Stack
from .terminal.aws_errors import aws_sentence

CHANGED = (
    "{} is not the file that was recorded when its run ended, so it is not used. "
    "Find out who changed it, and restore it: on AWS the bucket keeps old versions for a while."
)


def fetch(stack: Stack, uri: str, path: Path, sha256: str | None = None) -> Path:
    """Fetch an s3:// address to `path`, which it returns; a file that is there already is kept if it has that SHA-256.

    Raises SeedbedError if the address can't be fetched, or what it holds has another SHA-256: then nothing is kept.
    """
    if is_recorded(path, sha256):
        return path
    path.unlink(missing_ok=True)
    make_private_folder(path.parent)
    with TemporaryDirectory(prefix=f"{path.name}.", dir=path.parent) as scratch:
        fetched = Path(scratch, path.name)
        download(stack, uri, fetched)
        if not is_recorded(fetched, sha256):
            raise SeedbedError(CHANGED.format(uri))
        fetched.chmod(0o600)
        fetched.replace(path)
    return path


def download(stack: Stack, uri: str, path: Path) -> None:
    """Raises SeedbedError if it fails."""
    place = urlsplit(uri, allow_fragments=False)
    try:
        stack.client("s3").download_file(place.netloc, place.path.lstrip("/"), str(path))
    except ClientError as error:
        raise SeedbedError(f"{uri} can't be fetched. {aws_sentence(error)}") from error


def is_recorded(path: Path, sha256: str | None) -> bool:
    """Whether the file exists and has this SHA-256; None stands for any."""
    try:
        with path.open("rb") as file:
            return sha256 is None or hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        return False


def fetch_report(stack: Stack, home: Home, run_id: str = "") -> Path:
    """Fetch a run's report, by default the best model's. Raises SeedbedError while the run has none."""
    run = stack.get(f"/runs/{run_id}" if run_id else "/models/best")
    if not run["report_uri"]:
        raise SeedbedError(f"Run {run['run_id']} has no report: its state is {run['state']}.")
    return fetch(stack, run["report_uri"], home.reports / f"{run['run_id']}.html")


def fetch_mosaic(stack: Stack, home: Home, run_id: str) -> Path:
    """Fetch the mosaic of a completed run's dataset."""
    run = stack.get(f"/runs/{run_id}")
    return fetch(stack, run["mosaic_uri"], home.reports / f"{run_id}.jpg")
