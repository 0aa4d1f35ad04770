"""What runs in a decoder: pictures in, pixels out, one after another until its owner closes the connection.

Neither a signal for its owner nor the owner's death leaves it behind: it ends when the connection does, and the picture
that it is at has limited time.
"""

import io
import json
import resource
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from PIL import Image

from trainer.decoding.images import decode_image, read_image, resize, shrunk
from trainer.decoding.inspection import inspect_image
from trainer.decoding.limits import TOO_MUCH_MEMORY, Limits
from trainer.decoding.messages import Channel, Message
from trainer.decoding.perceptual_hash import look_of
from trainer.errors import ImageRefused

SECOND_TIME = 4
"""A picture that was read once within the limits is given so many times as long, lest chance fail the job."""


def main(file_number: int, limits: str) -> None:
    """Answers what comes over the socket of that number; `limits` are the fields of a Limits as JSON."""
    channel = Channel(socket.socket(fileno=file_number))
    decoder = Decoder(Limits(**json.loads(limits)))
    with suppress(EOFError, OSError):
        channel.send(Message({"ready": True}))
        while True:
            channel.send(decoder.answer(channel.receive()))


class Decoder:
    """Decodes within limits: a picture that is too dear for them ends the process by SIGPROF, or is refused."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._times = 1
        Image.init()
        look_of(Image.new("L", (1, 1)))  # loads what the first picture would otherwise pay for
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGPROF])
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if sys.platform == "linux":
            _limit_memory(limits.memory)

    def answer(self, request: Message) -> Message:
        """The picture as it was asked for, or why it is refused."""
        self._times = SECOND_TIME if request.says["as"] == "shrunk" else 1
        signal.setitimer(signal.ITIMER_PROF, self._times * self._limits.seconds)
        try:
            return self._decoded(request)
        except ImageRefused as refusal:
            return Message({"refused": str(refusal)})
        except MemoryError:
            return Message({"refused": TOO_MUCH_MEMORY})
        except Exception as error:  # noqa: BLE001 - what decoders of hostile files raise has no end
            return Message({"refused": f"damaged: {error or type(error).__name__}"})
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    def _decoded(self, request: Message) -> Message:
        says: dict[str, Any] = request.says
        path = Path(says["path"]) if says["path"] is not None else None
        if says["as"] == "photo" and path:
            photo = inspect_image(path, says["sizes"], self._opened)
            facts = {"digest": photo.digest, "look": photo.look.hex(), "longer_side": photo.longer_side}
            return Message(facts, [pixels.data.cast("B") for pixels in photo.pixels.values()])
        if says["as"] == "shrunk" and path:
            return Message({}, [shrunk(path, says["sizes"][0], self._opened)])
        image = read_image(path, self._opened) if path else decode_image(io.BytesIO(request.pieces[0]), self._opened)
        return Message({}, [resize(image, size).data.cast("B") for size in says["sizes"]])

    def _opened(self, image: Image.Image) -> None:
        more = self._times * self._limits.seconds_per_megapixel * image.width * image.height / 1e6
        signal.setitimer(signal.ITIMER_PROF, signal.getitimer(signal.ITIMER_PROF)[0] + more)


def _limit_memory(allowance: int) -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + allowance
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    with suppress(OSError):  # where memory runs out all the same, the kernel ends a decoder rather than its owner
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
