"""Leaves out of a file what stands beside its pixels: texts, EXIF, colour profiles and what programs add.

None of it changes the pixels, but for the orientation, and a decoder fails on much of it that viewers ignore.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping

from trainer.decoding.sound import Sound, orientation_in_xmp
from trainer.decoding.tiff import orientation_of
from trainer.decoding.tiff_page import sound_tiff

MOST_TEXT = 1 << 20

START_OF_SCAN = 0xDA
JPEG_MARKER = re.compile(rb"\xff([\x01-\xfe])", re.DOTALL)
STANDALONE = frozenset((0x01, *range(0xD0, 0xDA)))
JFIF, EXIF_OR_XMP, ADOBE, COMMENT = 0xE0, 0xE1, 0xEE, 0xFE
XMP_IN_JPEG = b"http://ns.adobe.com/xap/1.0/\0"

PNG_HEAD = 8
COLOUR_TYPE_AT, OF_A_PALETTE = 25, 3
TRANSPARENCY_BYTES = {0: range(2, 257), 2: range(6, 257), 3: range(1, 257)}
"""The lengths of a tRNS that make sense, by IHDR's colour type."""
TEXTS = (b"tEXt", b"zTXt", b"iTXt")

WEBP_PARTS = (b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF")
WEBP_EXIF, WEBP_XMP, WEBP_METADATA = 0b1000, 0b100, 0b101100

EXIF_ITEM = re.compile(rb"(infe\x02.{7}|infe\x03.{9})Exif", re.DOTALL)


def without_metadata(kind: str, content: bytes) -> Sound:
    """The content of a file of one of Pillow's formats, and its orientation; ImageRefused for a camera's raw file."""
    reader = READERS.get(kind)
    return reader(content) if reader else Sound(content)


def _jpeg(content: bytes) -> Sound:
    view, kept, place = memoryview(content), list[bytes | memoryview]((content[:2],)), 2
    orientation, xmp = None, b""
    while found := JPEG_MARKER.search(content, place):
        marker, start = found[1][0], found.end()
        length = 0 if marker in STANDALONE else int.from_bytes(content[start : start + 2])
        place = start + max(length, 0 if marker in STANDALONE else 2)
        if marker == START_OF_SCAN:
            kept.append(view[found.end() - 2 :])
            break
        data = content[start + 2 : place] if JFIF <= marker <= 0xEF else b""
        if marker == EXIF_OR_XMP and data.startswith(b"Exif\0") and orientation is None:
            orientation = orientation_of(data[6:])
        elif marker == EXIF_OR_XMP and data.startswith(XMP_IN_JPEG):
            xmp = xmp or data
        if _describes_pixels(marker, data):
            kept.append(view[found.end() - 2 : place])
    return Sound(b"".join(kept), orientation or orientation_in_xmp(xmp))


def _describes_pixels(marker: int, data: bytes) -> bool:
    """Of the applications' segments, the decoder reads two for the meaning of the colours, if they are whole."""
    if marker == JFIF:
        return data.startswith(b"JFIF\0") and len(data) >= 14
    if marker == ADOBE:
        return data.startswith(b"Adobe") and len(data) >= 12
    return not JFIF <= marker <= 0xEF and marker != COMMENT


def _png(content: bytes) -> Sound:
    view, kept = memoryview(content), list[bytes | memoryview]((content[:PNG_HEAD],))
    exif, texts = None, dict[bytes, bytes]()
    for kind, start, end in _png_chunks(content):
        if _is_of_pixels(kind, content, start, end):
            kept.append(view[start - 8 : end + 4])
        elif kind == b"eXIf" and exif is None:
            exif = orientation_of(content[start:end])
        elif kind in TEXTS:
            key = content[start : min(start + 80, end)].partition(b"\0")[0]
            if key in (b"XML:com.adobe.xmp", b"Raw profile type exif") and key not in texts:
                texts[key] = _text(kind, content[start + len(key) + 1 : end])
    if exif is None and b"Raw profile type exif" in texts:
        exif = orientation_of(_unhexed(texts[b"Raw profile type exif"]))
    return Sound(b"".join(kept), exif or orientation_in_xmp(texts.get(b"XML:com.adobe.xmp", b"")))


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the data of each chunk, to the last one that is announced."""
    place, header = PNG_HEAD, struct.Struct(">L4s")
    while place + header.size <= len(content):
        length, kind = header.unpack_from(content, place)
        start = place + header.size
        yield kind, start, start + length
        if kind == b"IEND":
            return
        place = start + length + 4


def _is_of_pixels(kind: bytes, content: bytes, start: int, end: int) -> bool:
    """Of chunks with a colour's transparency, those that are whole; of palettes, those that the pixels refer to."""
    if kind == b"PLTE":
        return _colour_type(content) == OF_A_PALETTE
    if kind != b"tRNS":
        return kind in (b"IHDR", b"IEND") or (kind == b"IDAT" and start < end)
    data, checksum = content[start:end], content[end : end + 4]
    return len(data) in TRANSPARENCY_BYTES.get(_colour_type(content), ()) and (
        zlib.crc32(b"tRNS" + data).to_bytes(4) == checksum
    )


def _colour_type(content: bytes) -> int:
    return int.from_bytes(content[COLOUR_TYPE_AT : COLOUR_TYPE_AT + 1])


def _text(kind: bytes, data: bytes) -> bytes:
    """The text of a chunk, from behind its key."""
    if kind == b"tEXt":
        return data
    if kind == b"zTXt":
        return _inflated(data[1:])
    packed, text = data[:1] == b"\1", data[2:].split(b"\0", 2)[-1]
    return _inflated(text) if packed else text


def _inflated(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, MOST_TEXT)
    except zlib.error:
        return b""


def _unhexed(profile: bytes) -> bytes:
    """EXIF as ImageMagick writes it in a text: its name and length, then lines of hexadecimal digits."""
    try:
        return bytes.fromhex(b"".join(profile[:MOST_TEXT].split(b"\n")[3:]).decode("ascii"))
    except ValueError:
        return b""


def _webp(content: bytes) -> Sound:
    parts, place, header = list[bytes | memoryview](), 12, struct.Struct("<4sL")
    found, flags = dict[bytes, bytes](), 0
    while place + header.size <= len(content):
        kind, length = header.unpack_from(content, place)
        start, place = place + header.size, place + header.size + length + length % 2
        if kind == b"VP8X":
            flags = int.from_bytes(content[start : start + 1])
            parts += (content[start - 8 : start], bytes((flags & ~WEBP_METADATA,)), content[start + 1 : place])
        elif kind in WEBP_PARTS:
            parts.append(memoryview(content)[start - 8 : place])
        elif kind in (b"EXIF", b"XMP ") and kind not in found:
            found[kind] = content[start : start + length]
    body = b"".join(parts)
    orientation = orientation_of(found.get(b"EXIF", b"")) if flags & WEBP_EXIF else None
    xmp = found.get(b"XMP ", b"") if flags & WEBP_XMP else b""
    whole = b"".join((b"RIFF", (len(body) + 4).to_bytes(4, "little"), b"WEBP", body))
    return Sound(whole, orientation or orientation_in_xmp(xmp), _canvas_pixels(whole))


def _canvas_pixels(content: bytes) -> int:
    head = content[12:30].ljust(18, b"\0")
    if head.startswith(b"VP8X"):
        return (int.from_bytes(head[12:15], "little") + 1) * (int.from_bytes(head[15:18], "little") + 1)
    if head.startswith(b"VP8L"):
        bits = int.from_bytes(head[9:13], "little")
        return ((bits & 0x3FFF) + 1) * ((bits >> 14 & 0x3FFF) + 1)
    return (int.from_bytes(head[14:16], "little") & 0x3FFF) * (int.from_bytes(head[16:18], "little") & 0x3FFF)


def _gif(content: bytes) -> Sound:
    """Of what stands before the first picture, its transparency alone, if it is whole."""
    flags = int.from_bytes(content[10:11])
    place = 13 + (6 << (flags & 7) if flags & 0x80 else 0)
    kept = list[bytes | memoryview]((content[:place],))
    while content[place : place + 1] == b"!":
        start, place = place, place + 2
        while length := int.from_bytes(content[place : place + 1]):
            place += 1 + length
        place += 1
        if content.startswith(b"!\xf9\4", start):
            kept.append(memoryview(content)[start:place])
    return Sound(b"".join((*kept, memoryview(content)[place:])), 1)


def _avif(content: bytes) -> Sound:
    """Its orientation is that of the picture itself, which the decoder reports; EXIF's is a copy, or wrong."""
    if content[8:12] not in (b"avif", b"avis"):
        content = content[:8] + b"avif" + content[12:]
    return Sound(EXIF_ITEM.sub(rb"\1free", content))


READERS: Mapping[str, Callable[[bytes], Sound]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WEBP": _webp,
    "TIFF": sound_tiff,
    "GIF": _gif,
    "AVIF": _avif,
}
