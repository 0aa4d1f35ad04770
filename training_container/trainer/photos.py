"""The photographs of a split in one uncompressed zip archive of the original files, to be read at any size.

Nothing is ever extracted to disk: names in the archive are labels and file names, never paths.
"""

import zipfile
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np

from trainer.decoding.images import DECODERS, MAX_BYTES, decode_image, resize
from trainer.decoding.pool import DecoderPool
from trainer.errors import BadInput, ImageRefused
from trainer.names import label_key
from trainer.types import Labels, Pixels

LONGEST_SIDE = 640
DECODED_AT_ONCE = 64


class Photos:
    """Photographs named `<folder>/<file>`, and their label numbers (n,); BadInput if the archive is damaged.

    A folder is a label in any of its spellings.
    """

    def __init__(self, archive: Path, labels: Sequence[str]) -> None:
        try:
            self._archive = zipfile.ZipFile(archive)
        except (OSError, zipfile.BadZipFile) as error:
            raise BadInput(f"The pack's {archive.name} is missing or damaged: run prepare again.") from error
        number_of = {label_key(label): number for number, label in enumerate(labels)}
        self._members = self._archive.infolist()
        self.names = [member.filename for member in self._members]
        self.labels: Labels = np.array([_label_number(member, number_of) for member in self._members], np.int32)
        if not self.names or len(set(self.names)) < len(self.names):
            raise BadInput(f"The pack's {archive.name} is empty, or names an image twice: run prepare again.")

    def checksum(self, row: int) -> str:
        """A checksum of a photograph's stored content, with its size: as text, in hex."""
        member = self._members[row]
        return f"{member.CRC:08x}{member.file_size:x}"

    def load(self, rows: Iterable[int], size: int) -> Pixels:
        """The photographs of k rows, each squeezed into a square: (k, size, size, 3), RGB 0 to 255."""
        rows = list(rows)
        images = np.empty((len(rows), size, size, 3), np.uint8)
        with ThreadPoolExecutor(DECODERS) as pool:
            for start in range(0, len(rows), DECODED_AT_ONCE):
                batch = [self._members[row] for row in rows[start : start + DECODED_AT_ONCE]]
                contents = [self._content(member) for member in batch]  # zipfile is not thread-safe
                decoded = pool.map(lambda member, content: _decoded(member, content, size), batch, contents)
                for place, pixels in enumerate(decoded, start):
                    images[place] = pixels
        return images

    def _content(self, member: zipfile.ZipInfo) -> bytes:
        try:
            return self._archive.read(member)
        except (OSError, zipfile.BadZipFile) as error:
            raise _damaged(member.filename) from error


def write_photos(
    archive: Path, folder: Path, files: Sequence[str], large: Collection[str], decoders: DecoderPool
) -> None:
    """Writes the files, named relative to `folder`, in this order; the `large` ones as PNG with a longer side of 640.

    A shrunk image keeps its file name, as readers identify the format by the first bytes.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as written:
        for start in range(0, len(files), DECODED_AT_ONCE):
            batch = files[start : start + DECODED_AT_ONCE]
            shrunk = decoders.shrunk([folder / file for file in batch if file in large], LONGEST_SIDE)
            for file in batch:
                content = next(shrunk) if file in large else (folder / file).read_bytes()
                if isinstance(content, ImageRefused):
                    raise BadInput(f"The image {file[:200]!r} was read, but not a second time: {content}.")
                written.writestr(zipfile.ZipInfo(file), content)


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
