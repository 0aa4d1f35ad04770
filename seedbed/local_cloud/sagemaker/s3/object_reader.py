"""The content of objects in S3, checked against what was uploaded."""

import hashlib
import io
import re
from typing import IO, TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ..errors import JobFailure
from .cache import S3Object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

CHUNK = 2**20
PART = 8 * 2**20


class ObjectReader:
    """Reads objects whole or part by part."""

    def __init__(self, s3: "S3Client") -> None:
        self._s3 = s3

    def copy(self, item: S3Object, file: IO[bytes]) -> None:
        """Writes an object's content to a file. Raises JobFailure if it can't be read or is damaged."""
        response = self.get(item)
        digest = Digest(item)
        try:
            for chunk in response["Body"].iter_chunks(CHUNK):
                file.write(chunk)
                digest.update(chunk)
        except BotoCoreError as error:
            raise JobFailure(f"{fault(item)} is damaged, or could not be read to its end: {error}") from error
        digest.check(response)

    def open(self, item: S3Object) -> io.BufferedReader:
        """An object as a file, of which at most 8 MiB are held. Reading raises JobFailure, as `copy` does."""
        return io.BufferedReader(_Parts(self, item), PART)

    def get(self, item: S3Object, span: str = "") -> "GetObjectOutputTypeDef":
        """GetObject of the object as it was found. span: a Range. Raises JobFailure."""
        place = {"Bucket": item.bucket, "Key": item.key, "IfMatch": item.etag, **({"Range": span} if span else {})}
        try:
            return self._s3.get_object(**place)  # type: ignore[arg-type]
        except (BotoCoreError, ClientError) as error:
            raise JobFailure(f"{fault(item)}: {error}") from error


class Digest:
    """Compares what was read of an object with its ETag, where that is its MD5 digest."""

    def __init__(self, item: S3Object) -> None:
        self._item = item
        self._digest = hashlib.md5(usedforsecurity=False)

    def update(self, chunk: bytes) -> None:
        self._digest.update(chunk)

    def check(self, response: "GetObjectOutputTypeDef") -> None:
        """Raises JobFailure if what was read is not what was uploaded."""
        comparable = has_digest(self._item.etag) and "SSEKMSKeyId" not in response
        if comparable and self._digest.hexdigest() != self._item.etag.strip('"'):
            raise JobFailure(f"{fault(self._item)} is damaged: it is not what was uploaded. Upload it again.")


class _Parts(io.RawIOBase):
    """An object that is read by a request for each part, so that a slow reader holds no connection."""

    def __init__(self, reader: ObjectReader, item: S3Object) -> None:
        super().__init__()
        self._reader = reader
        self._item = item
        self._digest = Digest(item)
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fills the buffer and returns how many bytes that took; 0 at the end."""
        size = min(len(buffer), self._item.size - self._at)
        if size == 0:
            return 0
        response = self._reader.get(self._item, f"bytes={self._at}-{self._at + size - 1}")
        try:
            part = response["Body"].read(size + 1)
        except BotoCoreError as error:
            raise JobFailure(f"{fault(self._item)} is damaged, or could not be read to its end: {error}") from error
        if len(part) != size:
            raise JobFailure(f"{fault(self._item)} is damaged: it is not what was uploaded. Upload it again.")
        buffer[:size] = part
        self._at += size
        self._digest.update(part)
        if self._at == self._item.size:
            self._digest.check(response)
        return size


def fault(item: S3Object) -> str:
    """How a sentence on an object that can't be read begins."""
    return f"ClientError: Data download failed: s3://{item.bucket}/{item.key}"


def has_digest(etag: str) -> bool:
    """Whether an ETag is its object's MD5 digest; that of a multipart upload is not."""
    return re.fullmatch('"?[0-9a-f]{32}"?', etag) is not None
