"""Where a local cloud keeps its state: `.seedbed` below the present folder, or where SEEDBED_HOME says."""

import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..access.credentials import CURL_FILE
from ..private_file import write_private
from ..process_identity import is_alive, process_identity

LISTEN_TIMEOUT = 5


@dataclass(frozen=True)
class Home:
    """One local cloud's folder."""

    path: Path

    @property
    def mail(self) -> Path:
        """The Maildir of what was mailed."""
        return self.path / "mail"

    @property
    def models(self) -> Path:
        """Models fetched for predict."""
        return self.path / "models"

    @property
    def reports(self) -> Path:
        """Runs' reports fetched for people."""
        return self.path / "reports"

    @property
    def scratch(self) -> Path:
        """What the local cloud unpacks while it is up."""
        return self.path / "scratch"

    @property
    def log(self) -> Path:
        """What the local cloud had to say."""
        return self.path / "cloud.log"

    @property
    def curl(self) -> Path:
        """A configuration file for `curl -K` that signs requests to the API."""
        return self.path / CURL_FILE

    @property
    def was_used(self) -> bool:
        """Whether a local cloud has ever kept its state here."""
        return (self.path / "sagemaker").is_dir()

    @property
    def _process_file(self) -> Path:
        return self.path / "cloud.json"

    def running(self) -> dict[str, Any] | None:
        """The cloud that serves this home now, None if none does: `endpoint`, `credentials`, the stack's `outputs`."""
        cloud = self._recorded()
        return cloud if cloud and listens(cloud["endpoint"]) else None

    def is_served(self) -> bool:
        """Whether the process that serves this home has not ended, be it too busy to answer."""
        return self._recorded() is not None

    def _recorded(self) -> dict[str, Any] | None:
        try:
            cloud: dict[str, Any] = json.loads(self._process_file.read_text())
            return cloud if cloud["endpoint"] and belongs_to_user(self.path) and is_alive(cloud["process"]) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def record_running(self, pid: int, cloud: dict[str, Any]) -> None:
        """Tell other commands of the process that serves this home."""
        write_private(self._process_file, json.dumps({**cloud, "pid": pid, "process": process_identity(pid)}))

    def record_ended(self) -> None:
        """No process serves this home any more."""
        self._process_file.unlink(missing_ok=True)


def belongs_to_user(path: Path) -> bool:
    """Whether a folder is this user's: in /tmp, say, anybody may have made one. Raises OSError if it's not there."""
    return os.getuid() in {0, path.stat().st_uid}


def make_private_folder(path: Path) -> None:
    """Create a folder, and the folders above it that are missing, for their owner alone."""
    if not path.is_dir():
        make_private_folder(path.parent)
        path.mkdir(0o700, exist_ok=True)


def listens(endpoint: str) -> bool:
    """Whether somebody accepts connections there."""
    url = urlsplit(endpoint)
    try:
        with socket.create_connection((url.hostname or "", url.port or 0), timeout=LISTEN_TIMEOUT):
            return True
    except OSError:
        return False


def default_home() -> Home:
    """The home of the commands run here."""
    return Home(Path(os.environ.get("SEEDBED_HOME", ".seedbed")).absolute())
