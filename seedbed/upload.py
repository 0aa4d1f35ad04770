"""Uploads a folder of images, with one sub-folder per label, to the bucket."""

import os
import stat
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from pathlib import Path
from threading import Lock
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .errors import SeedbedError
from .stack import Stack
from .terminal.aws_errors import aws_sentence
from .trainer_rules import NOT_PERMITTED, find_files, name_refusal, reason_of

UPLOADS = "seedlings/"
WORKERS = 16
MAX_KEY_BYTES = 1024
MAX_FILE_BYTES = 200_000_000
TOO_LARGE = f"larger than {MAX_FILE_BYTES // 1_000_000} MB: save it as JPEG"
LARGE_FILE_BYTES = 20_000_000
ONE_AT_A_TIME = Lock()
"""Of the large files, each of which is held in memory while it is uploaded."""
FOLDER_ADVICE = "Choose a folder that has a sub-folder of images for each label."
ARCHIVES = (".7z", ".bz2", ".gz", ".rar", ".tar", ".tgz", ".xz", ".zip", ".zst")
REFUSED_ALONE = {400, 413, 500}
"""The HTTP status of answers about one object; after any other, no further object would be taken either."""

LeaveOut = Callable[[str, str], None]
"""Called with a file's name, relative to the uploaded folder, and the reason why it is left out."""


def ignore(_file: str, _reason: str) -> None: ...


def files_of(folder: Path, leave_out: LeaveOut = ignore) -> list[tuple[Path, str]]:
    """Each file with its key. Files that are not at `<label>/<file>` are included: the run will report them.

    Links are followed. Hidden files, and what can't be uploaded, are left out. Raises SeedbedError if there are no
    files, or most are not at `<label>/<file>`.
    """
    folder = _existing(folder)
    names, left_out = find_files(folder, name_refusal)
    reasons = left_out | {name: reason for name in names if (reason := refusal(folder, name))}
    for name, reason in reasons.items():
        leave_out(name, reason)
    files = [folder / name for name in names if name not in reasons]
    if not files:
        nothing = "nothing that can be uploaded" if reasons else "no files"
        raise SeedbedError(f"{folder} holds {nothing}. {FOLDER_ADVICE}")
    check_layout(folder, files)
    return [(path, f"{UPLOADS}{path.relative_to(folder).as_posix()}") for path in files]


def refusal(folder: Path, name: str) -> str | None:
    """Why the file of this name, relative to the folder, can't be uploaded; None if it can."""
    if len(f"{UPLOADS}{name}".encode()) > MAX_KEY_BYTES:
        return f"its path is longer than the {MAX_KEY_BYTES:,} bytes that S3 takes"
    try:
        size = (folder / name).stat().st_size
    except OSError as error:
        return reason_of(error)
    if not size:
        return "an empty file"
    if size > MAX_FILE_BYTES:
        return TOO_LARGE
    return None if os.access(folder / name, os.R_OK) else NOT_PERMITTED


def check_layout(folder: Path, files: list[Path]) -> None:
    """Raises SeedbedError if most files are not at `<label>/<file>`; it names the folder that was probably meant."""
    files_in_labels_of = Counter(path.parent.parent for path in files)
    if 2 * files_in_labels_of[folder] >= len(files):
        return
    meant = next((other for other, _ in files_in_labels_of.most_common() if folder in other.parents), None)
    hint = f"Did you mean {meant}?" if meant else FOLDER_ADVICE
    raise SeedbedError(f"Most files in {folder} are not at <label>/<file>. {hint}")


def upload(stack: Stack, files: list[tuple[Path, str]], leave_out: LeaveOut = ignore) -> Iterator[str]:
    """Upload in parallel; yields each key once it is in the bucket.

    A file that can't be read or is refused is left out. Raises SeedbedError if no further file would be taken.
    """
    s3 = stack.client("s3")
    pool = ThreadPoolExecutor(WORKERS)
    try:
        key_of = {pool.submit(_put, s3, stack.bucket, path, key): key for path, key in files}
        for task in as_completed(key_of):
            reason = task.result()
            if reason:
                leave_out(key_of[task].removeprefix(UPLOADS), reason)
            else:
                yield key_of[task]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _put(s3: Any, bucket: str, path: Path, key: str) -> str | None:
    """Upload one file; the reason if it is left out."""
    try:
        with ONE_AT_A_TIME if path.stat().st_size > LARGE_FILE_BYTES else nullcontext():
            s3.put_object(Bucket=bucket, Key=key, Body=_content(path))
    except _Unusable as unusable:
        return str(unusable)
    except OSError as error:
        return reason_of(error)
    except BotoCoreError as error:
        raise SeedbedError(f"{path} was not uploaded: {aws_sentence(error)}") from error
    except ClientError as error:
        reason = aws_sentence(error)
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in REFUSED_ALONE:
            return f"the bucket refused it: {reason.removesuffix('.')}"
        raise SeedbedError(f"{path} was not uploaded: {reason}") from error
    return None


class _Unusable(Exception):
    """A file can't be uploaded; the message is the reason."""


def _content(path: Path) -> bytes:
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise _Unusable("it is no longer a file")
        content = file.read(MAX_FILE_BYTES + 1)
        after = os.fstat(file.fileno())
    if len(content) > MAX_FILE_BYTES:
        raise _Unusable(TOO_LARGE)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(content) != after.st_size:
        raise _Unusable("it changed during the upload: upload it again")
    return content


def _existing(folder: Path) -> Path:
    """The folder, also if its name begins with a `~` that no shell replaced.

    Raises SeedbedError if it is not a folder.
    """
    try:
        mode = folder.stat().st_mode
    except FileNotFoundError:
        if folder.parts[:1] == ("~",):
            return _existing(Path.home().joinpath(*folder.parts[1:]))
        raise SeedbedError(f"{folder} does not exist. {FOLDER_ADVICE}") from None
    except OSError as error:
        raise SeedbedError(f"{folder}: {reason_of(error)}. {FOLDER_ADVICE}") from error
    if stat.S_ISDIR(mode):
        return folder
    if stat.S_ISREG(mode) and (folder.suffix.lower() in ARCHIVES or _is_archive(folder)):
        raise SeedbedError(f"{folder} is an archive. Unpack it first, then choose the folder that it held.")
    raise SeedbedError(f"{folder} is not a folder. {FOLDER_ADVICE}")


def _is_archive(file: Path) -> bool:
    try:
        return zipfile.is_zipfile(file) or tarfile.is_tarfile(file)
    except OSError:
        return False
