"""Takes a run's model out of the bucket, in one format, with what is needed to use it beside it."""

import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from .errors import SeedbedError, WrongUse, check_writable, writing
from .fetch import CHANGED, download, is_recorded
from .stack import Stack
from .terminal.hints import seedbed
from .terminal.text import printable

ARCHIVE, FACTS, CARD = "model.tar.gz", "model.json", "model_card.md"
MAX_BYTES = 1_000_000_000


class Format(StrEnum):
    """The formats that a model can have."""

    keras = "keras"
    saved_model = "saved_model"
    litert = "litert"
    litert_int8 = "litert_int8"
    onnx = "onnx"


FILE_NAMES = {
    Format.keras: "model.keras",
    Format.saved_model: "saved_model",
    Format.litert: "model.tflite",
    Format.litert_int8: "model_int8.tflite",
    Format.onnx: "model.onnx",
}
"""What the model card calls them, too."""
SAVED_MODEL = "saved_model.pb"


@dataclass(frozen=True)
class Source:
    """The files of a run's model in one format, in the bucket below `folder`, each with its SHA-256.

    `model` is one archive or file, or the files of a SavedModel; the archive of an old run has no digest. `beside` has
    those of model.json and the card that the run recorded.
    """

    run_id: str
    format: Format
    folder: str
    model: Mapping[str, str | None]
    beside: Mapping[str, str]


def source_of(stack: Stack, run_id: str, format_: Format) -> Source:
    """A run's model, by default the best model. Raises SeedbedError if there is none in this format."""
    run = stack.get(f"/runs/{run_id or stack.get('/models/best')['run_id']}")
    evaluation = run["evaluation"]
    if not evaluation or not run["model_uri"]:
        raise SeedbedError(f"Run {run['run_id']} has no model: its state is {run['state']}.")
    recorded = evaluation.get("files", {})
    archive = {ARCHIVE: run["model_sha256"]}
    return Source(
        run_id=run["run_id"],
        format=format_,
        folder=run["model_uri"].removesuffix(ARCHIVE),
        model=archive if format_ is Format.keras else exported(stack, run["run_id"], evaluation, format_),
        beside={name: recorded[name] for name in (FACTS, CARD) if name in recorded},
    )


def exported(stack: Stack, run_id: str, evaluation: Mapping[str, Any], format_: Format) -> Mapping[str, str]:
    """An export's files. Raises SeedbedError, which says which formats there are and how to have others."""
    exports = {export["format"]: export for export in evaluation["exports"]}
    found = exports.get(format_.value, {})
    files: Mapping[str, str] = found.get("files", {})
    if files and all(is_below(PurePosixPath(key)) for key in files):
        return files
    has = ", ".join([Format.keras, *(printable(name) for name, export in exports.items() if export.get("files"))])
    if found.get("error"):
        why = f"could not be exported as {format_}: {printable(found['error']).rstrip('.')}."
    elif found:
        why = f"has a {format_} export whose files it did not record, as earlier versions did not."
    else:
        why = f"was not exported as {format_}."
    raise SeedbedError(f"The model of run {run_id} {why} It can be taken as: {has}. {how_to_export(stack)}")


def how_to_export(stack: Stack) -> str:
    """How the next runs get every format."""
    if stack.endpoint:
        return f"The full plan makes every format: {seedbed('up --plan full')}"
    formats = ",".join(format_ for format_ in Format if format_ is not Format.keras)
    return f"Later runs make every format after: seedbed deploy --set Exports={formats}"


def is_below(key: PurePosixPath) -> bool:
    """Whether a key leads to a file in the exports' folder."""
    return not key.is_absolute() and ".." not in key.parts and len(key.parts) > 1


def check_target(path: Path, format_: Format, *, force: bool) -> None:
    """Raises SeedbedError if the model, or what belongs beside it, can't be written there."""
    if path.name in {FACTS, CARD, ""}:
        raise WrongUse(f"{path} can't be the model's name: {FACTS} and {CARD} are written beside it. Choose another.")
    if format_ is Format.saved_model and path.is_dir():
        check_writable(path.absolute().parent / FACTS)
        if force and not (path / SAVED_MODEL).is_file():
            raise SeedbedError(f"{path} is a folder, but not a SavedModel, so it is not replaced. Choose another name.")
    else:
        check_writable(path.absolute())
    check_replaceable(path, "exists already", force=force)


def check_replaceable(path: Path, why: str, *, force: bool) -> None:
    """Raises SeedbedError if something is there that may not be replaced."""
    if path.exists() and not force:
        raise SeedbedError(f"{path} {why}. Name another place with --out, or replace it with --force.")


def take(stack: Stack, source: Source, path: Path, *, force: bool) -> list[Path]:
    """Write the model to `path`, and model.json and the card beside it, which are returned: all whole, or nothing.

    Raises SeedbedError if a file is not the one that was recorded, can't be fetched or written, or would replace
    another one without `force`.
    """
    check_target(path, source.format, force=force)
    folder = path.absolute().parent
    with writing(path), TemporaryDirectory(prefix=f".{path.name}.", dir=folder) as scratch:
        model = fetched(stack, source, Path(scratch))
        beside = [name for name in (FACTS, CARD) if Path(scratch, name).is_file()]
        changed = [name for name in beside if not same(folder / name, Path(scratch, name))]
        for name in changed:
            check_replaceable(path.parent / name, "is another model's", force=force)
        for name in changed:
            Path(scratch, name).replace(folder / name)
        if path.is_dir():
            path.replace(Path(scratch, "before"))
        model.replace(path)
    return [path.parent / name for name in beside]


def write_to(output: BinaryIO, stack: Stack, source: Source) -> None:
    """Write a model that is a single file to an open one. Raises SeedbedError as `take` does."""
    with TemporaryDirectory() as scratch, fetched(stack, source, Path(scratch)).open("rb") as model:
        shutil.copyfileobj(model, output)


def fetched(stack: Stack, source: Source, scratch: Path) -> Path:
    """Fetch the model, model.json and the card into a folder, and return the model's path there."""
    model = scratch / "model"
    for name in source.beside:
        fetch_recorded(stack, source.folder + name, scratch / name, source.beside[name])
    for key, digest in source.model.items():
        inside = PurePosixPath(*PurePosixPath(key).parts[2:]) if source.format is Format.saved_model else ""
        place = scratch / ARCHIVE if source.format is Format.keras else model / inside
        place.parent.mkdir(parents=True, exist_ok=True)
        fetch_recorded(stack, source.folder + key, place, digest)
    if source.format is Format.keras:
        extract(scratch / ARCHIVE, FILE_NAMES[Format.keras], model)
        if FACTS not in source.beside:
            extract(scratch / ARCHIVE, FACTS, scratch / FACTS)
    return model


def fetch_recorded(stack: Stack, uri: str, path: Path, sha256: str | None) -> None:
    """Raises SeedbedError if the file can't be fetched, or is not the one that was recorded."""
    download(stack, uri, path)
    if not is_recorded(path, sha256):
        raise SeedbedError(CHANGED.format(uri))


def extract(archive: Path, name: str, path: Path) -> None:
    """Write one file of a model's archive to `path`. Raises SeedbedError if it is not there."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            member = tar.getmember(name)
            content = tar.extractfile(member)
            if content is None or member.size > MAX_BYTES:
                raise KeyError(name)
            with path.open("wb") as file:
                shutil.copyfileobj(content, file)
    except (tarfile.TarError, EOFError, KeyError, ValueError) as error:
        raise SeedbedError(f"The model's archive holds no {name} that can be read.") from error


def same(one: Path, other: Path) -> bool:
    """Whether both are files with the same content."""
    return one.is_file() and one.read_bytes() == other.read_bytes()
