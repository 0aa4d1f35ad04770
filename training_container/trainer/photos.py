"""The photographs of a split in uncompressed zip archives of the original files, to be read at any size.

Nothing is ever extracted to disk: names in the archive are labels and file names, never paths.
"""

import zipfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np

from trainer.decoding.images import DECODERS, MAX_BYTES, decode_image, resize
from trainer.errors import BadInput, ImageRefused
from trainer.names import label_key
from trainer.types import Labels, Pixels, Places

LONGEST_SIDE = 640
DECODED_AT_ONCE = 64


class Photos:
    """Photographs named `<folder>/<file>`, and their label numbers (n,); BadInput if an archive is damaged.

    `places` (n, 2) are the archive's number and the place in it of each. A folder is a label in any of its spellings.
    """

    def __init__(self, archives: Sequence[Path], places: Places, labels: Sequence[str]) -> None:
        self._archives = [_opened(archive) for archive in archives]
        inside = [archive.infolist() for archive in self._archives]
        number_of = {label_key(label): number for number, label in enumerate(labels)}
        try:
            self._members = [(number, inside[number][place]) for number, place in places.tolist()]
        except IndexError as error:
            raise BadInput("The pack's photographs don't belong to its index: run prepare again.") from error
        self.names = [member.filename for _, member in self._members]
        self.labels: Labels = np.array([_label_number(member, number_of) for _, member in self._members], np.int32)
        if not self.names or len(set(self.names)) < len(self.names):
            raise BadInput("The pack holds no photographs of a split, or one twice: run prepare again.")

    def checksum(self, row: int) -> str:
        """A checksum of a photograph's stored content, with its size: as text, in hex."""
        _, member = self._members[row]
        return f"{member.CRC:08x}{member.file_size:x}"

    def load(self, rows: Iterable[int], size: int) -> Pixels:
        """The photographs of k rows, each squeezed into a square: (k, size, size, 3), RGB 0 to 255."""
        rows = list(rows)
        images = np.empty((len(rows), size, size, 3), np.uint8)
        with ThreadPoolExecutor(DECODERS) as pool:
            for start in range(0, len(rows), DECODED_AT_ONCE):
                batch = [self._members[row] for row in rows[start : start + DECODED_AT_ONCE]]
                contents = [self._content(*member) for member in batch]  # zipfile is not thread-safe
                decoded = pool.map(lambda member, content: _decoded(member[1], content, size), batch, contents)
                for place, pixels in enumerate(decoded, start):
                    images[place] = pixels
        return images

    def _content(self, archive: int, member: zipfile.ZipInfo) -> bytes:
        try:
            return self._archives[archive].read(member)
        except (OSError, zipfile.BadZipFile) as error:
            raise _damaged(member.filename) from error


def _opened(archive: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(archive)
    except (OSError, zipfile.BadZipFile) as error:
        raise BadInput(f"The pack's {archive.name} is missing or damaged: run prepare again.") from error


def _label_number(member: zipfile.ZipInfo, number_of: dict[str, int]) -> int:
    folder, _, file = member.filename.partition("/")
    label = label_key(folder)
    stored = member.compress_type == zipfile.ZIP_STORED and member.file_size == member.compress_size
    if label not in number_of or not file or not stored or member.file_size > MAX_BYTES or member.flag_bits & 1:
        raise _damaged(member.filename)
    return number_of[label]


def _decoded(member: zipfile.ZipInfo, content: bytes, size: int) -> Pixels:
    try:
        return resize(decode_image(BytesIO(content)), size)
    except ImageRefused as refusal:
        raise _damaged(member.filename) from refusal


def _damaged(name: str) -> BadInput:
    return BadInput(f"The pack's image {name[:200]!r} is damaged: run prepare again.")
