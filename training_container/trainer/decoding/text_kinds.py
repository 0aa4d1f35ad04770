"""Tells texts apart that people or programs leave where an image should be."""

import re

SNIFFED_BYTES = 4096
CONTROL = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]")
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
UTF_32 = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")

DOWNLOAD = "download the image again"
KINDS = (
    (r"version https://git-lfs\.github\.com", "a Git LFS pointer", "fetch the image that it stands for: git lfs pull"),
    (r"(\.\./)*(\.git)?/?annex/objects/", "a git-annex pointer", "fetch the image that it stands for: git annex get"),
    (r"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*(<!DOCTYPE svg[^>]*>\s*)?<svg", "an SVG drawing", "save it as PNG"),
    (r"(<\?xml[^>]*>\s*)?<Error", "an error message of a file store", DOWNLOAD),
    (
        r"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body)",
        "a web page, probably an error page",
        DOWNLOAD,
    ),
    (r"<x:xmpmeta|<\?xpacket", "notes of a photo program (XMP)", "it is not an image"),
    (r"<\?xml", "a text file (XML)", "it is not an image"),
    (r"data:image/|/9j/[\w+/]|iVBORw0KGgo|R0lGOD|UklGR", "an image written as text (base64)", "decode it into a file"),
    (r"/\* XPM \*/|#define \w+_width", "a picture in a program's source (XPM or XBM)", "save it as PNG"),
    (r"\[InternetShortcut\]", "a link to a web page", DOWNLOAD),
    (r"(\{\s*\"|\[\s*[\[{\"\d])", "not an image: a text file by its content (JSON)", ""),
    (r"[^\n,;\t]*([,;\t])[^\n]*\n[^\n]*\1", "not an image: a text file by its content (a table)", ""),
)
PATTERNS = tuple((re.compile(pattern, re.IGNORECASE | re.DOTALL), kind, advice) for pattern, kind, advice in KINDS)
TEXT = "not an image: a text file by its content"


def text_kind(content: bytes) -> tuple[str, str] | None:
    """The kind of a text and what to do with it; None if the content is not a text."""
    text = _text(content[:SNIFFED_BYTES])
    if text is None:
        return None
    start = text.lstrip("\ufeff \t\r\n")
    return next(((kind, advice) for pattern, kind, advice in PATTERNS if pattern.match(start)), (TEXT, ""))


def _text(start: bytes) -> str | None:
    if start.startswith(UTF_32):
        return start.decode("utf-32", errors="ignore")
    if start.startswith(UTF_16):
        return start.decode("utf-16", errors="ignore")
    if CONTROL.search(start):
        return None
    try:
        return start.decode("utf-8", errors="strict" if len(start) < SNIFFED_BYTES else "ignore")
    except UnicodeDecodeError:
        letters = sum(byte < 0x80 for byte in start)
        return start.decode("cp1252", errors="replace") if letters > 0.7 * len(start) else None
