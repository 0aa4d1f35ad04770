"""Where a local cloud keeps its state: `.seedbed` below the present folder, or where SEEDBED_HOME says."""

import json
import os
import shutil
import socket
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from .local_cloud.credentials import CURL_FILE

END_TIMEOUT = 60


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
    def _process_file(self) -> Path:
        return self.path / "cloud.json"

    @property
    def _demo_mark(self) -> Path:
        return self.path / "demo"

    def running(self) -> dict[str, Any] | None:
        """The cloud that serves this home now, None if none does: its `endpoint`, `credentials`, the stack's `outputs`.

        One that is just ending is waited for.
        """
        try:
            cloud: dict[str, Any] = json.loads(self._process_file.read_text())
            process = psutil.Process(cloud["pid"])
            if process.create_time() != cloud["started"]:
                return None
            if not listens(cloud["endpoint"]):
                process.wait(END_TIMEOUT)
                return None
        except (OSError, ValueError, KeyError, psutil.NoSuchProcess):
            return None
        return cloud

    def say_running(self, pid: int, cloud: dict[str, Any]) -> None:
        """Tell other commands of the process that serves this home."""
        started = psutil.Process(pid).create_time()
        partial = self._process_file.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        partial.touch(0o600)
        partial.write_text(json.dumps({**cloud, "pid": pid, "started": started}))
        partial.replace(self._process_file)

    def say_ended(self) -> None:
        """No process serves this home any more."""
        self._process_file.unlink(missing_ok=True)

    def keep(self) -> None:
        """These are a person's own images from now on: no demo may clear them away."""
        self._demo_mark.unlink(missing_ok=True)

    def clear_for_demo(self) -> Path | None:
        """Make room: what an earlier demo left is deleted, a person's own state is moved aside; where to, if so."""
        aside = None
        if self._demo_mark.exists():
            shutil.rmtree(self.path)
        elif self.path.exists():
            aside = self.path.with_name(f"{self.path.name}-{datetime.now().astimezone():%Y-%m-%d-%H%M%S}")
            self.path.rename(aside)
        self.path.mkdir(parents=True)
        self._demo_mark.touch()
        return aside


def listens(endpoint: str) -> bool:
    """Whether somebody accepts connections there."""
    url = urlsplit(endpoint)
    try:
        with socket.create_connection((url.hostname or "", url.port or 0), timeout=5):
            return True
    except OSError:
        return False


def default_home() -> Home:
    """The home of the commands run here."""
    return Home(Path(os.environ.get("SEEDBED_HOME", ".seedbed")).absolute())
