"""Where files of an image are on this machine: what its Dockerfile copies is in the folder beside it."""

import contextlib
import posixpath
from dataclasses import dataclass, field, replace
from pathlib import Path

MAX_COPIES = 10_000


@dataclass(frozen=True)
class ImageFiles:
    """The files and folders that an image has from its Dockerfile's folder, and its own folders.

    copies: (path in the image, path here), later ones over earlier ones. folders: paths in the image.
    """

    copies: list[tuple[str, Path]] = field(default_factory=list)
    folders: set[str] = field(default_factory=lambda: {"/"})

    def copy(self) -> "ImageFiles":
        return replace(self, copies=list(self.copies), folders=set(self.folders))

    def find(self, path: str) -> Path | None:
        """What is here for an absolute path in the image; None if it was not copied."""
        path = _normal(path)
        for there, here in reversed(self.copies):
            found = here / posixpath.relpath(path, there) if _is_within(path, there) else None
            if found is not None and exists(found):
                return found
        return None

    def find_folder(self, path: str) -> Path | None:
        """The folder here for an absolute path in the image, whose contents were copied by themselves or as a whole."""
        path, found = _normal(path), self.find(path)
        for there, here in self.copies if found is None else []:
            if _is_within(there, path) and here.as_posix().endswith(f"/{posixpath.relpath(there, path)}"):
                return here.parents[posixpath.relpath(there, path).count("/")]
        return found if found is not None and found.is_dir() else None

    def below(self, folder: str) -> list[tuple[str, Path]]:
        """(path below a folder of the image, path here) of what was copied there; a later one replaces an earlier."""
        found = []
        for there, here in self.copies:
            if _is_within(there, folder):
                found.append((posixpath.relpath(there, folder), here))
            elif _is_within(folder, there):
                found.append((".", here / posixpath.relpath(folder, there)))
        return [(name, here) for name, here in found if exists(here)]

    def add(self, sources: list[Path], target: str, into: bool) -> None:
        """Copies files, and folders' contents, to an absolute path. into: the path is a folder."""
        path = _normal(target)
        into = into or path in self.folders or len(sources) > 1
        for source in sources[: MAX_COPIES - len(self.copies)]:
            there = posixpath.join(path, source.name) if into and not source.is_dir() else path
            self.copies.append((there, source))
            self.folders.update({path} if into or source.is_dir() else {posixpath.dirname(path)})

    def sources(self, folder: Path, pattern: str) -> list[Path]:
        """The paths below a folder that COPY means by a word: none above it, and none for a URL."""
        relative = _normal(pattern)[1:]
        if "://" in pattern or pattern.startswith("git@"):
            return []
        if not set("*?[") & set(relative):
            return [folder / relative]
        try:
            found = folder.glob(relative.replace("**", "*"))
            return sorted(path for path, _ in zip(found, range(MAX_COPIES), strict=False))
        except (OSError, ValueError):
            return []


def exists(path: Path) -> bool:
    """Whether there is a file or folder; False too for what no path can be, such as a program's text."""
    with contextlib.suppress(OSError):
        return path.exists()
    return False


def is_file(path: Path) -> bool:
    """Whether there is a file; False too where that can't be found out."""
    return exists(path) and path.is_file()


def _normal(path: str) -> str:
    return "/" + posixpath.normpath(f"/{path}").lstrip("/")


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")
