"""The file that marks Seedbed's own folders: no other folder is ever used as a home, cleared or moved."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ...errors import SeedbedError
from ..private_file import write_private

MARK = "made-by-seedbed.json"
LOCK = "lock"
ABOUT = {
    "own": "Seedbed keeps its state here and nowhere else; it never deletes this folder.",
    "demo": "The next `seedbed demo` clears this folder, unless it holds images that a demo did not draw.",
}
CODE_BUCKET = "seedbed-code"  # each start uploads the functions to it
EARLIER_FILES = {"cloud.json", "cloud.log", "demo", "mail", "models", "reports", "s3", "sagemaker", "scratch"}
CHOOSE_ANOTHER = "Choose a new or empty folder by SEEDBED_HOME (or by --data of seedbed sagemaker)."


@dataclass(frozen=True)
class Mark:
    """The kind of a home, `own` or `demo`, and the keys of the images that the demo drew."""

    kind: str
    drawn: tuple[str, ...] = ()


def read_mark(folder: Path) -> Mark | None:
    """A folder's mark; None if it has none. With an unreadable mark it is the user's own, and never cleared."""
    try:
        content = json.loads((folder / MARK).read_text(encoding="utf-8"))
        return Mark(content["kind"], tuple(content["drawn"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return Mark("own")


def write_mark(folder: Path, kind: str, drawn: Iterable[str] = ()) -> None:
    """Mark a folder, atomically."""
    mark = Mark(kind, tuple(drawn))
    write_private(folder / MARK, json.dumps({"about": ABOUT[kind], **asdict(mark)}, indent=1) + "\n")


def check_is_home(folder: Path) -> None:
    """Raises SeedbedError if the path exists, but this or an earlier release of Seedbed did not create it."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise SeedbedError(f"{folder} is a file. {CHOOSE_ANOTHER}")
    names = {entry.name for entry in folder.iterdir()} - {LOCK, f"{MARK}.partial"}
    if not names or MARK in names or (folder / "sagemaker" / "jobs.db").is_file():
        return
    if not ("cloud.log" in names and names <= EARLIER_FILES):
        raise SeedbedError(f"{folder} holds files that are not Seedbed's. {CHOOSE_ANOTHER}")


def uploaded_keys(folder: Path) -> set[str]:
    """The keys of all objects in a home's buckets that no run wrote."""
    found = set()
    for bucket in (path for path in folder.glob("s3/[0-9]*/*/") if path.name != CODE_BUCKET):
        for path in bucket.rglob("*"):
            with suppress(OSError):
                if path.is_file():
                    found.add(path.relative_to(bucket).as_posix().removesuffix(".meta.json"))
    return {key for key in found if not key.startswith("runs/")}
