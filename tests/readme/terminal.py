"""A terminal of 80 columns: a command runs in it as a person's would, and its screen can be read."""

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import termios
import threading
from collections.abc import Mapping
from pathlib import Path

from tests import children

COLUMNS, LINES = 80, 40
CONTROL = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|([\r\n])")
LAST_WORDS = 20.0
"""Seconds to read what an ended command wrote; a process that it left behind would keep the terminal open."""


class Terminal:
    """A command that runs in bash, its screen, and the keys pressed for it. `end` ends it."""

    def __init__(self, command: str, folder: Path, environment: Mapping[str, str], keys: str = "") -> None:
        self._keyboard, screen = pty.openpty()
        fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        size = {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(LINES)}
        self.process = children.start(
            ["bash", "-c", command],
            cwd=folder,
            env={**environment, **size},
            stdin=screen,
            stdout=screen,
            stderr=screen,
        )
        os.close(screen)
        self._written = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        os.write(self._keyboard, keys.encode())

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # nobody has the terminal open any more
            while part := os.read(self._keyboard, 65536):
                self._written += part

    @property
    def screen(self) -> list[str]:
        """The lines printed so far; of one that was overwritten, the last."""
        return displayed(bytes(self._written).decode(errors="replace"))

    def shows(self, text: str) -> bool:
        """Whether a line that it printed has this text."""
        return any(text in line for line in self.screen)

    def press(self, keys: str) -> None:
        """Type on its keyboard."""
        os.write(self._keyboard, keys.encode())

    def exited(self) -> int:
        """The exit status, once the command has ended."""
        status = children.exited(self.process)
        self._reader.join(LAST_WORDS)
        return status

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> None:
        """Neither the command nor anything that it started runs afterwards."""
        children.end(self.process)
        self._reader.join(LAST_WORDS)
        os.close(self._keyboard)


def displayed(written: str) -> list[str]:
    """The lines of an endless screen, for programs that print, erase and overwrite whole lines."""
    lines, row, column, position = [""], 0, 0, 0
    for control in CONTROL.finditer(written):
        text, position = written[position : control.start()], control.end()
        lines[row] = lines[row][:column].ljust(column) + text + lines[row][column + len(text) :]
        column += len(text)
        number, letter, key = control.groups()
        if key == "\r":
            column = 0
        elif key == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif letter == "A":
            row = max(0, row - int(number or 1))
        elif letter == "K":
            lines[row] = "" if number == "2" else lines[row][:column]
    lines[row] = lines[row][:column] + written[position:]
    return [line.rstrip() for line in lines]
