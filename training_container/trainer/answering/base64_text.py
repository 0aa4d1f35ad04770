"""Base64 as people and programs send it."""

import base64
import re

DATA_ADDRESS = re.compile(r"data:[^,]{0,200},", re.IGNORECASE)
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]{0,20}://", re.IGNORECASE)
PYTHON_BYTES = re.compile(r"b(['\"])(.*)\1", re.DOTALL)
INVISIBLE = ("\ufeff", "\u200b", "\u00a0", "\u2028")
BLANKS = b" \t\r\n\v\f"
# What JSON in a shell's quotes and web forms make of line breaks and of three of base64's characters.
ESCAPES = {rb"\n": b"", rb"\r": b"", b"%2B": b"+", b"%2b": b"+", b"%2F": b"/", b"%2f": b"/", b"%3D": b"=", b"%3d": b"="}
WEB_SAFE = bytes.maketrans(b"-_", b"+/")
DIGITS = re.compile(rb"[A-Za-z0-9+/]*")


class NotBase64(ValueError):
    """Text that can't be read as base64; the message says what is wrong, after "it".

    `is_known` is whether the text was recognised as something else.
    """

    def __init__(self, what: str, is_known: bool = True) -> None:
        super().__init__(what)
        self.is_known = is_known


def from_base64(text: str) -> bytes:
    """The bytes in base64, with or without padding, line breaks and blanks, in either alphabet.

    A `data:` prefix may stand before it; Python's `b'…'` or quotes may stand around it. Raises NotBase64.
    """
    text = _bare(text)
    if ADDRESS.match(text):
        raise NotBase64("is an address, from which nothing is fetched: send the file itself, or its content in base64")
    digits = _digits(text)
    if not DIGITS.fullmatch(digits):
        raise NotBase64("is not text in base64", is_known=False)
    if len(digits) % 4 == 1:
        raise NotBase64("is cut off: its base64 has a character too few or too many", is_known=False)
    return base64.b64decode(digits + b"=" * (-len(digits) % 4), validate=True)


def _bare(text: str) -> str:
    for invisible in INVISIBLE:
        text = text.replace(invisible, "")
    quoted = PYTHON_BYTES.fullmatch(text.strip())
    text = (quoted[2] if quoted else text.strip().strip("\"'")).strip()
    prefix = DATA_ADDRESS.match(text)
    if not prefix:
        return text
    if not prefix[0].lower().replace(" ", "").endswith(";base64,"):
        raise NotBase64("is a data: address that isn't in base64: write ;base64 before its comma, and base64 after it")
    return text[prefix.end() :]


def _digits(text: str) -> bytes:
    content = text.encode("ascii", "replace")  # a question mark is not one of base64's characters
    for escape, meaning in ESCAPES.items():
        content = content.replace(escape, meaning)
    return content.translate(WEB_SAFE, BLANKS).rstrip(b"=")
