"""The files that stand in for those of /etc, so that a job's programs find its hosts."""

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path

from .hosts import FIRST, Host

ETC = Path("/etc")


def write_etc(folder: Path) -> None:
    """Writes the files that stand in for those of /etc; none where the system has none or the disk is full."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, change in (("hosts", with_hosts), ("nsswitch.conf", with_files_first)):
        with contextlib.suppress(OSError, UnicodeError):
            content = change((ETC / name).read_text())
            (folder / name).unlink(missing_ok=True)  # jobs of an earlier process keep theirs
            (folder / name).write_text(content)


def write_hosts(base: Path, hosts: Sequence[Host]) -> str:
    """Writes the hosts file of a job with several hosts beside its folder; its path, empty if the system has none."""
    if not (ETC / "hosts").exists():
        return ""
    file = base.with_name(f"{base.name}.hosts")
    content = (ETC / "hosts").read_text(errors="surrogateescape")
    file.write_text(with_hosts(content, hosts), errors="surrogateescape")
    return str(file)


def with_hosts(content: str, hosts: Sequence[Host] = (FIRST,)) -> str:
    """A hosts file with a job's hosts, so that programs find their addresses."""
    return "".join(f"{host.address} {host.name}\n" for host in hosts) + content


def with_files_first(switch: str) -> str:
    """An nsswitch.conf that looks for hosts in the hosts file first: a resolver may know only the system's own file."""
    return re.sub(r"^(\s*hosts:)", r"\1 files", switch, flags=re.MULTILINE)
