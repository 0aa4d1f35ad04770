"""Kills the process groups of running jobs when the endpoint dies, even by kill -9, on Linux and macOS.

It is a separate process whose standard input is a pipe from the endpoint. The line `+123` adds group 123 and `-123`
removes it. The end of the pipe, or a new parent process, means that the endpoint has died.
"""

import contextlib
import os
import select
import signal

CHECK_SECONDS = 1.0


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    groups: set[int] = set()
    parent = os.getppid()
    rest = b""
    while os.getppid() == parent:
        if not select.select([0], [], [], CHECK_SECONDS)[0]:
            continue
        chunk = os.read(0, 65536)
        if not chunk:
            break
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            (groups.add if line.startswith(b"+") else groups.discard)(int(line[1:]))
    for group in groups:
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
