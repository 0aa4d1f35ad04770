"""What stands beside a picture's pixels neither refuses the picture nor changes it, but for its orientation."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.trainer.costly_pictures import png_chunk, saved
from tests.trainer.painting import paint
from trainer.decoding.images import FORMATS, TURNS, decode_image
from trainer.errors import ImageRefused

PICTURE = paint((40, 160, 60), 1, 32).crop((0, 0, 32, 24))
EXACT = {"quality": 100, "subsampling": "4:4:4"}
ORIENTATION, RESOLUTION, MAKER, EXIF_FOLDER = 0x112, 0x11A, 0x927C, 0x8769


def tiff(*entries: tuple[int, int, int, bytes], order: str = "<") -> bytes:
    """EXIF of entries: tag, type, number of values, and the value or its place in four bytes."""
    rows = b"".join(struct.pack(f"{order}HHL", *entry[:3]) + entry[3].ljust(4, b"\0") for entry in entries)
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HL", 42, 8)
    return head + struct.pack(f"{order}H", len(entries)) + rows + bytes(4)


def segment(number: int, data: bytes) -> bytes:
    return bytes((0xFF, number)) + struct.pack(">H", len(data) + 2) + data


def jpeg(*segments: bytes) -> bytes:
    content = saved(PICTURE, "JPEG")
    return content[:2] + b"".join(segments) + content[2:]


def png(*chunks: bytes, after: bool = False) -> bytes:
    content = saved(PICTURE, "PNG")
    at = len(content) - 12 if after else content.index(b"IDAT") - 4
    return content[:at] + b"".join(chunks) + content[at:]


def wrong(chunk: bytes) -> bytes:
    """The chunk with a wrong checksum."""
    return chunk[:-4] + bytes(byte ^ 1 for byte in chunk[-4:])


def webp(*chunks: tuple[bytes, bytes], flags: int = 0b1100, size: int | None = None) -> bytes:
    """The picture as WebP with chunks behind its pixels."""
    extended = b"VP8X" + struct.pack("<L", 10) + bytes((flags, 0, 0, 0, 31, 0, 0, 23, 0, 0))
    added = b"".join(kind + struct.pack("<L", len(data)) + data + bytes(len(data) % 2) for kind, data in chunks)
    body = b"WEBP" + extended + saved(PICTURE, "WEBP", lossless=True)[12:] + added
    return b"RIFF" + struct.pack("<L", len(body) if size is None else size) + body


def gif(extension: bytes) -> bytes:
    content = saved(PICTURE, "GIF")
    at = 13 + (6 << (content[10] & 7))
    return content[:at] + extension + content[at:]


def tiff_file(*entries: tuple[int, int, int, bytes]) -> bytes:
    """The picture as a TIFF with entries beside its own, or in their place."""
    packed = Image.new("RGB", PICTURE.size)
    packed.paste(PICTURE)
    pixels = packed.tobytes()
    own = {
        256: (256, 4, 1, struct.pack("<L", 32)),
        257: (257, 4, 1, struct.pack("<L", 24)),
        258: (258, 3, 1, struct.pack("<H", 8)),
        259: (259, 3, 1, struct.pack("<H", 1)),
        262: (262, 3, 1, struct.pack("<H", 2)),
        273: (273, 4, 1, struct.pack("<L", 8)),
        277: (277, 3, 1, struct.pack("<H", 3)),
        278: (278, 4, 1, struct.pack("<L", 24)),
        279: (279, 4, 1, struct.pack("<L", len(pixels))),
    }
    folder = tiff(*sorted((own | {entry[0]: entry for entry in entries}).values()))[8:]
    return b"II*\0" + struct.pack("<L", 8 + len(pixels)) + pixels + folder


def avif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION], exif[0x10F] = orientation, "a camera"
    return saved(PICTURE, "AVIF", exif=exif, **EXACT)


def avif_with_broken_exif() -> bytes:
    whole = avif(1)
    at = whole.index(b"a camera")
    start = max(whole.rindex(head, 0, at) for head in (b"II*\0", b"MM\0*") if head in whole[:at])
    return whole[:start] + b"noise" + whole[start + 5 :]


PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
PHOTOSHOP = b"Photoshop 3.0\0"
BROKEN = tiff((RESOLUTION, 1, 1, b"\1"), (EXIF_FOLDER, 4, 1, b"\xff\xff\xff\x7f"), (MAKER, 7, 2**31, b"\xff" * 4))
LARGE = zlib.compress(bytes(1_500_000))

SOUND: dict[str, Callable[[], bytes]] = {
    "JPEG: EXIF of noise": lambda: jpeg(segment(0xE1, b"Exif\0\0" + bytes(range(256)))),
    "JPEG: EXIF whose places lie beyond it": lambda: jpeg(segment(0xE1, b"Exif\0\0" + BROKEN)),
    "JPEG: empty EXIF": lambda: jpeg(segment(0xE1, b"Exif\0\0")),
    "JPEG: EXIF cut short": lambda: jpeg(segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\xff\xff")),
    "JPEG: XMP that is not UTF-8": lambda: jpeg(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<\xff\xfe")),
    "JPEG: a profile with parts missing": lambda: jpeg(segment(0xE2, b"ICC_PROFILE\0\3\7abc")),
    "JPEG: a profile without its number": lambda: jpeg(segment(0xE2, b"ICC_PROFILE\0")),
    "JPEG: several pictures announced, none there": lambda: jpeg(segment(0xE2, b"MPF\0" + BROKEN)),
    "JPEG: Photoshop's block cut short": lambda: jpeg(segment(0xED, PHOTOSHOP + b"8BIM\x03\xed\0")),
    "JPEG: Photoshop's resolution cut short": lambda: jpeg(
        segment(0xED, b"Photoshop 3.0\0008BIM\x03\xed\0\0\0\0\0\1a")
    ),
    "JPEG: JFIF cut short": lambda: jpeg(segment(0xE0, b"JFIF\0")),
    "JPEG: Adobe cut short": lambda: jpeg(segment(0xEE, b"Adobe")),
    "JPEG: comments of 200 KB": lambda: jpeg(*[segment(0xFE, b"\xff\xda" * 32_000)] * 4),
    "JPEG: junk between segments": lambda: jpeg(segment(0xFE, b"a"), b"\0\0\1\2", b"\xff\xff"),
    "JPEG: three million fill bytes": lambda: jpeg(b"\xff" * 3_000_000),
    "PNG: a thousand profiles": lambda: png(png_chunk(b"iCCP", b"a\0\0" + LARGE) * 1000),
    "JPEG: junk behind it": lambda: jpeg() + b"\xff\xd8\xff" + bytes(range(256)),
    "JPEG: line breaks before it": lambda: b"\r\n\n" + jpeg(),
    "JPEG: a byte order mark before it": lambda: b"\xef\xbb\xbf" + jpeg(),
    "PNG: broken eXIf": lambda: png(png_chunk(b"eXIf", b"\0\x08\0\2")),
    "PNG: broken eXIf behind its pixels": lambda: png(png_chunk(b"eXIf", BROKEN), after=True),
    "PNG: large zTXt": lambda: png(png_chunk(b"zTXt", b"Comment\0\0" + LARGE)),
    "PNG: large iTXt": lambda: png(png_chunk(b"iTXt", b"Comment\0\1\0\0\0" + LARGE)),
    "PNG: large XMP": lambda: png(png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + LARGE)),
    "PNG: large profile": lambda: png(png_chunk(b"iCCP", b"profile\0\0" + LARGE)),
    "PNG: profile without a method": lambda: png(png_chunk(b"iCCP", b"profile")),
    "PNG: unknown method of a profile": lambda: png(png_chunk(b"iCCP", b"profile\0\1abc")),
    "PNG: EXIF in a text, not hexadecimal": lambda: png(png_chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 9\nxyz")),
    "PNG: texts that are not packed": lambda: png(*(png_chunk(kind, b"a\0\1b") for kind in (b"zTXt", b"iTXt"))),
    "PNG: empty chunks": lambda: png(
        *map(png_chunk, (b"tEXt", b"pHYs", b"gAMA", b"cHRM", b"sBIT", b"sRGB", b"tIME", b"bKGD", b"hIST", b"iCCP"))
    ),
    "PNG: tRNS cut short": lambda: png(png_chunk(b"tRNS", b"\0")),
    "PNG: tRNS with a wrong checksum": lambda: png(wrong(png_chunk(b"tRNS", bytes(6)))),
    "PNG: wrong checksums": lambda: png(
        *(wrong(png_chunk(kind, b"key\0value")) for kind in (b"tEXt", b"tIME", b"iCCP", b"eXIf", b"abCd"))
    ),
    "PNG: broken animation": lambda: png(png_chunk(b"acTL", b"\0"), png_chunk(b"fcTL", bytes(4))),
    "PNG: a wrong chunk behind its pixels": lambda: png(wrong(png_chunk(b"tIME", b"a")), after=True),
    "WebP: broken EXIF and XMP": lambda: webp((b"EXIF", b"noise"), (b"XMP ", b"\xff")),
    "WebP: a chunk cut short": lambda: webp((b"EXIF", bytes(90)))[:-40],
    "WebP: announced metadata missing": lambda: webp(flags=0b101100),
    "WebP: a wrong size of the file": lambda: webp((b"EXIF", b"ab"), size=10**6),
    "WebP: unknown chunks": lambda: webp((b"abcd", b"a"), (b"ICCP", b"a")),
    "GIF: comments and a broken extension": lambda: gif(b"!\xfe\x03abc\0!\xff\x0bNETSCAPE2.0\x01\1\0!\xff\x03abc\0"),
    "GIF: a control extension cut short": lambda: gif(b"!\xf9\x01\0\0!\xf9\0"),
    "GIF: a loop cut short": lambda: gif(b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"),
    "TIFF: resolution as text": lambda: tiff_file((282, 2, 4, b"300"), (283, 12, 1, b"\xff" * 4), (296, 2, 1, b"2")),
    "TIFF: EXIF and profile beyond the file": lambda: tiff_file(
        (EXIF_FOLDER, 4, 1, b"\xff" * 4), (34675, 7, 2**30, b"\xff" * 4)
    ),
    "TIFF: tags of unknown types": lambda: tiff_file((700, 99, 5, b"ab"), (65000, 0, 1, b"a"), (33723, 2, 9, b"\1")),
    "TIFF: an orientation that is no number": lambda: tiff_file((ORIENTATION, 5, 1, b"\xff" * 4)),
    "AVIF: EXIF of noise": avif_with_broken_exif,
}


def read(content: bytes) -> Image.Image:
    return decode_image(io.BytesIO(content))


def difference(one: Image.Image, other: Image.Image) -> int:
    assert one.size == other.size
    return int(np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).max())


@pytest.mark.parametrize("name", SOUND)
def test_metadata_does_not_change_the_pixels(name: str) -> None:
    kind = name.partition(":")[0].replace("WebP", "PNG").replace("TIFF", "PNG")
    plain = read(saved(PICTURE, kind, **(EXACT if kind == "AVIF" else {})))
    assert difference(read(SOUND[name]()), plain) == 0


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_cut_off_in_its_header_is_refused(kind: str) -> None:
    whole = saved(PICTURE, kind)
    for length in range(60):
        with pytest.raises(ImageRefused):
            read(whole[:length])


@pytest.mark.parametrize(
    "start", [b"\x89PNG\r\n\x1a\n\0\0\0\0PLTE", b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0", b"GIF89a!", b"II*\0"]
)
def test_a_header_without_what_it_announces_is_refused(start: bytes) -> None:
    with pytest.raises(ImageRefused):
        read(start)


def exif_of(number: int, kind: int = 3, order: str = "<") -> bytes:
    value = struct.pack(order + {1: "B", 3: "H", 4: "L", 9: "l"}[kind], number)
    return tiff((ORIENTATION, kind, 1, value), (RESOLUTION, 1, 1, b"\1"), order=order)


def turned_jpeg(number: int) -> bytes:
    return jpeg(segment(0xE1, b"Exif\0\0" + exif_of(number)))


HEX = exif_of(6).hex().encode()
TURNED: dict[str, tuple[Callable[[], bytes], int]] = {
    **{f"JPEG: {number}": (partial(turned_jpeg, number), number) for number in range(10)},
    "JPEG: big endian": (lambda: jpeg(segment(0xE1, b"Exif\0\0" + exif_of(6, order=">"))), 6),
    "JPEG: a long number": (lambda: jpeg(segment(0xE1, b"Exif\0\0" + exif_of(6, 4))), 6),
    "JPEG: a big endian long number": (lambda: jpeg(segment(0xE1, b"Exif\0\0" + exif_of(8, 4, ">"))), 8),
    "JPEG: a byte": (lambda: jpeg(segment(0xE1, b"Exif\0\0" + exif_of(6, 1))), 1),
    "JPEG: two numbers": (lambda: jpeg(segment(0xE1, b"Exif\0\0" + tiff((ORIENTATION, 3, 2, b"\6\0\6\0")))), 1),
    "JPEG: XMP": (lambda: jpeg(segment(0xE1, b'http://ns.adobe.com/xap/1.0/\0<a tiff:Orientation="3"/>')), 3),
    "PNG": (lambda: png(png_chunk(b"eXIf", exif_of(6))), 6),
    "PNG: behind its pixels": (lambda: png(png_chunk(b"eXIf", exif_of(5)), after=True), 5),
    "PNG: as in a JPEG": (lambda: png(png_chunk(b"eXIf", b"Exif\0\0" + exif_of(6))), 6),
    "PNG: in hexadecimal": (lambda: png(png_chunk(b"tEXt", b"Raw profile type exif\0\nexif\n    38\n" + HEX)), 6),
    "PNG: XMP": (
        lambda: png(png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<tiff:Orientation>7</tiff:Orientation>")),
        7,
    ),
    "WebP": (lambda: webp((b"EXIF", exif_of(6))), 6),
    "WebP: as in a JPEG": (lambda: webp((b"EXIF", b"Exif\0\0" + exif_of(8))), 8),
    "WebP: XMP": (lambda: webp((b"XMP ", b'tiff:Orientation="4"')), 4),
    "TIFF": (lambda: tiff_file((ORIENTATION, 3, 1, b"\6")), 6),
    "TIFF: a long number beside a broken tag": (
        lambda: tiff_file((ORIENTATION, 4, 1, b"\2"), (EXIF_FOLDER, 4, 1, b"\xff" * 4)),
        2,
    ),
}


@pytest.mark.parametrize("name", TURNED)
def test_the_orientations_number_alone_turns_a_picture(name: str) -> None:
    build, number = TURNED[name]
    upright = read(saved(PICTURE, "JPEG" if name.startswith("JPEG") else "PNG"))
    expected = upright.transpose(TURNS[number]) if number in TURNS else upright
    assert difference(read(build()), expected) == 0


def test_an_avif_is_turned_as_it_says_itself() -> None:
    assert difference(read(avif(6)), PICTURE.transpose(TURNS[6])) < 9


def test_a_profile_does_not_change_the_pixels() -> None:
    for kind in ("JPEG", "PNG", "TIFF", "WEBP"):
        assert difference(read(saved(PICTURE, kind, icc_profile=PROFILE)), read(saved(PICTURE, kind))) == 0


DAMAGED: dict[str, tuple[Callable[[], bytes], str]] = {
    "PNG: a wrong checksum of its header": (lambda: wrong(png()[:33]) + png()[33:], "PNG .* its start is damaged"),
    "PNG: pixels cut off": (lambda: png()[:900], "damaged: its end is missing"),
    "JPEG: pixels cut off": (lambda: jpeg()[:700], "damaged: its end is missing"),
    "PNG: pixels overwritten": (lambda: png()[:200] + bytes(700) + png()[900:], "damaged: its pixels can't be read"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_pixels_are_refused_in_plain_words(name: str) -> None:
    build, reason = DAMAGED[name]
    with pytest.raises(ImageRefused, match=reason):
        read(build())
