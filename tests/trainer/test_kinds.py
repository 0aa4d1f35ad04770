"""Files that are not read are named for what they are, whatever they are called; those that Pillow reads are read."""

import gzip
import io
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from tests.trainer.costly_pictures import saved
from tests.trainer.painting import paint
from trainer.decoding.images import decode_image
from trainer.errors import ImageRefused

PICTURE = paint((40, 160, 60), 1)
TEXT = "not an image: a text file by its content"


def boxes(*brands: bytes) -> bytes:
    return (
        struct.pack(">L", 8 + 4 * len(brands) + 4) + b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:]) + bytes(99)
    )


def zipped(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return content.getvalue()


def open_document() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
    return content.getvalue()


def tarred() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.jpg"))
    return content.getvalue()


def array(save: Callable[..., None]) -> bytes:
    content = io.BytesIO()
    save(content, np.zeros((4, 4), np.uint8))
    return content.getvalue()


NAMED: dict[str, tuple[bytes, str]] = {
    "HEIC": (
        boxes(b"heic", b"mif1", b"heic"),
        "an HEIC photograph: save it as JPEG, or set the phone's camera to JPEG",
    ),
    "HEIF": (boxes(b"mif1", b"mif1", b"heix"), "an HEIC photograph: "),
    "CR3": (boxes(b"crx ", b"isom"), "a camera's raw file (CR3): export it as JPEG"),
    "CR2": (b"II*\0\x10\0\0\0CR\x02\0" + bytes(99), "a camera's raw file (CR2): export it"),
    "RAF": (b"FUJIFILMCCD-RAW 0201" + bytes(99), "a camera's raw file (RAF): "),
    "ORF": (b"IIRO\x08\0\0\0" + bytes(99), "a camera's raw file (ORF): "),
    "RW2": (b"IIU\0\x18\0\0\0" + bytes(99), "a camera's raw file (RW2): "),
    "CRW": (b"II\x1a\0\0\0HEAPCCDR" + bytes(99), "a camera's raw file (CRW): "),
    "X3F": (b"FOVb" + bytes(99), "a camera's raw file (X3F): "),
    "JPEG XL": (b"\xff\x0a" + bytes(99), "a JPEG XL picture: save it as JPEG or PNG"),
    "JPEG XL in a box": (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(99), "a JPEG XL picture: "),
    "JPEG-LS": (b"\xff\xd8\xff\xf7" + bytes(99), "a JPEG-LS picture: "),
    "Apple's PNG": (b"\x89PNG\r\n\x1a\n\0\0\0\4CgBI" + bytes(99), "a PNG in the form that Apple's apps use: "),
    "PSD": (b"8BPS\0\1" + bytes(99), "a Photoshop file: save it as JPEG or PNG"),
    "OpenEXR": (b"\x76\x2f\x31\x01" + bytes(99), "an OpenEXR picture: "),
    "DICOM": (bytes(128) + b"DICM" + bytes(99), "a DICOM picture: "),
    "FITS": (b"SIMPLE  =                    T", "a FITS picture: "),
    "TGA": (saved(PICTURE, "TGA"), "a TGA picture: "),
    "ICO": (saved(PICTURE, "ICO"), "an icon (ICO): "),
    "PDF": (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "a PDF document: save its pictures as JPEG or PNG"),
    "SVG": (b'<?xml version="1.0"?>\n<!-- a -->\n<svg xmlns="a"/>', "an SVG drawing: save it as PNG"),
    "MP4": (boxes(b"mp42", b"isom", b"mp42"), "a video (MP4): save single pictures of it as JPEG"),
    "MOV": (boxes(b"qt  "), "a video (QuickTime): "),
    "old MOV": (b"\0\0\1\0moov" + bytes(99), "a video (QuickTime): "),
    "AVI": (b"RIFF\0\0\1\0AVI LIST" + bytes(99), "a video (AVI): "),
    "MKV": (b"\x1a\x45\xdf\xa3" + bytes(99), "a video (Matroska or WebM): "),
    "WAV": (b"RIFF\0\0\1\0WAVEfmt " + bytes(99), "a sound recording: it is not an image"),
    "MP3": (b"ID3\3\0\0" + bytes(99), "a sound recording: "),
    "ZIP": (zipped("a.jpg"), "an archive (ZIP): unpack it"),
    "DOCX": (zipped("[Content_Types].xml", "word/document.xml"), "a Word document: save its pictures"),
    "XLSX": (zipped("[Content_Types].xml", "xl/workbook.xml"), "an Excel document: "),
    "ODT": (open_document(), "an OpenDocument file: "),
    "npz": (array(np.savez), "NumPy arrays (npz): save its pictures as PNG"),
    "npy": (array(np.save), "a NumPy array: save its pictures as PNG"),
    "pickle": (pickle.dumps([1, 2]), "a Python pickle: "),
    "old pickle": (pickle.dumps({"a": 1}, protocol=2), "a Python pickle: "),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file: "),
    "RAR": (b"Rar!\x1a\x07\1\0", "an archive (RAR): "),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(9), "an archive (7z): "),
    "gzip": (gzip.compress(b"a"), "a compressed file (gzip): "),
    "tar": (tarred(), "an archive (tar): "),
    "Thumbs.db": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "an Office document, or Windows' Thumbs.db: "),
    "AppleDouble": (b"\0\5\x16\7\0\2\0\0Mac OS X        ", "an AppleDouble file, which macOS leaves beside a file: "),
    "web page": (b"\n<!DOCTYPE html><title>404", "a web page, probably an error page: download the image again"),
    "S3's error": (b'<?xml version="1.0"?>\n<Error><Code>AccessDenied', "an error message of a file store: download"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "a Git LFS pointer: fetch the image"),
    "base64": (b"data:image/png;base64,iVBORw0KGgo=", "an image written as text (base64): decode it"),
    "XMP": (b'<?xpacket begin=""?><x:xmpmeta/>', "notes of a photo program (XMP): "),
    "JSON": (b'{"label": "Maize"}', f"{TEXT} (JSON)"),
    "CSV": (b"file,label\na.jpg,Maize\n", f"{TEXT} (a table)"),
    "UTF-16": ("label file\n".encode("utf-16"), TEXT),
    "Windows' letters": ("Größe und Fläche des Blattes".encode("cp1252"), TEXT),
    "a text that begins like a bitmap": (b"BMW and others", TEXT),
    "a text that begins like a program": (b"MZ 12, row 4", TEXT),
    "zeros": (bytes(10_000), "a file of zeros alone: its content was lost: copy it again"),
    "JPEG of 12 bits": (
        saved(PICTURE, "JPEG").replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c"),
        "JPEG of a kind that can't be read, or its start is damaged",
    ),
}


@pytest.mark.parametrize("name", NAMED)
def test_a_file_that_is_not_read_is_named_with_what_to_do(name: str) -> None:
    content, reason = NAMED[name]
    with pytest.raises(ImageRefused) as refused:
        decode_image(io.BytesIO(content))
    assert str(refused.value).startswith(reason)


@pytest.mark.parametrize("kind", ["AVIF", "JPEG2000", "PPM", "PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"])
def test_a_format_that_pillow_reads_safely_is_read(kind: str) -> None:
    assert decode_image(io.BytesIO(saved(PICTURE, kind))).size == PICTURE.size


def test_an_avif_whose_first_brand_is_another_is_read() -> None:
    content = saved(PICTURE, "AVIF").replace(b"ftypavif", b"ftypmiaf", 1)
    assert decode_image(io.BytesIO(content)).size == PICTURE.size


def test_the_first_picture_of_several_is_read() -> None:
    other = Image.new("RGB", (9, 9), "red")
    for kind in ("MPO", "GIF", "WEBP", "PNG", "TIFF", "AVIF"):
        both = saved(PICTURE, kind, save_all=True, append_images=[other.resize(PICTURE.size)])
        alone = saved(PICTURE, "JPEG" if kind == "MPO" else kind)
        one, first = (np.asarray(decode_image(io.BytesIO(content)), np.int16) for content in (alone, both))
        assert np.abs(one - first).mean() < 8, kind
