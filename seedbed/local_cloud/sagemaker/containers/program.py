"""How an image's program is started as a process: its paths in the image become paths of this machine."""

import os
import re
import shutil
import sys
from pathlib import Path, PurePosixPath
from shlex import quote

from ..errors import JobFailure
from . import opt_ml
from .image_files import exists, is_file
from .images import Image, own_search_path

PYTHON = re.compile(r"python[0-9.]*")
OWN_PYTHONS = {"python", "python3", f"python{sys.version_info.major}.{sys.version_info.minor}"}
SHELLS = {"sh", "bash", "dash", "zsh"}
PATH_IN_TEXT = re.compile(r"""(^|[\s'"=(;&|])(/[^\s'"`;|&<>()$]+)""")
DEFAULT_PATH = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
HEAD_BYTES = 512
UTF8_BOM = b"\xef\xbb\xbf"
# ELF, and Mach-O for one and for several architectures.
BINARIES = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")


def runnable(words: list[str], image: Image, base: Path, path: str, seen: Path | None = None) -> list[str]:
    """The command here for the words that start the image.

    base: the directory that stands for /opt/ml. path: the process's PATH. seen: where the process itself finds that
    directory, if elsewhere. Raises JobFailure if the program is not found or can't be started.
    """
    first, *arguments = words
    seen = seen or base
    program = [opt_ml.moved(word, seen, str(base)) for word in _program(first, image, base, path)]
    move = _moved_text if PurePosixPath(first).name in SHELLS else _moved
    return [*program, *(move(word, image, seen) for word in arguments)]


def search_path(image: Image) -> str:
    """PATH of a job: the folders that the image copies to its own, then those of this machine, then the others."""
    own = own_search_path()
    declared = [path for path in image.environment.get("PATH", "").split(":") if path.startswith("/")]
    found = {path: image.stage.files.find(path) for path in declared}
    others = [path for path, here in found.items() if here is None and path not in own.split(os.pathsep)]
    return os.pathsep.join([*(str(here) for here in found.values() if here), own, *others])


def moved_list(paths: str, image: Image) -> str:
    """A list of paths in the image, with colons between them, as paths here."""
    parts = ((path, image.stage.files.find_folder(path) if path.startswith("/") else None) for path in paths.split(":"))
    return ":".join(str(here or path) for path, here in parts)


def _moved(word: str, image: Image, base: Path) -> str:
    """A word as its path here if it is the path of something that was copied, or lies below /opt/ml."""
    found = None
    if word.startswith("/"):
        found = image.stage.files.find(word)
    elif word and not word.startswith("-") and not exists(image.working_folder / word):
        found = image.stage.files.find(f"{image.stage.working_directory}/{word}")
    return str(found) if found else opt_ml.moved(word, base)


def _moved_text(text: str, image: Image, base: Path) -> str:
    """A shell's command with its absolute paths moved."""

    def move(match: re.Match[str]) -> str:
        before, path = match.groups()
        here = _moved(path, image, base)
        return before + (here if here == path or before in ("'", '"') else quote(here))

    return PATH_IN_TEXT.sub(move, text)


def _program(name: str, image: Image, base: Path, path: str) -> list[str]:
    copied = _copied(name, image, base)
    if copied is not None:
        return _script(copied, image, path)
    program = _here(name, path)
    if not program:
        raise JobFailure(f"ClientError: {_not_found(name, image)}")
    return [program]


def _copied(name: str, image: Image, base: Path) -> Path | None:
    """The file here that an image has for a path, or for a name on its PATH."""
    if "/" in name:
        moved = Path(_moved(name, image, base))
        places = [image.working_folder / moved] if not name.startswith("/") or str(moved) != name else []
    else:
        folders = [*image.environment.get("PATH", "").split(":"), *DEFAULT_PATH]
        found = (image.stage.files.find(f"{folder}/{name}") for folder in folders if folder.startswith("/"))
        places = [place for place in found if place is not None]
    return next((place for place in places if is_file(place)), None)


def _here(name: str, path: str) -> str:
    """A program of this machine, by its path or its name; each Python means this one. Empty if there is none."""
    short = PurePosixPath(name).name
    if PYTHON.fullmatch(short):
        return short if short in OWN_PYTHONS and shutil.which(short, path=path) else _own_python(path)
    if "/" in name and os.access(name, os.X_OK):
        return name
    return short if shutil.which(short, path=path) else ""


def _own_python(path: str) -> str:
    """The job's Python, by a name that each environment has."""
    return "python3" if shutil.which("python3", path=path) else sys.executable


def _script(file: Path, image: Image, path: str) -> list[str]:
    """How a file of the image is started, as its first line says."""
    try:
        with file.open("rb") as content:
            head = content.read(HEAD_BYTES)
    except OSError as error:
        raise JobFailure(f"ClientError: {file} can't be read: {error.strerror}") from error
    if not os.access(file, os.X_OK) and not image.stage.sets_executable:
        raise JobFailure(f"ClientError: {file} is not executable. Make it so: chmod +x {quote(str(file))}")
    if head.startswith(BINARIES):
        return [str(file)]
    first, _, _ = head.removeprefix(UTF8_BOM).partition(b"\n")
    words = first[2:].decode(errors="replace").split()
    if not first.startswith(b"#!") or not words:
        raise JobFailure(
            f"ClientError: {file} does not say which program runs it. Begin it with a line such as"
            " #!/usr/bin/env python3."
        )
    if first.endswith(b"\r") or head.startswith(UTF8_BOM):
        odd = "Windows line ends (CRLF)" if first.endswith(b"\r") else "a byte order mark before its first line"
        raise JobFailure(f"ClientError: {file} has {odd}, so it can't be started. Save it without.")
    if PurePosixPath(words[0]).name == "env":
        words = [word for word in words[1:] if word != "-S"] or words
    program = _here(words[0], path)
    if not program:
        raise JobFailure(f"ClientError: {file} is run by {words[0]}, which is not on this machine.")
    return [program, *words[1:], str(file)]


def _not_found(name: str, image: Image) -> str:
    if image.entrypoint or "/" in name:
        return (
            f"'{name}', which starts the image, is neither on this machine nor among the files that {image.dockerfile}"
            " copies into the image."
        )
    return (
        f"the image has no program '{name}' on its PATH and no ENTRYPOINT. Give {image.dockerfile} one, such as"
        ' ENTRYPOINT ["python", "train.py"].'
    )
