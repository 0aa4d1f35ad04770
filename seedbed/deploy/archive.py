"""Zip files that are the same, byte for byte, whenever what is in them is the same."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

LONG_AGO = (1980, 1, 1, 0, 0, 0)
READABLE = 0o100644 << 16
"""Lambda runs functions as another user than the one who unpacked them."""


def python_files(folder: Path) -> dict[str, bytes]:
    """The Python files of a folder and of those below it, by their path in it."""
    return files_of(folder, "*.py")


def files_of(folder: Path, pattern: str = "*") -> dict[str, bytes]:
    """The files of a folder and of those below it, by their path in it; without hidden files and compiled code."""
    found = {path.relative_to(folder): path for path in folder.rglob(pattern) if path.is_file()}
    return {name.as_posix(): path.read_bytes() for name, path in found.items() if not any(map(is_left_out, name.parts))}


def is_left_out(part: str) -> bool:
    return part.startswith(".") or part == "__pycache__"


def packed(files: Mapping[str, bytes]) -> bytes:
    """The files in a zip file, in the order of their names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in sorted(files.items()):
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, READABLE
            archive.writestr(entry, body)
    return buffer.getvalue()


def digest(files: Mapping[str, bytes]) -> str:
    """What tells files from others by their names and contents, not by how they are compressed."""
    total = hashlib.sha256()
    for name, body in sorted(files.items()):
        total.update(f"{name}\0{len(body)}\0".encode())
        total.update(body)
    return total.hexdigest()
