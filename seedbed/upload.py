"""Uploads a folder of images, with one sub-folder per label, to the bucket."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from botocore.exceptions import ClientError

from .errors import SeedbedError
from .stack import Stack
from .terminal.aws_errors import aws_sentence

WORKERS = 16
FOLDER_ADVICE = "Choose a folder that has a sub-folder of images for each label."


def files_of(folder: Path) -> list[tuple[Path, str]]:
    """Each file with its key. Files that are not at `<label>/<file>` are included: the run will report them.

    Raises SeedbedError if there are no files, or most are not at `<label>/<file>`.
    """
    if not folder.is_dir():
        raise SeedbedError(f"{folder} is not a folder. {FOLDER_ADVICE}")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    if not files:
        raise SeedbedError(f"{folder} holds no files. {FOLDER_ADVICE}")
    check_layout(folder, files)
    return [(path, f"seedlings/{path.relative_to(folder).as_posix()}") for path in files]


def check_layout(folder: Path, files: list[Path]) -> None:
    """Raises SeedbedError if most files are not at `<label>/<file>`; it names the folder that was probably meant."""
    files_in_labels_of = Counter(path.parent.parent for path in files)
    if 2 * files_in_labels_of[folder] >= len(files):
        return
    meant = next((other for other, _ in files_in_labels_of.most_common() if folder in other.parents), None)
    hint = f"Did you mean {meant}?" if meant else FOLDER_ADVICE
    raise SeedbedError(f"Most files in {folder} are not at <label>/<file>. {hint}")


def upload(stack: Stack, files: list[tuple[Path, str]]) -> Iterator[str]:
    """Upload in parallel; yields each key once it is in the bucket. Raises SeedbedError if a file is refused."""
    s3 = stack.client("s3")

    def put(path: Path, key: str) -> str:
        try:
            with path.open("rb") as body:
                s3.put_object(Bucket=stack.bucket, Key=key, Body=body)
        except ClientError as error:
            raise SeedbedError(f"{path} was not uploaded: {aws_sentence(error)}") from error
        return key

    pool = ThreadPoolExecutor(WORKERS)
    try:
        for task in as_completed([pool.submit(put, path, key) for path, key in files]):
            yield task.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
