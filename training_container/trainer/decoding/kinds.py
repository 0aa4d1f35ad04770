"""Says what kind of file something is, by its content whatever its name is, and what to do if it isn't read."""

import re
from typing import NamedTuple

from trainer.decoding.text_kinds import text_kind

MOST_PADDING = 64
PADDING = b"\0\t\n\r \xef\xbb\xbf"
BRANDS = 256
"""Bytes at the start of a file of boxes (ISO 14496-12), within which its brands are looked for."""

SAVE = "save it as JPEG or PNG"
EXPORT = "export it as JPEG or PNG with the camera's program or a photo editor"
HEIC = "save it as JPEG, or set the phone's camera to JPEG ('Most Compatible' on an iPhone)"
FRAMES = "save single pictures of it as JPEG"
PAGES = "save its pictures as JPEG or PNG"
UNPACK = "unpack it, and use the images in it"
NUMBERS = "save its pictures as PNG"
LEAVE = "it is not an image"
DRAWN = {SAVE, EXPORT, HEIC, "save it as PNG"}
"""What is advised for pictures in formats that are not read."""


class Signature(NamedTuple):
    """Bytes that files of one kind have at one place, which is counted from the end if it is negative."""

    offset: int
    magic: bytes
    kind: str
    """What a person calls it, with its article; for a format that is read, Pillow's name of it."""
    advice: str = ""
    """What to do with it; empty for a format that is read."""


READ = (
    Signature(0, b"\xff\xd8\xff", "JPEG"),
    Signature(0, b"\x89PNG\r\n\x1a\n", "PNG"),
    Signature(8, b"WEBPVP8", "WEBP"),
    Signature(0, b"GIF87a", "GIF"),
    Signature(0, b"GIF89a", "GIF"),
    Signature(0, b"II*\0", "TIFF"),
    Signature(0, b"MM\0*", "TIFF"),
    Signature(0, b"II+\0", "TIFF"),
    Signature(0, b"MM\0+", "TIFF"),
    Signature(0, b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG2000"),
    Signature(0, b"\xff\x4f\xff\x51", "JPEG2000"),
)
NAMES = {"JPEG2000": "JPEG 2000", "WEBP": "WebP", "PPM": "PNM"}
"""Formats whose usual name is not Pillow's."""

NAMED = (
    # first what begins with a length, or with nothing in particular
    Signature(4, b"moov", "a video (QuickTime)", FRAMES),
    Signature(4, b"mdat", "a video (QuickTime)", FRAMES),
    Signature(4, b"wide", "a video (QuickTime)", FRAMES),
    Signature(-18, b"TRUEVISION-XFILE.", "a TGA picture", SAVE),
    # pictures that look like a format that is read
    Signature(0, b"\xff\xd8\xff\xf7", "a JPEG-LS picture", SAVE),
    Signature(12, b"CgBI", "a PNG in the form that Apple's apps use", SAVE),
    Signature(8, b"CR\x02\0", "a camera's raw file (CR2)", EXPORT),
    Signature(8, b"IIII", "a camera's raw file (IIQ)", EXPORT),
    Signature(8, b"MMMM", "a camera's raw file (IIQ)", EXPORT),
    # raw files of cameras
    Signature(0, b"FUJIFILMCCD-RAW", "a camera's raw file (RAF)", EXPORT),
    Signature(0, b"IIRO", "a camera's raw file (ORF)", EXPORT),
    Signature(0, b"IIRS", "a camera's raw file (ORF)", EXPORT),
    Signature(0, b"MMOR", "a camera's raw file (ORF)", EXPORT),
    Signature(0, b"IIU\0", "a camera's raw file (RW2)", EXPORT),
    Signature(0, b"II\x1a\0\0\0HEAPCCDR", "a camera's raw file (CRW)", EXPORT),
    Signature(0, b"\0MRM", "a camera's raw file (MRW)", EXPORT),
    Signature(0, b"FOVb", "a camera's raw file (X3F)", EXPORT),
    # pictures
    Signature(0, b"\xff\x0a", "a JPEG XL picture", SAVE),
    Signature(0, b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture", SAVE),
    Signature(0, b"II\xbc", "a JPEG XR picture", SAVE),
    Signature(0, b"8BPS", "a Photoshop file", SAVE),
    Signature(0, b"8BPB", "a Photoshop file", SAVE),
    Signature(0, b"gimp xcf", "a GIMP file", SAVE),
    Signature(0, b"\x76\x2f\x31\x01", "an OpenEXR picture", SAVE),
    Signature(0, b"#?RADIANCE", "a Radiance HDR picture", SAVE),
    Signature(0, b"#?RGBE", "a Radiance HDR picture", SAVE),
    Signature(0, b"\0\0\x01\0", "an icon (ICO)", SAVE),
    Signature(0, b"\0\0\x02\0", "a mouse pointer (CUR)", LEAVE),
    Signature(0, b"icns", "an icon (ICNS)", SAVE),
    Signature(0, b"DDS ", "a texture (DDS)", SAVE),
    Signature(0, b"qoif", "a QOI picture", SAVE),
    Signature(0, b"farbfeld", "a farbfeld picture", SAVE),
    Signature(0, b"FLIF", "a FLIF picture", SAVE),
    Signature(0, b"BPG\xfb", "a BPG picture", SAVE),
    Signature(0, b"\x8aMNG", "an animation (MNG)", SAVE),
    Signature(0, b"\x8bJNG", "a JNG picture", SAVE),
    Signature(0, b"\x01\xda\0\x01", "an SGI picture", SAVE),
    Signature(0, b"\x01\xda\x01\x01", "an SGI picture", SAVE),
    Signature(0, b"\x59\xa6\x6a\x95", "a Sun raster picture", SAVE),
    Signature(0, b"\xd7\xcd\xc6\x9a", "a drawing (WMF)", SAVE),
    Signature(40, b" EMF", "a drawing (EMF)", SAVE),
    Signature(0, b"AT&TFORM", "a DjVu document", PAGES),
    Signature(0, b"%PDF-", "a PDF document", PAGES),
    Signature(0, b"%!PS", "a PostScript document", PAGES),
    Signature(0, b"\xc5\xd0\xd3\xc6", "a PostScript document", PAGES),
    # arrays and scientific pictures
    Signature(128, b"DICM", "a DICOM picture", SAVE),
    Signature(344, b"n+1\0", "a NIfTI picture", NUMBERS),
    Signature(0, b"SIMPLE  =", "a FITS picture", SAVE),
    Signature(0, b"\x89HDF\r\n\x1a\n", "an HDF5 file", NUMBERS),
    Signature(0, b"\x0e\x03\x13\x01", "an HDF4 file", NUMBERS),
    Signature(0, b"CDF\x01", "a NetCDF file", NUMBERS),
    Signature(0, b"CDF\x02", "a NetCDF file", NUMBERS),
    Signature(0, b"\x93NUMPY", "a NumPy array", NUMBERS),
    Signature(0, b"MATLAB 5.0 MAT", "a MATLAB file", NUMBERS),
    Signature(0, b"ZISRAWFILE", "a microscope's file (CZI)", SAVE),
    Signature(0, b"\xda\xce\xbe\x0a", "a microscope's file (ND2)", SAVE),
    Signature(0, b"PAR1", "a Parquet file", NUMBERS),
    Signature(0, b"SQLite format 3\0", "a database (SQLite)", LEAVE),
    # films and sound
    Signature(8, b"AVI ", "a video (AVI)", FRAMES),
    Signature(0, b"\x1a\x45\xdf\xa3", "a video (Matroska or WebM)", FRAMES),
    Signature(0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a video (WMV)", FRAMES),
    Signature(0, b"FLV\x01", "a video (FLV)", FRAMES),
    Signature(0, b"\0\0\x01\xba", "a video (MPEG)", FRAMES),
    Signature(0, b"\0\0\x01\xb3", "a video (MPEG)", FRAMES),
    Signature(8, b"WAVE", "a sound recording", LEAVE),
    Signature(8, b"AIFF", "a sound recording", LEAVE),
    Signature(0, b"ID3", "a sound recording", LEAVE),
    Signature(0, b"\xff\xfb", "a sound recording", LEAVE),
    Signature(0, b"\xff\xf1", "a sound recording", LEAVE),
    Signature(0, b"fLaC", "a sound recording", LEAVE),
    Signature(0, b"OggS", "a sound recording or video (Ogg)", LEAVE),
    Signature(0, b"MThd", "music (MIDI)", LEAVE),
    Signature(0, b"#!AMR", "a sound recording", LEAVE),
    # archives, documents, programs
    Signature(0, b"Rar!\x1a\x07", "an archive (RAR)", UNPACK),
    Signature(0, b"7z\xbc\xaf\x27\x1c", "an archive (7z)", UNPACK),
    Signature(0, b"\x1f\x8b", "a compressed file (gzip)", UNPACK),
    Signature(0, b"BZh", "a compressed file (bzip2)", UNPACK),
    Signature(0, b"\xfd7zXZ\0", "a compressed file (xz)", UNPACK),
    Signature(0, b"\x28\xb5\x2f\xfd", "a compressed file (Zstandard)", UNPACK),
    Signature(257, b"ustar", "an archive (tar)", UNPACK),
    Signature(0, b"PK\x05\x06", "an empty archive (ZIP)", LEAVE),
    Signature(0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document, or Windows' Thumbs.db", PAGES),
    Signature(0, b"\0\x05\x16\x07", "an AppleDouble file, which macOS leaves beside a file", LEAVE),
    Signature(0, b"\0\x05\x16\0", "an AppleSingle file", LEAVE),
    Signature(0, b"\0\0\0\x01Bud1", "a .DS_Store file of macOS", LEAVE),
    Signature(0, b"book\0\0\0\0mark", "a macOS alias", "use the file that it stands for"),
    Signature(0, b"L\0\0\0\x01\x14\x02\0", "a Windows shortcut", "use the file that it stands for"),
    Signature(0, b"bplist00", "a property list of macOS", LEAVE),
    Signature(0, b"\x7fELF", "a program", LEAVE),
    Signature(0, b"MZ", "a Windows program", LEAVE),
    Signature(0, b"\xcf\xfa\xed\xfe", "a program", LEAVE),
)
PATTERNS = (
    (rb"\Z", "an empty file", ""),
    (rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0", "BMP", ""),
    (rb"P[1-6]\s", "PPM", ""),
    (rb"\x80[\x02-\x05](\x95|[\x80-\xff\]}(cqKX])", "a Python pickle", NUMBERS),
    (rb"G.{187}G.{187}G", "a video (MPEG)", FRAMES),
    (rb"PK\x03\x04.{0,4000}word/", "a Word document", PAGES),
    (rb"PK\x03\x04.{0,4000}xl/", "an Excel document", PAGES),
    (rb"PK\x03\x04.{0,4000}ppt/", "a PowerPoint document", PAGES),
    (rb"PK\x03\x04.{0,60}\[Content_Types\]", "an Office document", PAGES),
    (rb"PK\x03\x04.{0,60}mimetypeapplication/vnd\.oasis\.opendocument", "an OpenDocument file", PAGES),
    (rb"PK\x03\x04.{0,60}mimetypeapplication/epub", "a book (EPUB)", PAGES),
    (rb"PK\x03\x04.{0,60}mimetypeapplication/x-krita", "a Krita file", SAVE),
    (rb"PK\x03\x04.{0,60}mimetypeimage/openraster", "an OpenRaster file", SAVE),
    (rb"PK\x03\x04.{0,200}\.npy", "NumPy arrays (npz)", NUMBERS),
    (rb"PK\x03\x04", "an archive (ZIP)", UNPACK),
    (rb"\0+\Z", "a file of zeros alone", "its content was lost: copy it again"),
)
SIGNATURES = (*NAMED, *READ)
BOXES = (
    (rb"avi[fs]", "AVIF", ""),
    (rb"hei[cxms]|hev[cxms]|mif[12]|msf1|heif", "an HEIC photograph", HEIC),
    (rb"crx ", "a camera's raw file (CR3)", EXPORT),
    (rb"jp2 |jpx |jpm |mjp2|mj2s", "a JPEG 2000 film or document", SAVE),
    (rb"jxl ", "a JPEG XL picture", SAVE),
    (rb"M4[AB] ", "a sound recording", LEAVE),
    (rb"qt  ", "a video (QuickTime)", FRAMES),
)


def recognize(content: bytes) -> Signature:
    """The kind of a file of this content; a Signature with an empty `kind` if it is not known."""
    for signature in SIGNATURES:
        if content.startswith(signature.magic, signature.offset) and not _begins_a_text(signature.magic, content):
            return signature
    return Signature(0, b"", *_by_pattern(content))


def is_picture(kind: Signature) -> bool | None:
    """Whether a file of a kind that isn't read is a picture all the same; None if the kind is not known."""
    return kind.advice in DRAWN if kind.kind else None


def without_padding(content: bytes) -> bytes:
    """The content without the blanks, zeros and byte order mark that careless programs leave before a picture."""
    padded = content[:MOST_PADDING]
    start = len(padded) - len(padded.lstrip(PADDING))
    is_picture = any(content.startswith(known.magic, start + known.offset) for known in READ)
    return content[start:] if start and is_picture else content


def name_of(kind: str) -> str:
    """The usual name of a format that is read."""
    return NAMES.get(kind, kind)


def _begins_a_text(magic: bytes, content: bytes) -> bool:
    """Whether so short a signature in letters is the start of a text, such as `BZh` or `MZ`."""
    return len(magic) < 5 and magic.isascii() and magic.decode().isprintable() and text_kind(content) is not None


def _by_pattern(content: bytes) -> tuple[str, str]:
    if content[4:8] == b"ftyp":
        return _boxed(content)
    for pattern, kind, advice in PATTERNS:
        if re.match(pattern, content, re.DOTALL):
            return kind, advice
    return text_kind(content) or ("", "")


def _boxed(content: bytes) -> tuple[str, str]:
    length = int.from_bytes(content[:4])
    brands = content[8 : max(min(length, BRANDS), 12)]
    known = [brands[:4], *(brands[at : at + 4] for at in range(8, len(brands), 4))]
    for pattern, kind, advice in BOXES:
        if any(re.fullmatch(pattern, brand) for brand in known):
            return kind, advice
    return "a video (MP4)", FRAMES
