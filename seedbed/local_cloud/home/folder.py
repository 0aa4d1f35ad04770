"""The folder where a local cloud keeps its state: `.seedbed` in the current folder, or SEEDBED_HOME."""

import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..access.credentials import ACCOUNT, CURL_FILE
from ..private_file import write_private
from ..process_identity import is_alive, process_identity

LISTEN_TIMEOUT = 5


@dataclass(frozen=True)
class Home:
    """One local cloud's folder."""

    path: Path

    @property
    def mail(self) -> Path:
        """The Maildir of all e-mails."""
        return self.path / "mail"

    @property
    def models(self) -> Path:
        """Fetched models."""
        return self.path / "models"

    @property
    def reports(self) -> Path:
        """Fetched reports."""
        return self.path / "reports"

    @property
    def scratch(self) -> Path:
        """Temporary files of the running local cloud."""
        return self.path / "scratch"

    @property
    def log(self) -> Path:
        """The local cloud's log."""
        return self.path / "cloud.log"

    @property
    def curl(self) -> Path:
        """A configuration file for `curl -K` that signs requests to the API."""
        return self.path / CURL_FILE

    def stored(self, uri: str) -> Path:
        """The file of an s3:// address, which is there whether the local cloud runs or not."""
        return self.path / "s3" / ACCOUNT / uri.removeprefix("s3://")

    @property
    def was_used(self) -> bool:
        """Whether a local cloud has ever used this home."""
        return (self.path / "sagemaker").is_dir()

    @property
    def _process_file(self) -> Path:
        return self.path / "cloud.json"

    def running(self) -> dict[str, Any] | None:
        """The running cloud's `endpoint`, `credentials` and stack `outputs`; None if none is running."""
        cloud = self._recorded()
        return cloud if cloud and listens(cloud["endpoint"]) else None

    def is_served(self) -> bool:
        """Whether a process serves this home, even if it is too busy to answer."""
        return self._recorded() is not None

    def _recorded(self) -> dict[str, Any] | None:
        try:
            cloud: dict[str, Any] = json.loads(self._process_file.read_text())
            return cloud if cloud["endpoint"] and belongs_to_user(self.path) and is_alive(cloud["process"]) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def record_running(self, pid: int, cloud: dict[str, Any]) -> None:
        """Record the process that serves this home, so that other commands find it."""
        write_private(self._process_file, json.dumps({**cloud, "pid": pid, "process": process_identity(pid)}))

    def record_ended(self) -> None:
        """Record that no process serves this home any more."""
        self._process_file.unlink(missing_ok=True)


def belongs_to_user(path: Path) -> bool:
    """Whether a folder belongs to this user; in /tmp anyone could have created it. Raises OSError if it is missing."""
    return os.getuid() in {0, path.stat().st_uid}


def make_private_folder(path: Path) -> None:
    """Create a folder, and the folders above it that are missing, for their owner alone."""
    if not path.is_dir():
        make_private_folder(path.parent)
        path.mkdir(0o700, exist_ok=True)


def listens(endpoint: str) -> bool:
    """Whether a program accepts connections at an endpoint."""
    url = urlsplit(endpoint)
    try:
        with socket.create_connection((url.hostname or "", url.port or 0), timeout=LISTEN_TIMEOUT):
            return True
    except OSError:
        return False


def default_home() -> Home:
    """The user's home."""
    return Home(Path(os.environ.get("SEEDBED_HOME") or ".seedbed").absolute())
