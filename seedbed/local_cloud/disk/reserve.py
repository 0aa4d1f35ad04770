"""Room that is kept free for the worst: a file that is given up where the disk is full."""

from pathlib import Path

from ..sagemaker.disk import MIB, Disk

LARGEST = 16 * MIB


class Reserve:
    """A file of a quarter of the disk's floor, 16 MiB at most.

    While nothing at all is free no function can begin, so nobody could ask for anything, and no e-mail can be kept.
    """

    def __init__(self, path: Path, disk: Disk) -> None:
        self._path = path
        self._disk = disk
        self._size = min(LARGEST, disk.floor // 4)

    def look(self) -> None:
        """Give the room up where less than that is free, take it again where there is plenty. Raises OSError."""
        if self._disk.free() < self._size:
            self._path.unlink(missing_ok=True)
        elif not self._disk.is_short() and not self._path.exists():
            self._path.write_bytes(bytes(self._size))
