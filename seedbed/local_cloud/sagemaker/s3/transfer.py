"""Job data between S3 and a job's directories."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

from ..clients import CONNECTIONS, Clients
from ..errors import JobFailure
from .archive import write_archive
from .cache import Cache, S3Object
from .find import Finder, FoundObject
from .object_reader import ObjectReader
from .paths import safe_path, split_uri
from .tree import Uploaded

SMALL = 8 * 2**20
UPLOAD = TransferConfig(multipart_threshold=256 * 2**20, use_threads=False)
Cancelled = Callable[[], bool]


class DataTransfer:
    """Downloads inputs through the cache and uploads outputs. cancelled: called before each object.

    finder: finds objects. reader: reads one without keeping it.
    """

    def __init__(self, clients: Clients, cache: Cache) -> None:
        self._s3 = clients.s3
        self._cache = cache
        self._pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="sagemaker-s3")
        self.finder = Finder(clients.s3, self._pool)
        self.reader = ObjectReader(clients.s3)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def download(self, uri: str, found: Sequence[FoundObject], directory: Path, cancelled: Cancelled) -> None:
        """Downloads objects that were found at a URI into `directory`, which is created. Raises JobFailure."""
        directory.mkdir(parents=True, exist_ok=True)
        try:
            wanted = [(item, safe_path(directory, name, item.key)) for item, name in found]
            for parent in {target.parent for _, target in wanted}:
                parent.mkdir(parents=True, exist_ok=True)
            self._fetch_all(wanted, cancelled)
        except (BotoCoreError, ClientError) as error:
            raise JobFailure(f"ClientError: Data download failed: {uri}: {error}") from error
        except OSError as error:
            raise JobFailure(f"ClientError: Data download failed: {uri} can't be laid out as files: {error}") from error
        self._cache.trim()

    def _fetch_all(self, wanted: list[tuple[S3Object, Path]], cancelled: Cancelled) -> None:
        """Cancels the rest after the first failure, and returns when no download is running any more."""
        fetches = [self._pool.submit(self._fetch, item, target, cancelled) for item, target in wanted]
        try:
            for fetch in fetches:
                fetch.result()
        finally:
            for fetch in fetches:
                fetch.cancel()
            wait(fetches)

    def restore(self, uri: str, directory: Path, cancelled: Cancelled) -> None:
        """Downloads the objects under the prefix, if any, as files that the job may change. Raises JobFailure."""
        bucket, folder = _folder(uri)
        directory.mkdir(parents=True, exist_ok=True)

        def fetch(item: S3Object) -> None:
            if not cancelled():
                target = safe_path(directory, item.key.removeprefix(folder), item.key)
                target.parent.mkdir(parents=True, exist_ok=True)
                self._s3.download_file(bucket, item.key, str(target), Config=UPLOAD)

        try:
            items = [item for item in self.finder.objects(bucket, folder) if not item.key.endswith("/")]
            list(self._pool.map(fetch, items))
        except (BotoCoreError, ClientError, OSError) as error:
            raise JobFailure(f"ClientError: Data download failed: {uri}: {error}") from error

    def download_object(self, uri: str, target: Path, most_bytes: int) -> str:
        """Downloads the one object at a URI as a file; returns its content type. Raises JobFailure."""
        bucket, key = split_uri(uri)
        try:
            found = self._s3.get_object(Bucket=bucket, Key=key)
            if found["ContentLength"] > most_bytes:
                raise JobFailure(f"ClientError: Data download failed: {uri} has more than {most_bytes:,} bytes.")
            with target.open("wb") as file:
                for chunk in found["Body"].iter_chunks(SMALL):
                    file.write(chunk)
        except (BotoCoreError, ClientError, OSError) as error:
            raise JobFailure(f"ClientError: Data download failed: {uri}: {error}") from error
        return found.get("ContentType", "")

    def upload_object(self, path: Path, uri: str, content_type: str) -> None:
        """Uploads a file as the object at a URI. content_type: empty if it has none. Raises JobFailure."""
        bucket, key = split_uri(uri)
        kind = {"ContentType": content_type} if content_type else {}
        with self._uploading(uri):
            self._s3.upload_file(str(path), bucket, key, ExtraArgs=kind, Config=UPLOAD)

    def upload_files(self, files: Sequence[tuple[Path, str]], uri: str) -> list[Exception | None]:
        """Uploads each (file, name) under the prefix; returns for each the error, or None."""
        bucket, folder = _folder(uri)
        jobs = [self._pool.submit(self._put, path, bucket, folder + name) for path, name in files]
        wait(jobs)
        return [_fault(job.exception()) for job in jobs]

    def upload_directory(self, tree: Uploaded, uri: str) -> None:
        """Uploads each file of the tree, by its name in it, under the prefix. Raises JobFailure."""
        with self._uploading(uri):
            for fault in self.upload_files(tree.files(), uri):
                if fault is not None:
                    raise fault

    def upload_archive(self, tree: Uploaded, uri: str, scratch: Path) -> None:
        """Uploads all that the tree holds as one .tar.gz object at `uri`. Raises JobFailure.

        scratch: the file in which the archive is built.
        """
        bucket, key = split_uri(uri)
        with self._uploading(uri):
            write_archive(tree, scratch)
            self._put(scratch, bucket, key)

    def _put(self, path: Path, bucket: str, key: str) -> None:
        """Uploads one object; a small one in a single request, which is several times faster."""
        if not is_utf8(key):
            shown = os.fsencode(key).decode(errors="replace")
            raise ValueError(f"the name {shown} is not UTF-8, so S3 can't have it as a key. Rename the file.")
        if path.stat().st_size <= SMALL:
            self._s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
        else:
            self._s3.upload_file(str(path), bucket, key, Config=UPLOAD)

    @contextlib.contextmanager
    def _uploading(self, uri: str) -> Iterator[None]:
        try:
            yield
        except JobFailure:
            raise
        except Exception as error:
            raise JobFailure(f"ClientError: Data upload to '{uri}' failed: {error}") from error

    def _fetch(self, item: S3Object, target: Path, cancelled: Cancelled) -> None:
        if not cancelled():
            self._cache.place(item, target, lambda file: self.reader.copy(item, file))


def is_utf8(name: str) -> bool:
    """Whether a file's name is text that S3 can have as a key."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _folder(uri: str) -> tuple[str, str]:
    """(bucket, key prefix, which is empty or ends in a slash)."""
    bucket, prefix = split_uri(uri)
    return bucket, prefix.rstrip("/") + "/" if prefix.strip("/") else ""


def _fault(error: BaseException | None) -> Exception | None:
    if error is None or isinstance(error, Exception):
        return error
    raise error
