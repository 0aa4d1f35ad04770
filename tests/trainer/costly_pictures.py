"""Small files, in each format that is read, that take a decoder much time or memory."""

import io
import struct
import zlib
from collections.abc import Callable, Sequence

from PIL import Image

SOS, DHT, EOI = b"\xff\xda", b"\xff\xc4", b"\xff\xd9"
COMMENT = b"\xff\xfe\0\2"
"""An empty comment of a JPEG."""


def flat(side: int, mode: str = "L") -> Image.Image:
    return Image.new(mode, (side, side), 1)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def jpeg_of_scans(scans: int, side: int) -> bytes:
    """A progressive JPEG whose last scan is repeated: each repetition takes a few bytes, and a pass over all blocks."""
    whole = saved(flat(side), "JPEG", progressive=True)
    start = whole.index(DHT, whole.rindex(SOS, 0, whole.rindex(SOS)))
    return whole[:-2] + whole[start:-2] * scans + EOI


def jpeg_with(segment: bytes, count: int) -> bytes:
    """A JPEG with `count` copies of a segment before its first one."""
    whole = saved(flat(16), "JPEG")
    return whole[:2] + segment * count + whole[2:]


def png_chunk(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_with(chunk: bytes, count: int, after: bytes = b"IHDR") -> bytes:
    """A PNG with `count` copies of a chunk after its IHDR, or before its IEND."""
    whole = saved(flat(16), "PNG")
    place = 33 if after == b"IHDR" else len(whole) - 12
    return whole[:place] + chunk * count + whole[place:]


def gif_with(extension: bytes, count: int) -> bytes:
    """A GIF with `count` copies of an extension before its picture."""
    whole = saved(flat(16), "GIF")
    place = whole.index(b"\x2c")
    return whole[:place] + extension * count + whole[place:]


def gif_of_a_frame(side: int) -> bytes:
    """A GIF of one pixel whose frame claims `side` by `side` pixels, to be replaced by the background."""
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6)
    control = b"\x21\xf9\x04\x08\x00\x00\x00\x00"
    return head + control + b"\x2c" + struct.pack("<HHHHB", 0, 0, side, side, 0) + b"\x02\x02\x4c\x01\x00\x3b"


def webp_of_frames(side: int, frames: int) -> bytes:
    """An animation on a large canvas, with frames of a few bytes."""
    images = [Image.new("RGB", (side, side), (0, 0, number % 256)) for number in range(frames)]
    return saved(images[0], "WEBP", save_all=True, append_images=images[1:], lossless=True, quality=0, method=0)


def bmp_of_runs(side: int) -> bytes:
    """A run-length encoded BMP with runs of a single pixel."""
    runs = (b"\x01\x00" * side + b"\x00\x00") * side + b"\x00\x01"
    palette = bytes(1024)
    info = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(runs), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 1078 + len(runs), 0, 0, 1078) + info + palette + runs


def bmp_of_a_run(side: int) -> bytes:
    """A large BMP without pixel data."""
    info = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, 2, 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 1080, 0, 0, 1078) + info + bytes(1024) + b"\0\1"


Tag = tuple[int, int, list[int]]


def tiff(tags: Sequence[Tag], content: bytes) -> bytes:
    """A TIFF with tags (number, type 3 or 4, values), and with content from byte 8 on."""
    after, entries = 8 + len(content), b""
    values_at, values = after + 2 + 12 * len(tags) + 4, b""
    for number, kind, numbers in sorted(tags):
        packed = struct.pack(f"<{len(numbers)}{'H' if kind == 3 else 'I'}", *numbers)
        if len(packed) > 4:
            packed, values = struct.pack("<I", values_at + len(values)), values + packed
        entries += struct.pack("<HHI", number, kind, len(numbers)) + packed.ljust(4, b"\0")
    return b"II*\0" + struct.pack("<I", after) + content + struct.pack("<H", len(tags)) + entries + bytes(4) + values


def tiff_of_a_tile(tile: int, side: int = 64) -> bytes:
    """A small TIFF whose single tile has `tile` by `tile` pixels, compressed to a few thousandths of that."""
    content = b"".join(_zeros(tile * tile))
    place = [(322, 4, [tile]), (323, 4, [tile]), (324, 4, [8]), (325, 4, [len(content)])]
    return tiff([*gray(side, side, 8), *place], content)


def _zeros(count: int) -> list[bytes]:
    packer, left, parts = zlib.compressobj(9), count, []
    while left:
        parts.append(packer.compress(bytes(min(left, 1 << 24))))
        left -= min(left, 1 << 24)
    return [*parts, packer.flush()]


def tiff_of_strips(strips: int, width: int) -> bytes:
    """A TIFF with `strips` strips of one row, which all share the same bytes of the file."""
    content = zlib.compress(bytes(width), 9)
    place = [(278, 4, [1]), (273, 4, [8] * strips), (279, 4, [len(content)] * strips)]
    return tiff([*gray(width, strips, 8), *place], content)


def tiff_of_scans(scans: int, side: int) -> bytes:
    """A TIFF whose only strip is a JPEG with many scans."""
    content = jpeg_of_scans(scans, side)
    place = [(278, 4, [side]), (273, 4, [8]), (279, 4, [len(content)])]
    return tiff([*gray(side, side, 7), *place], content)


def gray(width: int, height: int, compression: int) -> list[Tag]:
    """The tags for eight bits per pixel; compression 7 is JPEG, 8 Deflate."""
    return [
        (256, 4, [width]),
        (257, 4, [height]),
        (258, 3, [8]),
        (259, 3, [compression]),
        (262, 3, [1]),
        (277, 3, [1]),
    ]


Build = Callable[[], bytes]

SLOW: dict[str, Build] = {
    "JPEG of many scans": lambda: jpeg_of_scans(90, 3500),
    "JPEG of many comments": lambda: jpeg_with(COMMENT, 1_000_000),
    "PNG of many empty chunks": lambda: png_with(png_chunk(b"abCd"), 1_000_000),
    "PNG of many empty chunks behind its pixels": lambda: png_with(png_chunk(b"abCd"), 1_000_000, b"IEND"),
    "PNG of many empty IDATs": lambda: png_with(png_chunk(b"IDAT"), 1_000_000),
    "PNG of many texts": lambda: png_with(png_chunk(b"tEXt", b"a\0b"), 400_000),
    "GIF of many extensions": lambda: gif_with(b"\x21\xf9\x04\0\0\0\0\0", 1_000_000),
    "GIF of many comments": lambda: gif_with(b"\x21\xfe\x01a\0", 1_000_000),
    "WebP of many pixels": lambda: saved(flat(7000, "RGB"), "WEBP", lossless=True, quality=0, method=0),
    "BMP of many runs": lambda: bmp_of_runs(1500),
    "TIFF of many strips": lambda: tiff_of_strips(1_000_000, 40),
    "TIFF of many scans": lambda: tiff_of_scans(90, 3500),
}
"""Files that take seconds, or tenths of a second."""

LARGE: dict[str, Build] = {
    "JPEG": lambda: saved(flat(7000), "JPEG"),
    "progressive JPEG": lambda: saved(flat(7000), "JPEG", progressive=True),
    "PNG": lambda: saved(flat(7000), "PNG"),
    "GIF": lambda: gif_of_a_frame(7000),
    "WebP": lambda: saved(flat(7000, "RGB"), "WEBP", lossless=True, quality=0, method=0),
    "animated WebP": lambda: webp_of_frames(2000, 10),
    "BMP": lambda: bmp_of_a_run(7000),
    "AVIF": lambda: saved(flat(4000, "RGB"), "AVIF", speed=10),
    "JPEG 2000": lambda: saved(flat(4000, "RGB"), "JPEG2000"),
    "PNM": lambda: b"P5 7000 7000 255\n" + bytes(7000 * 7000),
    "TIFF of a tile": lambda: tiff_of_a_tile(7000),
    "TIFF of strips": lambda: tiff_of_strips(7000, 7000),
}
"""Files that take tens of megabytes."""
