"""Reads the directories of a TIFF, which EXIF and camera raw files have too, without failing on anything in them."""

import struct
from collections.abc import Iterator
from typing import NamedTuple, Self

MOST_DIRECTORIES = 32
MOST_ENTRIES = 4096
SUB_DIRECTORIES, ORIENTATION = 330, 0x112
# The types whose values are whole numbers, with struct's letter for each.
NUMBERS = {1: "B", 3: "H", 4: "L", 13: "L", 16: "Q", 18: "Q"}


TYPE_BYTES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of a value, for the types where they are more than one."""


class Entry(NamedTuple):
    """A tag's type, its number of values, and the bytes of its entry that hold these or their place."""

    kind: int
    number: int
    field: bytes


class Directory(NamedTuple):
    """The entries by tag, and the place of the next directory; 0 for none."""

    entries: dict[int, Entry]
    next: int


class Tiff:
    """The directories of a TIFF, by their places in the content."""

    def __init__(self, content: bytes, order: str, *, big: bool) -> None:
        self.content = content
        self.order = order
        self.big = big
        self._count, self._entry, self._place = (
            struct.Struct(order + letters) for letters in (("Q", "HHQ8s", "Q") if big else ("H", "HHL4s", "L"))
        )

    @classmethod
    def at(cls, content: bytes) -> Self | None:
        """The TIFF with this content; None if it doesn't start like one."""
        order = {b"II": "<", b"MM": ">"}.get(content[:2])
        return cls(content, order, big=43 in content[2:4]) if order and len(content) >= 8 else None

    @property
    def first(self) -> int:
        """The place of the first directory."""
        return self._place_at(8 if self.big else 4)

    def directory(self, place: int) -> Directory | None:
        """The directory at this place; None if there is none. What lies beyond the end of the file is left out."""
        if not 8 <= place <= len(self.content) - self._count.size:
            return None
        (count,) = self._count.unpack_from(self.content, place)
        start, size = place + self._count.size, self._entry.size
        whole = min(count, MOST_ENTRIES, (len(self.content) - start) // size)
        rows = self._entry.iter_unpack(memoryview(self.content)[start : start + whole * size])
        return Directory({tag: Entry(*rest) for tag, *rest in rows}, self._place_at(start + count * size))

    def numbers(self, entry: Entry | None, most: int = 64) -> tuple[int, ...]:
        """The first values of an entry; none if they are not whole numbers, or lie beyond the end of the file."""
        if entry is None or entry.kind not in NUMBERS:
            return ()
        values = struct.Struct(self.order + NUMBERS[entry.kind] * min(entry.number, most))
        if struct.calcsize(self.order + NUMBERS[entry.kind]) * entry.number <= len(entry.field):
            return values.unpack_from(entry.field)
        (place,) = self._place.unpack(entry.field)
        return values.unpack_from(self.content, place) if place + values.size <= len(self.content) else ()

    def directories(self) -> Iterator[Directory]:
        """All directories of pictures: first the chain of pages, then what each page has below it."""
        waiting, seen = [self.first], set[int]()
        below: list[int] = []
        while (waiting or below) and len(seen) < MOST_DIRECTORIES:
            place = waiting.pop() if waiting else below.pop(0)
            found = self.directory(place)
            if found is None or place in seen:
                continue
            seen.add(place)
            yield found
            waiting.append(found.next)
            below += self.numbers(found.entries.get(SUB_DIRECTORIES))

    def with_directory(self, entries: dict[int, Entry]) -> bytes:
        """The content as a TIFF of 32-bit places, with another directory, at its end, as the only one."""
        added = bytearray(len(self.content) % 2)
        rows = [self._short_entry(tag, entry, added) for tag, entry in sorted(entries.items())]
        place = len(self.content) + len(added)
        folder = struct.pack(self.order + "H", len(rows)) + b"".join(rows) + bytes(4)
        head = (b"II" if self.order == "<" else b"MM") + struct.pack(self.order + "HL", 42, place)
        return b"".join((head, memoryview(self.content)[len(head) :], added, folder))

    def _short_entry(self, tag: int, entry: Entry, added: bytearray) -> bytes:
        """An entry of twelve bytes; values that had room in a longer one go to `added`, behind the content."""
        size = entry.number * TYPE_BYTES.get(entry.kind, 1)
        field = entry.field
        if 4 < size <= len(field):
            field = struct.pack(self.order + "L", len(self.content) + len(added))
            added += entry.field
        elif size > 4 and self.big:
            field = struct.pack(self.order + "L", min(self._place.unpack(field)[0], 2**32 - 1))
        return struct.pack(self.order + "HHL4s", tag, entry.kind, min(entry.number, 2**32 - 1), field)

    def _place_at(self, where: int) -> int:
        field = self.content[where : where + self._place.size]
        return int(self._place.unpack(field)[0]) if len(field) == self._place.size else 0


def orientation_of(exif: bytes) -> int | None:
    """The orientation in EXIF, 1 to 8; 1 for any other value, None if there is none."""
    tiff = Tiff.at(exif.removeprefix(b"Exif\0\0"))
    directory = tiff.directory(tiff.first) if tiff else None
    entry = directory.entries.get(ORIENTATION) if directory else None
    return orientation_in(tiff, entry) if tiff and entry else None


def orientation_in(tiff: Tiff, entry: Entry | None) -> int:
    """The orientation that an entry says, 1 to 8; 1, not turned, for anything else."""
    values = tiff.numbers(entry) if entry and entry.kind in (3, 4) and entry.number == 1 else ()
    return values[0] if values and 1 <= values[0] <= 8 else 1
