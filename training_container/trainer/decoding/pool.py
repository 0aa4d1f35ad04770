"""Decoder processes side by side: prepare, predict and serve read every image through them."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from queue import LifoQueue
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np

from trainer.decoding.images import DECODERS
from trainer.decoding.inspection import NOTHING_SHRUNK, Inspection, Shrinking
from trainer.decoding.limits import DEFAULT_LIMITS, PIXELS_AT_ONCE, DecodingLimits
from trainer.decoding.messages import DecoderMessage
from trainer.decoding.pixel_budget import PixelBudget
from trainer.decoding.process import DecoderProcess
from trainer.errors import DecodersClosed, ImageRefused
from trainer.types import Pixels

Source = TypeVar("Source")
Result = TypeVar("Result")


class DecoderPool:
    """Decoder processes, each started when it is first needed.

    An image that can't be used, or that exceeds the limits, gives an ImageRefused in its place; the others are read.
    Raises DecoderFailed if no process can be started, and DecodersClosed once `close` was called.
    """

    def __init__(self, limits: DecodingLimits = DEFAULT_LIMITS, count: int = DECODERS) -> None:
        budget = PixelBudget(PIXELS_AT_ONCE)
        self._processes = [DecoderProcess(limits, budget) for _ in range(count)]
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
        """Starts all processes now."""
        list(self._threads.map(DecoderProcess.start, self._processes))

    def inspections(
        self, paths: Iterable[Path], sizes: Iterable[int], shrinking: Shrinking = NOTHING_SHRUNK
    ) -> Iterator[Inspection | ImageRefused]:
        """The inspection of the image at each path, in their order, with squares of all `sizes` in pixels."""
        sides = list(sizes)

        def inspection(path: Path) -> Inspection:
            fields, (shrunk, *payloads) = self._ask("inspection", path, sides, shrinking)
            pixels = {side: _square(payload, side) for side, payload in zip(sides, payloads, strict=True)}
            image_hash, thumbnail = (bytes.fromhex(fields[name]) for name in ("perceptual_hash", "thumbnail"))
            notices, ways = (tuple(map(str, fields[name])) for name in ("notices", "saved_as"))
            side = int(fields["longer_side"])
            return Inspection(str(fields["digest"]), image_hash, thumbnail, side, pixels, notices, ways, bytes(shrunk))

        return self._each(inspection, paths)

    def pixels(self, sources: Iterable[Path | bytes], size: int) -> Iterator[Pixels | ImageRefused]:
        """Images, each a path or the content of a file, as squares (size, size, 3), in their order."""

        def pixels(source: Path | bytes) -> Pixels:
            _, (payload,) = self._ask("pixels", source, [size])
            return _square(payload, size)

        return self._each(pixels, sources)

    def close(self) -> None:
        """Kills all processes, busy or not."""
        self._closed = True
        for process in self._processes:
            process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            process.end(at_once=True)

    def _each(self, read: Callable[[Source], Result], sources: Iterable[Source]) -> Iterator[Result | ImageRefused]:
        def read_or_refusal(source: Source) -> Result | ImageRefused:
            try:
                return read(source)
            except ImageRefused as refusal:
                return refusal

        try:
            yield from self._threads.map(read_or_refusal, sources)
        except (CancelledError, RuntimeError) as error:
            if self._closed:
                raise DecodersClosed("No more images are decoded.") from error
            raise

    def _ask(
        self, wanted: str, source: Path | bytes, sizes: list[int], shrinking: Shrinking = NOTHING_SHRUNK
    ) -> DecoderMessage:
        path = str(source.absolute()) if isinstance(source, Path) else None
        content = [source] if isinstance(source, bytes) else []
        process = self._idle.get()
        try:
            return process.ask(
                DecoderMessage({"as": wanted, "path": path, "sizes": sizes, "shrinking": shrinking}, content)
            )
        finally:
            self._idle.put(process)


def _square(pixels: Any, side: int) -> Pixels:
    return np.frombuffer(pixels, np.uint8).reshape(side, side, 3)
