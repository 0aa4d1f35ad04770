"""The files in a form, as browsers and `curl --form` send it (RFC 7578)."""

import re
from collections.abc import Iterator

BOUNDARY = re.compile(r"""boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))""", re.IGNORECASE)
MAX_PARTS = 1000


class NotAForm(ValueError):
    """A body that can't be read as a form."""


def files_in_form(content_type: str, body: bytes) -> list[bytes]:
    """The contents of the form's files, in their order; fields of text are left out. Raises NotAForm."""
    named = BOUNDARY.search(content_type)
    if not named:
        raise NotAForm
    return list(_files(f"\r\n--{named[1] or named[2]}".encode(), b"\r\n" + body))


def _files(delimiter: bytes, body: bytes) -> Iterator[bytes]:
    _, *parts = body.split(delimiter, MAX_PARTS)
    for part in parts:
        if part.startswith(b"--"):
            return
        head, blank, content = part.partition(b"\r\n\r\n")
        if not blank:
            break
        if b"filename" in head.lower():
            yield content
    raise NotAForm
