"""Folders that a command may be run in: one of traps, the root, and one that nothing can be written to."""

import os
import shutil
from pathlib import Path

import pytest

from tests.children import run
from tests.local_cloud.traps import lay_traps

PLACES = ("traps", "root", "unwritable")
WITHOUT_POWERS = "-dac_override,-dac_read_search"


def folder_of(place: str, tmp_path: Path) -> Path:
    """The folder of that kind, made in `tmp_path` where it has to be."""
    if place == "root":
        return Path("/")
    folder = tmp_path / place
    folder.mkdir(exist_ok=True)
    if place == "traps":
        return lay_traps(folder)
    folder.chmod(0o500)
    return folder


def bound_by_permissions(folder: Path) -> list[str]:
    """What goes before a command so that it can't write to a read-only folder, even for root. Skips without a way."""
    words: list[str] = []
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("Only setpriv binds root by a folder's permissions, and it is not installed.")
        words = [setpriv, "--bounding-set", WITHOUT_POWERS, "--inh-caps", WITHOUT_POWERS]
    if run([*words, "sh", "-c", "! touch tried"], cwd=folder).returncode:
        pytest.skip("This machine lets root write to a read-only folder, whatever it gives up.")
    return words
