"""Photographs of the bucket, passed on to the browser: its own address is not the bucket's, and CSP allows no other.

A link holds the presigned address that the API answered, with a mark that only this server can make, so that nobody can
have it fetch another address.
"""

import hashlib
import hmac
import secrets
from http import HTTPStatus
from urllib.parse import urlencode

import urllib3
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

PATH = "/picture"
TIMEOUT = urllib3.Timeout(connect=5, read=20)
MAX_BYTES = 32 * 1024 * 1024
BY_START = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)
EXPIRED = "This link has expired. Load the page again."
GONE = "The photograph can't be fetched: it was moved or deleted, or its link has expired. Load the page again."
NOT_SHOWN = "A browser can't show this photograph's format, such as TIFF. Download it from the bucket."


class Pictures:
    """Makes links to photographs, and fetches what they lead to."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._pool = urllib3.PoolManager(num_pools=4, maxsize=8, retries=False, timeout=TIMEOUT)

    def link(self, url: str | None) -> str | None:
        """The page's own address for a picture that the API gave the address of; None for none, or for no picture."""
        if not url or not url.startswith(("http://", "https://")):
            return None
        return f"{PATH}?{urlencode({'url': url, 'mark': self._mark(url)})}"

    def show(self, request: Request) -> Response:
        """The picture that a link of this server leads to."""
        url, mark = request.query_params.get("url", ""), request.query_params.get("mark", "")
        if not hmac.compare_digest(mark.encode("utf-8", "replace"), self._mark(url).encode()):
            return PlainTextResponse(EXPIRED, HTTPStatus.FORBIDDEN)
        try:
            content = self._fetched(url)
        except (urllib3.exceptions.HTTPError, OSError):
            return PlainTextResponse(GONE, HTTPStatus.NOT_FOUND)
        kind = kind_of(content)
        if not kind:
            return PlainTextResponse(NOT_SHOWN, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        return Response(content, media_type=kind, headers={"Cache-Control": "private, max-age=900"})

    def _fetched(self, url: str) -> bytes:
        """Raises HTTPError if the picture can't be fetched, or is too large."""
        with self._pool.request("GET", url, preload_content=False, redirect=False) as answer:
            if answer.status != HTTPStatus.OK:
                raise urllib3.exceptions.HTTPError(answer.status)
            content = answer.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise urllib3.exceptions.HTTPError("too large")
        return content

    def _mark(self, url: str) -> str:
        return hmac.new(self._secret, url.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def kind_of(content: bytes) -> str:
    """The media type of a picture that browsers show, by its first bytes; empty for anything else."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:12] in {b"ftypavif", b"ftypavis"}:
        return "image/avif"
    return next((kind for start, kind in BY_START if content.startswith(start)), "")
