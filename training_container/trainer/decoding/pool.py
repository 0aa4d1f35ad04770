"""Decoders side by side: what prepare, predict and serve read every picture with."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from queue import LifoQueue
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np

from trainer.decoding.images import DECODERS
from trainer.decoding.inspection import Inspection
from trainer.decoding.limits import LIMITS, Limits
from trainer.decoding.messages import Message, Piece
from trainer.decoding.process import DecoderProcess
from trainer.errors import DecodersClosed, ImageRefused
from trainer.types import Pixels

Picture = TypeVar("Picture")
Read = TypeVar("Read")


class Decoders:
    """Processes that decode, started as they are needed. A picture that can't be used is an ImageRefused in its place.

    Whatever a picture does, it costs no more than the limits, and the others are read. DecoderFailed where no process
    can be started, DecodersClosed where `close` ends the work.
    """

    def __init__(self, limits: Limits = LIMITS, count: int = DECODERS) -> None:
        self._processes = [DecoderProcess(limits) for _ in range(count)]
        self._idle: LifoQueue[DecoderProcess] = LifoQueue()
        for process in self._processes:
            self._idle.put(process)
        self._threads = ThreadPoolExecutor(count)
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def start(self) -> None:
        """Starts all processes, rather than each when it is needed first."""
        list(self._threads.map(DecoderProcess.start, self._processes))

    def photos(self, paths: Iterable[Path], sizes: Iterable[int]) -> Iterator[Inspection | ImageRefused]:
        """What `inspect_image` reads at each path, in their order."""
        sides = list(sizes)

        def photo(path: Path) -> Inspection:
            says, pieces = self._ask("photo", path, sides)
            pixels = {side: _square(piece, side) for side, piece in zip(sides, pieces, strict=True)}
            return Inspection(str(says["digest"]), bytes.fromhex(says["look"]), int(says["longer_side"]), pixels)

        return self._each(photo, paths)

    def pixels(self, pictures: Iterable[Path | bytes], size: int) -> Iterator[Pixels | ImageRefused]:
        """Pictures, each at a path or the content of a file, as squares (size, size, 3), in their order."""

        def pixels(picture: Path | bytes) -> Pixels:
            _, (piece,) = self._ask("pixels", picture, [size])
            return _square(piece, size)

        return self._each(pixels, pictures)

    def shrunk(self, paths: Iterable[Path], longest_side: int) -> Iterator[Piece | ImageRefused]:
        """What `shrunk` makes of the picture at each path, in their order."""

        def shrunk(path: Path) -> Piece:
            _, (piece,) = self._ask("shrunk", path, [longest_side])
            return piece

        return self._each(shrunk, paths)

    def close(self) -> None:
        """Ends all processes, whatever they are at."""
        self._closed = True
        for process in self._processes:
            process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            process.end(at_once=True)

    def _each(self, read: Callable[[Picture], Read], pictures: Iterable[Picture]) -> Iterator[Read | ImageRefused]:
        def read_or_refusal(picture: Picture) -> Read | ImageRefused:
            try:
                return read(picture)
            except ImageRefused as refusal:
                return refusal

        try:
            yield from self._threads.map(read_or_refusal, pictures)
        except (CancelledError, RuntimeError) as error:
            if self._closed:
                raise DecodersClosed("No more images are decoded.") from error
            raise

    def _ask(self, wanted: str, picture: Path | bytes, sizes: list[int]) -> Message:
        path = str(picture.absolute()) if isinstance(picture, Path) else None
        content = [picture] if isinstance(picture, bytes) else []
        process = self._idle.get()
        try:
            return process.ask(Message({"as": wanted, "path": path, "sizes": sizes}, content))
        finally:
            self._idle.put(process)


def _square(pixels: Any, side: int) -> Pixels:
    return np.frombuffer(pixels, np.uint8).reshape(side, side, 3)
