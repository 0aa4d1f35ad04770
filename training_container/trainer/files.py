"""Which files there are below a folder, and their names as people read them."""

import errno
import os
import stat
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

NOT_PERMITTED = "its permissions don't let it be read"

NameRefusal = Callable[[str], str | None]
"""The reason why files and folders of a name are left out; None if they are not."""


class Found(NamedTuple):
    """Files, and by name the reason for what was left out; a folder's name ends with `/`.

    Names are relative to the folder that was searched, with `/` between the parts.
    """

    files: list[str]
    left_out: dict[str, str]


JOINERS = {"\u200c", "\u200d"}
"""Persian, Hindi and many emoji are spelt with them."""


def list_files(folder: Path) -> list[str]:
    """Every file below `folder`, sorted, relative to it with `/` between the parts. Links are listed, not followed."""
    files = []
    for directory, folders, names in os.walk(folder):
        links = [name for name in folders if Path(directory, name).is_symlink()]
        files += [Path(directory, name).relative_to(folder).as_posix() for name in names + links]
    return sorted(files)


def find_files(folder: Path, name_refusal: NameRefusal) -> Found:
    """Every regular file below `folder`, sorted. Links are followed; each folder is searched once."""
    found = Found([], {})
    seen = {_identity(parent): "a link to a folder that holds it" for parent in Path(os.path.realpath(folder)).parents}
    waiting = deque([""])  # links last: a folder goes by its own name, not by a link's
    while waiting:
        place = waiting.popleft()
        try:
            identity = _identity(folder / place)
            if identity in seen:
                found.left_out[place] = seen[identity]
                continue
            with os.scandir(folder / place) as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            found.left_out[place or "./"] = reason_of(error)
            continue
        seen[identity] = f"a link to the folder {place or './'}, which is taken already"
        for entry in inside:
            name = f"{place}{entry.name}"
            reason = name_refusal(entry.name)
            if reason:
                found.left_out[f"{name}/" if entry.is_dir(follow_symlinks=False) else name] = reason
            else:
                _add(found, waiting, name, entry)
    found.files.sort()
    return found


def reason_of(error: OSError, is_link: bool = False) -> str:
    """What an error says about a file that can't be read."""
    if error.errno in {errno.EACCES, errno.EPERM}:
        return NOT_PERMITTED
    if error.errno == errno.ENOENT:
        return "a link to something that isn't there" if is_link else "it isn't there"
    if error.errno == errno.ELOOP:
        return "a link that leads back to itself"
    return f"it can't be read ({error.strerror})"


def _add(found: Found, waiting: deque[str], name: str, entry: "os.DirEntry[str]") -> None:
    try:
        mode = entry.stat().st_mode
    except OSError as error:
        found.left_out[name] = reason_of(error, is_link=entry.is_symlink())
        return
    if stat.S_ISDIR(mode):
        (waiting.append if entry.is_symlink() else waiting.appendleft)(f"{name}/")
    elif stat.S_ISREG(mode):
        found.files.append(name)
    else:
        found.left_out[name] = "not a file but a pipe, a socket or a device"


def _identity(folder: Path) -> tuple[int, int]:
    state = folder.stat()
    return state.st_dev, state.st_ino


def printable(text: str) -> str:
    """The text on one line, with a question mark for any character that could control a terminal."""
    return "".join(character if character.isprintable() or character in JOINERS else "?" for character in text)
