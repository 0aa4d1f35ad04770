"""Job data between S3 and a job's directories."""

import contextlib
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path, PurePosixPath
from typing import IO

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

from ..clients import CONNECTIONS, Clients
from ..errors import JobFailure
from .archive import write_archive
from .cache import Cache, S3Object
from .manifest import MANIFEST_BYTES, parse_manifest
from .paths import safe_path, split_uri
from .tree import Tree

CHUNK = 2**20
SMALL = 8 * 2**20
UPLOAD = TransferConfig(multipart_threshold=256 * 2**20, use_threads=False)
Cancelled = Callable[[], bool]


class DataTransfer:
    """Downloads inputs through the cache and uploads outputs. cancelled: called before each object."""

    def __init__(self, clients: Clients, cache: Cache) -> None:
        self._s3 = clients.s3
        self._cache = cache
        self._pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="sagemaker-s3")

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def download(self, data_type: str, uri: str, directory: Path, cancelled: Cancelled) -> None:
        """Downloads the objects of an S3DataSource or S3Input into `directory`, which is created. Raises JobFailure."""
        directory.mkdir(parents=True, exist_ok=True)
        bucket, key = split_uri(uri)
        try:
            found = self._manifest(bucket, key) if data_type == "ManifestFile" else self._prefix(bucket, key)
            wanted = [(item, safe_path(directory, name, item.key)) for item, name in found]
            if not wanted:
                raise JobFailure(f"ClientError: Data download failed: No S3 objects found under S3 URL '{uri}'.")
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

    def missing(self, uri: str) -> str | None:
        """Why a prefix has no objects: what S3 says, if anything. None if it has some, or S3 can't be asked."""
        bucket, key = split_uri(uri)
        try:
            return None if self._s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)["KeyCount"] else ""
        except ClientError as error:
            known = error.response["Error"]["Code"] == "NoSuchBucket"
            return error.response["Error"]["Message"] if known else None
        except BotoCoreError:
            return None

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
            items = [item for item in self._list(bucket, folder) if not item.key.endswith("/")]
            list(self._pool.map(fetch, items))
        except (BotoCoreError, ClientError, OSError) as error:
            raise JobFailure(f"ClientError: Data download failed: {uri}: {error}") from error

    def upload_files(self, files: Sequence[tuple[Path, str]], uri: str) -> list[Exception | None]:
        """Uploads each (file, name) under the prefix; returns for each the error, or None."""
        bucket, folder = _folder(uri)
        jobs = [self._pool.submit(self._put, path, bucket, folder + name) for path, name in files]
        wait(jobs)
        return [_fault(job.exception()) for job in jobs]

    def upload_directory(self, tree: Tree, uri: str) -> None:
        """Uploads each file of the tree, by its name in it, under the prefix. Raises JobFailure."""
        with self._uploading(uri):
            for fault in self.upload_files(tree.files(), uri):
                if fault is not None:
                    raise fault

    def upload_archive(self, tree: Tree, uri: str, scratch: Path) -> None:
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

    def _prefix(self, bucket: str, prefix: str) -> list[tuple[S3Object, str]]:
        """(object, its name in the directory): the one object with this key, or all whose keys begin with it."""
        found = list(self._list(bucket, prefix))
        for item in found:
            if item.key == prefix and not prefix.endswith("/"):
                return [(item, PurePosixPath(prefix).name)]
        folder = prefix if prefix.endswith("/") or not prefix else prefix + "/"
        beside = prefix.rpartition("/")[0]
        return [
            (item, item.key.removeprefix(folder if item.key.startswith(folder) else beside).lstrip("/"))
            for item in found
            if not item.key.endswith("/")
        ]

    def _list(self, bucket: str, prefix: str, pages: int | None = None) -> Iterator[S3Object]:
        listing = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for number, page in enumerate(listing, 1):
            for item in page.get("Contents", []):
                modified = int(item["LastModified"].timestamp())
                yield S3Object(bucket, item["Key"], item["ETag"], item["Size"], modified)
            if number == pages:
                return

    def _manifest(self, bucket: str, key: str) -> list[tuple[S3Object, str]]:
        """The objects that a manifest names, found by a short listing; those that it lacks, one by one."""
        body = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read(MANIFEST_BYTES + 1)
        prefix, names = parse_manifest(body, f"s3://{bucket}/{key}")
        source, base = split_uri(prefix)
        listed = {item.key: item for item in self._list(source, base, pages=4 + len(names) // 250)}
        missing = [name for name in names if base + name not in listed]
        asked = self._pool.map(lambda name: self._head(source, base + name), missing)
        listed.update({item.key: item for item in asked})
        return [(listed[base + name], name) for name in dict.fromkeys(names)]

    def _head(self, bucket: str, key: str) -> S3Object:
        try:
            head = self._s3.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            raise JobFailure(
                f"ClientError: Data download failed: the manifest names s3://{bucket}/{key}: {error}"
            ) from error
        return S3Object(bucket, key, head["ETag"], head["ContentLength"], int(head["LastModified"].timestamp()))

    def _fetch(self, item: S3Object, target: Path, cancelled: Cancelled) -> None:
        if cancelled():
            return

        def download(file: IO[bytes]) -> None:
            try:
                response = self._s3.get_object(Bucket=item.bucket, Key=item.key, IfMatch=item.etag)
            except ClientError as error:
                raise JobFailure(
                    f"ClientError: Data download failed: s3://{item.bucket}/{item.key}: {error}"
                ) from error
            digest = hashlib.md5(usedforsecurity=False)
            damaged = f"ClientError: Data download failed: s3://{item.bucket}/{item.key} is damaged"
            try:
                for chunk in response["Body"].iter_chunks(CHUNK):
                    file.write(chunk)
                    digest.update(chunk)
            except BotoCoreError as error:
                raise JobFailure(f"{damaged}, or could not be read to its end: {error}") from error
            if has_digest(item.etag) and "SSEKMSKeyId" not in response and digest.hexdigest() != item.etag.strip('"'):
                raise JobFailure(f"{damaged}: it is not what was uploaded. Upload it again.")

        self._cache.place(item, target, download)


def has_digest(etag: str) -> bool:
    """Whether an ETag is its object's MD5 digest; that of a multipart upload is not."""
    return re.fullmatch('"?[0-9a-f]{32}"?', etag) is not None


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
