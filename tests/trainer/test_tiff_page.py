"""The picture of a TIFF is learnt from, never its thumbnail; a camera's raw file is refused by its name."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from tests.trainer.costly_pictures import saved
from tests.trainer.painting import paint
from trainer.decoding.images import decode_image
from trainer.errors import ImageRefused

Tag = tuple[int, int, list[int]]
THUMBNAIL, PICTURE = paint((170, 60, 40), 1, 16), paint((40, 160, 60), 2, 48)
CFA, LINEAR_RAW, RGB = 32803, 34892, 2
SUBFILE, SUBIFD, NEXT = (254, 4), 330, -1


class Writer:
    """Writes a TIFF: pixels first, then directories, each after what it refers to."""

    def __init__(self, order: str = "<", *, big: bool = False) -> None:
        self.order, self.big = order, big
        self.content = bytearray(16 if big else 8)

    def add(self, data: bytes) -> int:
        self.content += bytes(len(self.content) % 2)
        self.content += data
        return len(self.content) - len(data)

    def page(self, image: Image.Image, *tags: Tag, following: int = 0, photometric: int = RGB) -> int:
        """Adds a page, and returns its place."""
        pixels = self.add(image.tobytes())
        own: list[Tag] = [
            (256, 4, [image.width]),
            (257, 4, [image.height]),
            (258, 3, [8]),
            (259, 3, [1]),
            (262, 3, [photometric]),
            (273, 4, [pixels]),
            (277, 3, [3]),
            (278, 4, [image.height]),
            (279, 4, [len(image.tobytes())]),
        ]
        entries = {tag[0]: tag for tag in (*own, *tags)}
        rows = b"".join(self._entry(*entries[tag]) for tag in sorted(entries))
        place = "Q" if self.big else "L"
        count = struct.pack(self.order + ("Q" if self.big else "H"), len(entries))
        return self.add(count + rows + struct.pack(self.order + place, following))

    def file(self, first: int) -> bytes:
        head = (b"II" if self.order == "<" else b"MM") + (
            struct.pack(self.order + "HHHQ", 43, 8, 0, first) if self.big else struct.pack(self.order + "HL", 42, first)
        )
        return head + bytes(self.content[len(head) :])

    def _entry(self, tag: int, kind: int, values: list[int]) -> bytes:
        width = 8 if self.big else 4
        data = struct.pack(f"{self.order}{len(values)}{dict(zip((1, 3, 4), 'BHL', strict=True))[kind]}", *values)
        field = data.ljust(width, b"\0") if len(data) <= width else struct.pack(self.order + "L", self.add(data))
        return struct.pack(self.order + ("HHQ" if self.big else "HHL"), tag, kind, len(values)) + field


def shown(content: bytes) -> Image.Image:
    return decode_image(io.BytesIO(content))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("thumbnail", [(254, 4, [1]), (255, 3, [2])], ids=["new tag", "old tag"])
@pytest.mark.parametrize("below", [False, True])
def test_the_first_page_that_is_not_a_thumbnail_is_read(order: str, big: bool, thumbnail: Tag, below: bool) -> None:
    writer = Writer(order, big=big)
    picture = writer.page(PICTURE, (254, 4, [0]))
    first = writer.page(THUMBNAIL, thumbnail, *([(SUBIFD, 4, [picture])] if below else []), following=picture)
    assert np.array_equal(np.asarray(shown(writer.file(first))), np.asarray(PICTURE))


def test_pages_that_refer_to_one_another_end() -> None:
    writer = Writer()
    place = writer.page(PICTURE)
    again = writer.page(PICTURE, (SUBIFD, 4, [place] * 3), following=place)
    assert shown(writer.file(again)).size == PICTURE.size


def test_a_page_called_a_thumbnail_is_read_if_it_is_all_there_is() -> None:
    writer = Writer()
    assert shown(writer.file(writer.page(PICTURE, (254, 4, [1])))).size == PICTURE.size


RAW: dict[str, tuple[Tag, bytes, str]] = {
    "colour filters": ((262, 3, [CFA]), b"NIKON CORPORATION", "NEF"),
    "linear": ((262, 3, [LINEAR_RAW]), b"", "such as NEF or ARW"),
    "a DNG": ((50706, 1, [1, 4, 0, 0]), b"Canon", "such as NEF or ARW"),
    "a pattern of filters": ((33422, 1, [0, 1, 1, 2]), b"PENTAX", "PEF"),
    "Sony's compression": ((259, 3, [32767]), b"SONY", "ARW"),
    "Samsung's compression": ((259, 3, [32770]), b"SAMSUNG", "SRW"),
}


@pytest.mark.parametrize("name", RAW)
@pytest.mark.parametrize("below", [False, True])
def test_a_cameras_raw_file_is_refused_by_its_name(name: str, below: bool) -> None:
    tag, maker, called = RAW[name]
    writer = Writer()
    raw = writer.page(PICTURE, tag)
    tags: list[Tag] = [
        (254, 4, [1]),
        *([(271, 1, [*maker, 0])] if maker else []),
        *([(SUBIFD, 4, [raw])] if below else []),
    ]
    first = writer.page(THUMBNAIL, *tags, following=0 if below else raw)
    with pytest.raises(ImageRefused) as refused:
        shown(writer.file(first))
    assert str(refused.value).startswith(f"a camera's raw file ({called}): export it as JPEG or PNG")


def test_a_dng_is_named() -> None:
    writer = Writer()
    with pytest.raises(ImageRefused, match=r"raw file \(DNG\)"):
        shown(writer.file(writer.page(THUMBNAIL, (50706, 1, [1, 4, 0, 0]))))


def test_a_thumbnail_beside_unknown_data_is_refused() -> None:
    writer = Writer()
    first = writer.page(THUMBNAIL, (254, 4, [1]))
    writer.add(bytes(50_000))
    with pytest.raises(ImageRefused, match="shows only a preview of its picture"):
        shown(writer.file(first))


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
def test_a_compressed_tiff_is_read_as_pillow_reads_it(compression: str) -> None:
    content = saved(PICTURE, "TIFF", compression=compression)
    with Image.open(io.BytesIO(content)) as expected:
        assert np.array_equal(np.asarray(shown(content)), np.asarray(expected.convert("RGB")))
