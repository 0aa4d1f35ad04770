"""Which objects in S3 a prefix or a manifest means."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ..errors import JobFailure
from .cache import S3Object
from .manifest import MANIFEST_BYTES, parse_manifest
from .paths import split_uri

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FoundObject = tuple[S3Object, str]
"""An object, and its name below the folder that it belongs to."""


class Finder:
    """Finds objects. pool: its threads ask for many at once."""

    def __init__(self, s3: "S3Client", pool: ThreadPoolExecutor) -> None:
        self._s3 = s3
        self._pool = pool

    def find(self, data_type: str, uri: str) -> list[FoundObject]:
        """The objects of an S3DataSource or S3Input, in the order of their keys or of the manifest. Raises JobFailure.

        There is at least one.
        """
        bucket, key = split_uri(uri)
        try:
            found = self._manifest(bucket, key) if data_type == "ManifestFile" else self._prefix(bucket, key)
        except (BotoCoreError, ClientError) as error:
            raise JobFailure(f"ClientError: Data download failed: {uri}: {error}") from error
        if not found:
            raise JobFailure(f"ClientError: Data download failed: No S3 objects found under S3 URL '{uri}'.")
        return found

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

    def _prefix(self, bucket: str, prefix: str) -> list[FoundObject]:
        """(object, its name in the directory): the one object with this key, or all whose keys begin with it."""
        found = list(self.objects(bucket, prefix))
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

    def objects(self, bucket: str, prefix: str, pages: int | None = None) -> Iterator[S3Object]:
        """The objects whose keys begin with a prefix, in order. pages: how many requests to make at most."""
        listing = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for number, page in enumerate(listing, 1):
            for item in page.get("Contents", []):
                modified = int(item["LastModified"].timestamp())
                yield S3Object(bucket, item["Key"], item["ETag"], item["Size"], modified)
            if number == pages:
                return

    def _manifest(self, bucket: str, key: str) -> list[FoundObject]:
        """The objects that a manifest names, found by a short listing; those that it lacks, one by one."""
        body = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read(MANIFEST_BYTES + 1)
        prefix, names = parse_manifest(body, f"s3://{bucket}/{key}")
        source, base = split_uri(prefix)
        listed = {item.key: item for item in self.objects(source, base, pages=4 + len(names) // 250)}
        missing = [name for name in names if base + name not in listed]
        asked = self._pool.map(lambda name: self.head(source, base + name), missing)
        listed.update({item.key: item for item in asked})
        return [(listed[base + name], name) for name in dict.fromkeys(names)]

    def head(self, bucket: str, key: str) -> S3Object:
        """One object that a manifest names. Raises JobFailure if it is not there."""
        try:
            head = self._s3.head_object(Bucket=bucket, Key=key)
        except (BotoCoreError, ClientError) as error:
            raise JobFailure(
                f"ClientError: Data download failed: the manifest names s3://{bucket}/{key}: {error}"
            ) from error
        return S3Object(bucket, key, head["ETag"], head["ContentLength"], int(head["LastModified"].timestamp()))
