"""Compressed bodies of requests."""

import zlib
from http import HTTPStatus

from trainer.errors import RequestRefused

COMPRESSED = ("gzip", "x-gzip", "deflate")


def decompressed(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """The body, decompressed as its Content-Encoding says, up to `max_bytes`. Raises RequestRefused."""
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return body
    if name not in COMPRESSED:
        unknown = f"The Content-Encoding {name[:100]!r} is not supported: send the body as it is, or use gzip."
        raise RequestRefused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, unknown)
    stream = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        content = stream.decompress(body, max_bytes + 1)
    except zlib.error:
        content = b""
    if len(content) > max_bytes:
        limit = f"The body is larger than {max_bytes:,} bytes once decompressed: send fewer or smaller images."
        raise RequestRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, limit)
    if not stream.eof:
        damaged = (
            f"The body can't be decompressed: it is damaged, or was not compressed with {name} as its header says."
        )
        raise RequestRefused(HTTPStatus.BAD_REQUEST, damaged)
    return content
