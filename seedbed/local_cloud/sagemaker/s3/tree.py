"""What a job left in a folder that is uploaded: its files, folders and links."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ..containers.opt_ml import moved
from ..errors import JobFailure

DEVICES = tuple(map(Path, ("/dev", "/proc", "/sys")))


@dataclass(frozen=True)
class Entry:
    """A file, folder or link. name: its path in the folder, with /. path: where its content lies. link: its target."""

    name: str
    path: Path
    link: str = ""

    @property
    def is_folder(self) -> bool:
        return not self.link and self.path.is_dir()


class Uploaded(Protocol):
    """What is uploaded: one folder, or the folders of several hosts. left_out: see Tree."""

    @property
    def left_out(self) -> list[str]: ...

    def files(self) -> list[tuple[Path, str]]:
        """(file, name) of each file. A link counts as what it leads to, since S3 has no links."""

    def entries(self) -> Iterator[Entry]:
        """All in it. A link to something in the folder stays a link; another one counts as what it leads to."""


@dataclass(frozen=True)
class Tree:
    """A folder of a job. base: the directory that stands for /opt/ml.

    reach: links are followed to what lies below it. A container's links are followed within `base` only, because
    elsewhere they mean the container's own files. left_out: a sentence for each name that can't be uploaded.
    """

    root: Path
    base: Path
    reach: Path
    left_out: list[str] = field(default_factory=list)

    def files(self) -> list[tuple[Path, str]]:
        """(file, name) of each file. A link counts as what it leads to, since S3 has no links."""
        return [(entry.path, entry.name) for entry in self.walk(keep_links=False) if not entry.is_folder]

    def entries(self) -> Iterator[Entry]:
        """All in it. A link to something in the folder stays a link; another one counts as what it leads to."""
        return self.walk(keep_links=True)

    def walk(self, keep_links: bool) -> Iterator[Entry]:
        """All in it. keep_links: whether links within it stay links. Raises JobFailure."""
        root = Path(os.path.realpath(self.root))
        if not root.is_relative_to(self.reach):
            raise JobFailure(f"ClientError: {self.root.name} is a link to {root}, which is not part of the job.")
        self.left_out.clear()
        if root.is_dir():
            yield from _Walk(self, root, keep_links).entries()


@dataclass(frozen=True)
class _Folder:
    """A folder on a walk. above: the real folders that lead to it, itself last. linked: whether a link led here."""

    prefix: str
    above: tuple[Path, ...]
    linked: bool = False


@dataclass(frozen=True)
class _Walk:
    tree: Tree
    root: Path
    keep_links: bool

    def entries(self) -> Iterator[Entry]:
        """The entries of each folder, then those of the folders in it. The job may still change them."""
        waiting = [_Folder("", (self.root,))]
        while waiting:
            folder = waiting.pop()
            for path in _sorted(folder.above[-1]):
                with suppress(FileNotFoundError):
                    entry = self._entry(path, folder)
                    if entry is None:
                        continue
                    if entry.is_folder:
                        linked = folder.linked or path.is_symlink()
                        waiting.append(_Folder(f"{entry.name}/", (*folder.above, entry.path), linked))
                    yield entry

    def _entry(self, path: Path, folder: _Folder) -> Entry | None:
        name = folder.prefix + path.name
        entry = self._behind_link(path, name, folder) if path.is_symlink() else Entry(name, path)
        return entry if entry and (entry.link or self._can_be_read(entry)) else None

    def _behind_link(self, path: Path, name: str, folder: _Folder) -> Entry | None:
        text = str(path.readlink())
        target = Path(os.path.realpath(path.parent / moved(text, self.tree.base)))
        if self.keep_links and target.is_relative_to(self.root):
            return Entry(name, path, os.path.relpath(target, self.root / Path(name).parent))
        if not target.exists():
            fault = "leads to nothing"
        elif not target.is_relative_to(self.tree.reach) or any(target.is_relative_to(place) for place in DEVICES):
            fault = "leads out of /opt/ml"
        elif target.is_dir() and (folder.linked or any(one.is_relative_to(target) for one in folder.above)):
            fault = "leads from a linked folder to another, or to one that holds it"  # so every walk ends
        else:
            return Entry(name, target)
        self.tree.left_out.append(f"{name} is a link that {fault} ({text})")
        return None

    def _can_be_read(self, entry: Entry) -> bool:
        """Whether it is a file or folder that can be read. The job may have taken that right from its own user."""
        path = entry.path
        if not path.is_file() and not path.is_dir():
            self.tree.left_out.append(f"{entry.name} is neither a file nor a folder")
            return False
        needed = os.R_OK | os.X_OK if path.is_dir() else os.R_OK
        if not os.access(path, needed) and path.is_relative_to(self.tree.base):
            path.chmod(path.stat().st_mode | (0o700 if path.is_dir() else 0o400))
        if not os.access(path, needed):
            self.tree.left_out.append(f"{entry.name} can't be read")
            return False
        return True


def _sorted(folder: Path) -> list[Path]:
    """What is in a folder, by name; nothing if the folder is gone."""
    with suppress(FileNotFoundError):
        return sorted(folder.iterdir())
    return []
