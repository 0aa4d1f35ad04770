"""Room reserved for a full disk: a file that is deleted when it is needed."""

from pathlib import Path

from ..sagemaker.disk import MIB, Disk

LARGEST = 16 * MIB


class Reserve:
    """A file of a quarter of the disk's floor, at most 16 MiB.

    On a disk with no free room no function could start, so the API could not answer, and no e-mail could be stored.
    """

    def __init__(self, path: Path, disk: Disk) -> None:
        self._path = path
        self._disk = disk
        self._size = min(LARGEST, disk.floor // 4)

    def adjust(self) -> None:
        """Delete the file if less than its size is free; create it again if there is room. Raises OSError."""
        if self._disk.free() < self._size:
            self._path.unlink(missing_ok=True)
        elif not self._disk.is_short() and not self._path.exists():
            self._path.write_bytes(bytes(self._size))
