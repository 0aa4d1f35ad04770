"""Finds the picture in a TIFF: neither a thumbnail, nor a camera's raw file, nor what else its tags hold."""

from trainer.decoding.kinds import EXPORT
from trainer.decoding.sound import Sound, orientation_in_xmp
from trainer.decoding.tiff import ORIENTATION, Directory, Tiff, orientation_in
from trainer.errors import ImageRefused

SUBFILE_TYPE, OLD_SUBFILE_TYPE, COMPRESSION, PHOTOMETRIC, MAKE, XMP = 254, 255, 259, 262, 271, 700
LENGTHS = (279, 325)
"""How many bytes each strip, or each tile, has."""
MOST_PARTS = 1_000_000
THUMBNAIL_OR_MASK = 0b101
OLD_THUMBNAIL = 2
# What the decoder needs to know: sizes, the form of the pixels, and where they are.
PIXEL_TAGS = frozenset(
    (256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320, 322, 323, 324, 325, 332, 338, 339, 347)
) | {*range(512, 522), 529, 530, 532}

DNG_VERSION = 50706
COLOUR_FILTERS = {33421, 33422}
RAW_PHOTOMETRIC = {32803, 34892}
RAW_COMPRESSION = {32767, 32770, 34713, 65000, 65535}
RAW_FORMATS = {
    "NIKON": "NEF",
    "SONY": "ARW",
    "PENTAX": "PEF",
    "RICOH": "PEF",
    "SAMSUNG": "SRW",
    "EPSON": "ERF",
    "KODAK": "DCR",
    "EASTMAN": "DCR",
    "HASSELBLAD": "3FR",
    "LEAF": "MOS",
    "PHASE": "IIQ",
}


def sound_tiff(content: bytes) -> Sound:
    """The first page that is neither a thumbnail nor a mask, with its orientation.

    Raises ImageRefused for a camera's raw file, or if there are thumbnails alone.
    """
    tiff = Tiff.at(content)
    pages = list(tiff.directories()) if tiff else []
    if tiff is None or not pages:
        return Sound(content)
    if any(_is_raw(tiff, page) for page in pages):
        raise ImageRefused(f"a camera's raw file ({_raw_format(tiff, pages[0])}): {EXPORT}")
    page = next((page for page in pages if not _is_thumbnail(tiff, page)), None)
    if page is None and _fills_the_file(tiff, pages[0]):
        page = pages[0]
    if page is None:
        raise ImageRefused(f"a TIFF that shows only a preview of its picture: {EXPORT}")
    pixels = tiff.with_directory({tag: entry for tag, entry in page.entries.items() if tag in PIXEL_TAGS})
    return Sound(pixels, _orientation(tiff, page))


def _is_raw(tiff: Tiff, page: Directory) -> bool:
    photometric, compression = (tiff.numbers(page.entries.get(tag)) for tag in (PHOTOMETRIC, COMPRESSION))
    return (
        DNG_VERSION in page.entries
        or not COLOUR_FILTERS.isdisjoint(page.entries)
        or not RAW_PHOTOMETRIC.isdisjoint(photometric)
        or not RAW_COMPRESSION.isdisjoint(compression)
    )


def _raw_format(tiff: Tiff, first: Directory) -> str:
    if DNG_VERSION in first.entries:
        return "DNG"
    entry = first.entries.get(MAKE)
    text = tiff.numbers(entry._replace(kind=1)) if entry else ()
    maker = bytes(text).decode("ascii", errors="replace").upper().strip(" \0").partition(" ")[0]
    return RAW_FORMATS.get(maker, "such as NEF or ARW")


def _is_thumbnail(tiff: Tiff, page: Directory) -> bool:
    kind, old_kind = (tiff.numbers(page.entries.get(tag)) for tag in (SUBFILE_TYPE, OLD_SUBFILE_TYPE))
    return bool(kind and kind[0] & THUMBNAIL_OR_MASK) or bool(old_kind and old_kind[0] == OLD_THUMBNAIL)


def _fills_the_file(tiff: Tiff, page: Directory) -> bool:
    """Whether half of the file is this page: some programs call a page a thumbnail that is all there is."""
    lengths = (sum(tiff.numbers(page.entries.get(tag), MOST_PARTS)) for tag in LENGTHS)
    return sum(lengths) * 2 >= len(tiff.content)


def _orientation(tiff: Tiff, page: Directory) -> int:
    if ORIENTATION in page.entries:
        return orientation_in(tiff, page.entries[ORIENTATION])
    entry = page.entries.get(XMP)
    return orientation_in_xmp(bytes(tiff.numbers(entry._replace(kind=1), MOST_PARTS))) if entry else 1
