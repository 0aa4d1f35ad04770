"""What a request asks for: its images, in the body or by their keys in the bucket, and over how many views."""

import base64
import binascii
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from job_manager.domain.dataset import UPLOADS
from trainer.answering.compression import decompressed
from trainer.answering.request_images import JSON, MAX_IMAGES, bad_request, images_in, media_type_of
from trainer.errors import RequestRefused
from trainer.views import MAX_VIEWS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAX_BODY = 6_000_000
"""Characters: Lambda takes 6 MiB with everything around the body, and an image's bytes come in base64."""
MAX_DECOMPRESSED = 25_000_000
MAX_STORED = 100_000_000
KEY_BYTES = 1024
TOO_LARGE = (
    "The body is larger than Lambda takes: 4.5 MB of images. Send fewer or smaller ones, or upload the image and send "
    f'its key instead: {{"key": "{UPLOADS}<label>/<file>"}}.'
)
KEY_FORM = f'A key names an image of the bucket: {{"key": "{UPLOADS}<label>/<file>"}}, or up to {MAX_IMAGES} as "keys".'
NO_OBJECT = "There is no image {} in the bucket: check how its key is spelt."


class Keys(msgspec.Struct, frozen=True):
    """A body that names images of the bucket."""

    key: str | None = None
    keys: list[str] | None = None


class Images:
    """Takes the images out of requests."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def of(self, event: Mapping[str, Any]) -> list[bytes]:
        """The contents of the image files. Raises RequestRefused, which says what is wrong with the request."""
        headers = event["headers"]
        body = body_of(event, headers.get("content-encoding", ""))
        content_type = headers.get("content-type", "")
        keys = keys_in(content_type, body)
        return [self._stored(key) for key in keys] if keys else images_in(content_type, body)

    def _stored(self, key: str) -> bytes:
        key = key.removeprefix(f"s3://{self._bucket}/")
        if not is_an_uploads(key):
            raise bad_request(f"The key {key[:100]!r} can't be used. {KEY_FORM}")
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"NoSuchKey", "AccessDenied", "403", "404"}:
                raise
            raise RequestRefused(HTTPStatus.NOT_FOUND, NO_OBJECT.format(key)) from None
        if answer["ContentLength"] > MAX_STORED:
            raise bad_request(f"The image {key} is larger than {MAX_STORED:,} bytes: save it as JPEG.")
        return answer["Body"].read()


def body_of(event: Mapping[str, Any], encoding: str) -> bytes:
    """The body as it was sent, decompressed."""
    text = event.get("body") or ""
    if len(text) > MAX_BODY:
        raise RequestRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)
    try:
        body = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except (binascii.Error, UnicodeEncodeError):
        raise bad_request("The body can't be read: send the image as it is, or as JSON in base64.") from None
    return decompressed(body, encoding, MAX_DECOMPRESSED)


def keys_in(content_type: str, body: bytes) -> list[str]:
    """The keys that a JSON body names; none if it holds the images themselves. Raises RequestRefused."""
    if media_type_of(content_type) != JSON and body[:1] != b"{":
        return []
    try:
        named = msgspec.json.decode(body, type=Keys)
    except msgspec.ValidationError as error:
        if "$.key" in str(error):
            raise bad_request(KEY_FORM) from None
        return []
    except (msgspec.DecodeError, RecursionError):
        return []
    keys = [named.key] if named.key is not None else named.keys
    if keys is not None and not 1 <= len(keys) <= MAX_IMAGES:
        raise bad_request(KEY_FORM)
    return keys or []


def is_an_uploads(key: str) -> bool:
    """Whether a key is one that an image can be uploaded to, and leads nowhere else on any system."""
    parts = key.split("/")
    return (
        key.startswith(UPLOADS)
        and key.isprintable()
        and "\\" not in key
        and len(key.encode()) <= KEY_BYTES
        and not any(part in {"", ".", ".."} for part in parts)
    )


def views_in(event: Mapping[str, Any]) -> int | None:
    """How many views the query asks for; None if it leaves that to the model. Raises RequestRefused."""
    text = (event.get("queryStringParameters") or {}).get("views", "")
    if not text:
        return None
    if text not in {str(views) for views in range(1, MAX_VIEWS + 1)}:
        raise bad_request(f"`views` is a number from 1 to {MAX_VIEWS}. One view is quickest; the model chose its own.")
    return int(text)
