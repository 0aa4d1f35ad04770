"""Put a folder of images, one sub-folder a label, into the bucket."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from .errors import SeedbedError
from .stack import Stack

WORKERS = 16


def files_of(folder: Path) -> list[tuple[Path, str]]:
    """Each file with the key it will have. What lies elsewhere than `<label>/<file>` goes too: the run will name it."""
    if not folder.is_dir():
        raise SeedbedError(f"{folder} is not a folder. Name one that has a sub-folder of images for each label.")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    if not files:
        raise SeedbedError(f"{folder} holds no files. Name a folder that has a sub-folder of images for each label.")
    return [(path, f"seedlings/{path.relative_to(folder).as_posix()}") for path in files]


def upload(stack: Stack, files: list[tuple[Path, str]]) -> Iterator[str]:
    """Upload side by side; yields each key once it is in the bucket."""
    s3 = stack.client("s3")

    def put(path: Path, key: str) -> str:
        with path.open("rb") as body:
            s3.put_object(Bucket=stack.bucket, Key=key, Body=body)
        return key

    with ThreadPoolExecutor(WORKERS) as pool:
        tasks = [pool.submit(put, path, key) for path, key in files]
        for task in as_completed(tasks):
            yield task.result()
