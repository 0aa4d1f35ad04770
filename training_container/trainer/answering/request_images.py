"""The images in the body of a request: an image file, one in base64, or several in JSON as base64 or in a form."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from trainer.answering.base64_text import NotBase64, from_base64
from trainer.answering.form import NotAForm, files_in_form
from trainer.errors import RequestRefused

MAX_IMAGES = 128
"""About ten seconds of work on two cores; SageMaker waits a minute."""
MAX_VALUES = 10_000
"""In a JSON body, where an image is one value: parsed, many short values take a hundred times the body's size."""
MAX_DEPTH = 5
"""Of lists and objects around an image."""

JSON = "application/json"
# What SageMaker's, TensorFlow Serving's and other clients call an image or several.
NAMES = ("images", "image", "instances", "inputs", "input", "image_bytes", "bytes", "data", "b64")
# Of no type, or of one that says nothing: curl sends the last one for any data.
ANY_CONTENT = (
    "",
    "application/octet-stream",
    "binary/octet-stream",
    "application/x-image",
    "text/plain",
    "application/x-www-form-urlencoded",
)
SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"GIF8", b"II*", b"MM")
SNIFFED_BYTES = 4096
FORM = "The form can't be read: send the file itself as the body, as curl --data-binary @FILE does."
NO_FILE = "The form holds no file: send the image as a file of the form, as curl --form image=@FILE does."
WRONG_FORM = 'The body must be {"images": ["<base64>", ...]}, with at least one image.'
STRIPPED = "The image can't be used: its line breaks are missing. Send it with curl's --data-binary instead of --data."


def media_type_of(header: str) -> str:
    """The media type in a Content-Type, or in a part of an Accept, without its parameters."""
    return header.partition(";")[0].strip().lower()


def images_in(content_type: str, body: bytes) -> list[bytes]:
    """The content of each image file; raises RequestRefused, whose sentence says what is wrong with the body."""
    media_type = media_type_of(content_type)
    if media_type.startswith("multipart/"):
        return _images_in_form(content_type, body)
    if not body:
        return [body]
    is_image = media_type.startswith("image/")
    if media_type in {JSON, "text/json"} or (media_type.endswith("+json") and not is_image):
        return [body] if _is_image_file(body) else _images_in_json(body)
    if not is_image and media_type not in ANY_CONTENT:
        raise RequestRefused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"The Content-Type {media_type[:100]!r} is not supported: send an image as image/jpeg, image/png and so "
            f'on, or {JSON} with {{"images": ["<base64>", ...]}}.',
        )
    if not _is_text(body):
        return [_image_file(body)]
    if body.lstrip()[:1] in {b"{", b"["} and not is_image:
        return _images_in_json(body)
    return [_text_image(body.decode("utf-8", "replace"), body if is_image else None)]


def _is_image_file(body: bytes) -> bool:
    return body.startswith(SIGNATURES) and not _is_text(body)


def _is_text(body: bytes) -> bool:
    start = body[:SNIFFED_BYTES].decode("utf-8", "replace")
    return "\0" not in start and start.count("\ufffd") <= 1  # the cut may go through a character


def _image_file(body: bytes) -> bytes:
    """The body; a file in any of these formats has some of the bytes that curl's --data leaves out."""
    if body.startswith(SIGNATURES) and not any(lost in body for lost in (b"\0", b"\n", b"\r")):
        raise bad_request(STRIPPED)
    return body


def _text_image(text: str, otherwise: bytes | None) -> bytes:
    try:
        return from_base64(text)
    except NotBase64 as error:
        if otherwise is not None and not error.is_known:
            return otherwise
        raise bad_request(f"The image can't be used: it {error}.") from None


def _images_in_json(body: bytes) -> list[bytes]:
    texts = list(_texts(_parsed(body)))
    if not texts:
        raise bad_request(WRONG_FORM)
    _check_count(len(texts))
    return [_from_json(text, number, len(texts)) for number, text in enumerate(texts, start=1)]


def _images_in_form(content_type: str, body: bytes) -> list[bytes]:
    try:
        files = files_in_form(content_type, body)
    except NotAForm:
        raise bad_request(FORM) from None
    if not files:
        raise bad_request(NO_FILE)
    _check_count(len(files))
    return files


def _check_count(images: int) -> None:
    if images > MAX_IMAGES:
        raise bad_request(f"The body holds {images} images: send at most {MAX_IMAGES} in a request.")


def _parsed(body: bytes) -> Any:
    if sum(body.count(mark) for mark in (b",", b"[", b"{")) > MAX_VALUES:
        raise _no_json(f"it holds more than {MAX_VALUES:,} values. Send each image as its file in base64")
    try:
        return json.loads(body)
    except UnicodeDecodeError:
        raise _no_json("it is not text in UTF-8") from None
    except json.JSONDecodeError as error:
        raise _no_json(f"there is a mistake in line {error.lineno} at character {error.colno}") from None
    except (ValueError, RecursionError):
        raise _no_json("it has a number that is too long, or is nested too deeply") from None


def _texts(value: Any, depth: int = 0) -> Iterator[Any]:
    """The values in which images are expected, in their order."""
    if depth > MAX_DEPTH:
        raise bad_request(WRONG_FORM)
    if isinstance(value, list):
        for item in value:
            yield from _texts(item, depth + 1)
    elif isinstance(value, dict):
        name = next((name for name in NAMES if name in value), None)
        if name is None:
            raise bad_request(WRONG_FORM)
        yield from _texts(value[name], depth + 1)
    else:
        yield value


def _from_json(text: Any, number: int, of: int) -> bytes:
    try:
        if not isinstance(text, str):
            raise NotBase64("is not text in base64")
        return from_base64(text)
    except NotBase64 as error:
        raise bad_request(f"Image {number} of {of} can't be used: it {error}.") from None


def _no_json(reason: str) -> RequestRefused:
    return bad_request(f"The body can't be read as JSON: {reason}.")


def bad_request(sentence: str) -> RequestRefused:
    """A refusal with status 400."""
    return RequestRefused(HTTPStatus.BAD_REQUEST, sentence)
