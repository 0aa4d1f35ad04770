"""The endpoint's side of jobs' namespaces: whether this system allows them, and the command that runs in one."""

import functools
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import namespace
from .cluster.hosts import ALONE, Cluster
from .cluster.hosts_file import write_etc, write_hosts
from .cluster.leftovers import end_all
from .opt_ml import ROOT

ANSWER_SECONDS = 20


class NamespaceError(Exception):
    """A sentence on why a process can't have a folder as its /opt/ml."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"a process can't have an {ROOT} of its own here ({reason})")


@functools.cache
def refusal() -> str:
    """Why a process can't have a job's folder as its /opt/ml; empty if it can. It is found out once, by trying."""
    if not sys.platform.startswith("linux"):
        return str(NamespaceError("only Linux has mount namespaces"))
    try:
        with tempfile.TemporaryDirectory(prefix="seedbed-") as place:
            tried = _try(Path(place, "etc"), Path(place, "ml"))
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(NamespaceError(str(error)))
    except NamespaceError as error:
        return str(error)
    return "" if tried.stdout == "found" else str(NamespaceError(tried.stderr.strip()))


def _try(etc: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    """What comes of a program that reads a file of its /opt/ml."""
    namespaces = Namespaces(etc)
    folder.mkdir()
    (folder / "mark").write_text("found")
    try:
        entry = namespaces.entry(["cat", f"{ROOT}/mark"], folder, folder)
        tried = subprocess.run(entry.command, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False)
        entry.close()
    finally:
        namespaces.close()
    return tried


@dataclass(frozen=True)
class Entry:
    """A command that runs in a namespace.

    end: kills what is left in it, and returns how many processes were not in the given process group. close: gives the
    namespace up, once the command runs or has ended.
    """

    command: list[str]
    end: Callable[[int], int]
    close: Callable[[], None]


class Namespaces:
    """Namespaces for the jobs of one endpoint. folder: where the files are kept that stand in for those of /etc."""

    def __init__(self, folder: Path) -> None:
        self._etc = folder
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def entry(self, words: Sequence[str], base: Path, folder: Path, cluster: Cluster = ALONE) -> Entry:
        """The command that runs a program in a namespace of its own. Raises NamespaceError.

        base: the folder that is its /opt/ml; beside it a file with several hosts' addresses is written. folder: its
        working directory. cluster: the job's hosts, as the program's own sees them.
        """
        with self._lock:
            opened = self._enter(base, cluster)
            maker = self._process.pid if self._process is not None else 0
        own = f"/proc/{os.getpid()}/fd"
        options = [f"--{kind}={own}/{number}" for kind, number in opened.items()]
        if "user" in opened:
            options.append("--preserve-credentials")
        enter = [_program("nsenter"), *options, "--", _program("env"), f"--chdir={folder}", *words]
        return Entry(
            enter, functools.partial(end_all, opened["mount"], maker), functools.partial(_close, [*opened.values()])
        )

    def close(self) -> None:
        with self._lock:
            self._end()

    def _enter(self, base: Path, cluster: Cluster) -> dict[str, int]:
        """Opens a job's namespaces by their kinds, from a process that is started if none runs."""
        try:
            process = self._started()
            file = write_hosts(base, cluster.hosts) if len(cluster.hosts) > 1 else ""
            self._ask(process, b"".join(os.fsencode(text) + b"\0" for text in (base, cluster.current.name, file)))
            return _opened(process.pid)
        except OSError as error:
            self._end()
            raise NamespaceError(str(error)) from error
        except NamespaceError:
            self._end()
            raise

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self._end()
            write_etc(self._etc)
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", namespace.__file__, str(self._etc)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
            self._ask(self._process, b"")
        return self._process

    @staticmethod
    def _ask(process: "subprocess.Popen[bytes]", request: bytes) -> None:
        """Sends a request and takes the answer. Raises NamespaceError, or OSError if the process is gone."""
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(request)
        answer = process.stdout.readline()
        if answer != b"\n":
            raise NamespaceError(answer.decode(errors="replace").strip() or "its helper has ended")

    def _end(self) -> None:
        if self._process is None:
            return
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(ANSWER_SECONDS)
        self._process = None


def _opened(pid: int) -> dict[str, int]:
    """A process's namespaces, opened, by their kinds; its user namespace only if that is not this process's own."""
    kinds = {"mount": "mnt", "uts": "uts"}
    if Path(f"/proc/{pid}/ns/user").readlink() != Path("/proc/self/ns/user").readlink():
        kinds["user"] = "user"
    return {kind: os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY) for kind, name in kinds.items()}


def _close(numbers: list[int]) -> None:
    while numbers:
        os.close(numbers.pop())


def _program(name: str) -> str:
    """Where a program of this machine is: a job has a PATH of its own."""
    found = shutil.which(name)
    if found is None:
        raise NamespaceError(f"there is no program {name}")
    return found
