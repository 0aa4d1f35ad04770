"""The code of a decoder process: it decodes one image after another until its owner closes the connection.

It ignores signals that are meant for its owner, and ends with the connection, also if its owner was killed: the image
in progress has limited time.
"""

import io
import json
import resource
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from PIL import Image

from trainer.decoding.images import DAMAGED, decode_image, read_image, resize
from trainer.decoding.inspection import Shrinking, inspect_image
from trainer.decoding.limits import LARGE_PIXELS, TOO_MUCH_MEMORY, DecodingLimits
from trainer.decoding.messages import Connection, DecoderMessage
from trainer.decoding.perceptual_hash import perceptual_hash
from trainer.errors import ImageRefused

NO_LIMIT = 1 << 62


def main(file_number: int, limits: str) -> None:
    """Answers requests on the socket with this file number; `limits` holds the fields of a DecodingLimits as JSON."""
    connection = Connection(socket.socket(fileno=file_number))

    def wait_for_room(pixels: int) -> None:
        connection.send(DecoderMessage({"pixels": pixels}))
        connection.receive()

    decoder = Decoder(DecodingLimits(**json.loads(limits)), wait_for_room)
    with suppress(EOFError, OSError):
        connection.send(DecoderMessage({"ready": True}))
        while True:
            connection.send(decoder.answer(connection.receive()))


class Decoder:
    """Decodes within limits: an image that takes too long ends the process by SIGPROF; too much memory is refused."""

    def __init__(self, limits: DecodingLimits, wait_for_room: Callable[[int], None]) -> None:
        self._limits = limits
        self._wait_for_room = wait_for_room
        Image.init()
        self._inspects = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGPROF])
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        self._at_start = _address_space()
        self._memory = 0
        with suppress(OSError):  # if memory runs out anyway, the kernel kills a decoder rather than its owner
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")

    def answer(self, request: DecoderMessage) -> DecoderMessage:
        """The image in the requested form, or the reason why it is refused."""
        if request.fields["as"] == "inspection" and not self._inspects:
            self._load_inspection()
        self._memory = self._at_start + self._limits.memory + 2 * _file_bytes(request)
        _limit_memory(self._memory)
        signal.setitimer(signal.ITIMER_PROF, self._limits.seconds)
        try:
            return self._decoded(request)
        except ImageRefused as refusal:
            return _refused(str(refusal), refusal.is_image)
        except MemoryError:
            return _refused(TOO_MUCH_MEMORY, is_image=True)
        except Exception:  # noqa: BLE001 - decoders raise anything on hostile files
            return _refused(DAMAGED)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    def _load_inspection(self) -> None:
        """Loads what only an inspection needs, outside the first image's limits of time and memory."""
        _limit_memory(NO_LIMIT)
        before = _address_space()
        perceptual_hash(Image.new("L", (1, 1)))
        self._at_start += _address_space() - before
        self._inspects = True

    def _decoded(self, request: DecoderMessage) -> DecoderMessage:
        fields: dict[str, Any] = request.fields
        path = Path(fields["path"]) if fields["path"] is not None else None
        if fields["as"] == "inspection" and path:
            found = inspect_image(path, fields["sizes"], self._allow, Shrinking(*fields["shrinking"]))
            facts = {
                "digest": found.digest,
                "perceptual_hash": found.perceptual_hash.hex(),
                "thumbnail": found.thumbnail.hex(),
                "longer_side": found.longer_side,
                "notices": found.notices,
                "saved_as": found.saved_as,
            }
            return DecoderMessage(facts, [found.shrunk, *(pixels.data.cast("B") for pixels in found.pixels.values())])
        image = read_image(path, self._allow) if path else decode_image(io.BytesIO(request.payloads[0]), self._allow)
        return DecoderMessage({}, [resize(image, size).data.cast("B") for size in fields["sizes"]])

    def _allow(self, pixels: int) -> None:
        """Allows the image the time and memory of its size; a large one waits until there is room for it."""
        if pixels > self._limits.pixels:
            raise ImageRefused(f"too large: at most {self._limits.pixels // 1_000_000} megapixels are read here")
        if pixels > LARGE_PIXELS:
            self._wait_for_room(pixels)
        _limit_memory(self._memory + pixels * self._limits.memory_per_pixel)
        more = self._limits.seconds_per_megapixel * pixels / 1e6
        signal.setitimer(signal.ITIMER_PROF, signal.getitimer(signal.ITIMER_PROF)[0] + more)


def _refused(reason: str, is_image: bool | None = None) -> DecoderMessage:
    return DecoderMessage({"refused": reason, "is_image": is_image})


def _file_bytes(request: DecoderMessage) -> int:
    path = request.fields["path"]
    with suppress(OSError):
        return Path(path).stat().st_size if path is not None else len(request.payloads[0])
    return 0


def _address_space() -> int:
    """Bytes that the process has now; 0 where the kernel neither says so nor limits it."""
    if sys.platform != "linux":
        return 0
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()


def _limit_memory(most: int) -> None:
    if sys.platform == "linux":
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
