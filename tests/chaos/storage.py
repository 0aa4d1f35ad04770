"""S3 in memory: consistent, listed in key order and page by page."""

# ruff: noqa: N803 (AWS names its parameters)
import hashlib
from io import BytesIO
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

PAGE = 10
BUCKET = "seedlings"


class NoSuchKey(ClientError):
    """There is no object of this key."""


class MemoryStorage:
    """An S3 client of one bucket, by its name."""

    exceptions = SimpleNamespace(NoSuchKey=NoSuchKey, ClientError=ClientError)

    def __init__(self, name: str = BUCKET) -> None:
        self.name = name
        self.contents: dict[str, bytes] = {}
        self.etags: dict[str, str] = {}

    def put(self, key: str, body: bytes) -> None:
        """What a person or a job does: keep these bytes under this key."""
        self.contents[key] = body
        self.etags[key] = hashlib.md5(body, usedforsecurity=False).hexdigest()

    def delete(self, key: str) -> None:
        """Forget an object."""
        del self.contents[key], self.etags[key]

    def put_object(self, Key: str, Body: bytes, **_: Any) -> dict[str, Any]:
        """Write an object."""
        self.put(Key, Body)
        return {}

    def get_object(self, Key: str, **_: Any) -> dict[str, Any]:
        """Read an object."""
        if Key not in self.contents:
            raise NoSuchKey({"Error": {"Code": "NoSuchKey", "Message": Key}}, "GetObject")
        return {"Body": BytesIO(self.contents[Key])}

    def put_object_tagging(self, Key: str, **_: Any) -> dict[str, Any]:
        """Tag an object."""
        if Key not in self.contents:
            raise NoSuchKey({"Error": {"Code": "NoSuchKey", "Message": Key}}, "PutObjectTagging")
        return {}

    def head_object(self, Key: str, **_: Any) -> dict[str, Any]:
        """Whether there is an object; a missing one is a bare 404."""
        if Key not in self.contents:
            answer: Any = {"Error": {"Code": "404", "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 404}}
            raise ClientError(answer, "HeadObject")
        return {}

    def list_objects_v2(self, Prefix: str = "", Delimiter: str = "", **request: Any) -> dict[str, Any]:
        """One page of keys, or of the folders among them, after the last one given."""
        start: str = request.get("ContinuationToken", request.get("StartAfter", ""))
        keys = sorted(key for key in self.contents if key.startswith(Prefix))
        if Delimiter:
            keys = sorted({Prefix + key[len(Prefix) :].split(Delimiter)[0] + Delimiter for key in keys})
        later = [key for key in keys if key > start]
        page = later[:PAGE]
        more = {"NextContinuationToken": page[-1]} if len(later) > PAGE else {}
        if Delimiter:
            return {"CommonPrefixes": [{"Prefix": key} for key in page], **more}
        found = [{"Key": k, "ETag": f'"{self.etags[k]}"', "Size": len(self.contents[k])} for k in page]
        return {"Contents": found, **more}
