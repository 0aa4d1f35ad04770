"""Makes mount namespaces in which a job's folder is /opt/ml: a program for Linux that the endpoint starts once.

Its argument is a folder with files that stand in for those of /etc. A request on standard input is three texts, each
ended by a zero byte: a folder, the name of its host, and a file that stands in for /etc/hosts, empty for that of the
argument. For each request it enters new namespaces with the folder at /opt/ml and the name as host name, where the
endpoint finds them by this process's id. It answers with a line, empty or with what failed, first of all when it has
begun. The end of its input is its own end.

Where the system keeps namespaces for root, a user namespace comes with them, in which the user stays who it is. Nothing
is written below /opt: where /opt/ml is not there to mount over, a tmpfs with all that is in /opt takes its place.
"""

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

OPT = Path("/opt")
OPT_ML = Path("/opt/ml")
HOSTS = Path("/etc/hosts")
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWUSER = 0x00020000, 0x04000000, 0x10000000
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_SLAVE = 2, 4, 4096, 16384, 1 << 19
CHUNK_BYTES = 65_536
REQUEST = 3
LIMIT = "a limit on namespaces or mounts is reached"

libc = ctypes.CDLL(None, use_errno=True)


def main(etc: Path) -> None:
    if not succeeds(partial(prepare, etc)):
        return
    prepared = os.open("/proc/self/ns/mnt", os.O_RDONLY)
    rest: list[bytes] = [b""]
    while chunk := os.read(0, CHUNK_BYTES):
        rest = [*rest[:-1], *(rest[-1] + chunk).split(b"\0")]
        while len(rest) > REQUEST:
            folder, host, hosts = map(os.fsdecode, rest[:REQUEST])
            rest = rest[REQUEST:]
            succeeds(partial(enter_own, prepared, Path(folder), host, hosts))


def succeeds(step: Callable[[], None]) -> bool:
    """Takes a step, and answers whether it succeeded."""
    fault = ""
    try:
        step()
    except OSError as error:
        fault = f"{error.filename}: {error.strerror}"
    sys.stdout.write(f"{fault}\n")
    sys.stdout.flush()
    return not fault


def prepare(etc: Path) -> None:
    """Enters namespaces that have all but a job's folder and host."""
    enter_namespaces()
    for file in etc.iterdir():
        if Path("/etc", file.name).exists():
            mount(file, Path("/etc", file.name), MS_BIND)
    if OPT_ML.is_symlink() or not OPT_ML.is_dir():
        cover_opt()
        OPT_ML.mkdir()


def enter_namespaces() -> None:
    """Enters namespaces of its own, with the same user and groups. What is mounted in them stays in them."""
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWNS | CLONE_NEWUTS) != 0:
        check(libc.unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS), "unshare")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    mount(Path("none"), Path("/"), MS_REC | MS_SLAVE)


def cover_opt() -> None:
    """Puts a tmpfs over /opt that has the same entries, but no `ml`."""
    covered = Path("/proc/self/fd", str(os.open(OPT, os.O_PATH)))
    names = [path.name for path in OPT.iterdir() if path != OPT_ML]
    mount(Path("tmpfs"), OPT, MS_NOSUID | MS_NODEV, b"tmpfs", b"mode=755")
    for name in names:
        here, there = OPT / name, covered / name
        if there.is_symlink():
            here.symlink_to(there.readlink())
            continue
        if there.is_dir():
            here.mkdir()
        else:
            here.touch()
        mount(there, here, MS_BIND | MS_REC)


def enter_own(prepared: int, folder: Path, host: str, hosts: str) -> None:
    """Enters a copy of the prepared mount namespace, with the folder at /opt/ml, and takes the host's name."""
    check(libc.setns(prepared, CLONE_NEWNS), "setns")
    check(libc.unshare(CLONE_NEWNS | CLONE_NEWUTS), "unshare")
    check(libc.sethostname(host.encode(), len(host)), "sethostname")
    mount(folder, OPT_ML, MS_BIND | MS_REC)
    if hosts and HOSTS.exists():
        mount(Path(hosts), HOSTS, MS_BIND)


def mount(source: Path, target: Path, flags: int, kind: bytes | None = None, options: bytes | None = None) -> None:
    check(libc.mount(bytes(source), bytes(target), kind, ctypes.c_ulong(flags), options), str(target))


def check(result: int, subject: str) -> None:
    """Raises OSError if a call failed."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, LIMIT if number == errno.ENOSPC else os.strerror(number), subject)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
