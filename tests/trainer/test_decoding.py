"""Decoders refuse costly images in time, read the others, and leave no process behind."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.children import run
from tests.trainer.conftest import CONTAINER, run_script
from tests.trainer.costly_pictures import COMMENT, LARGE, SLOW, jpeg_with, saved
from tests.trainer.painting import paint
from tests.waiting import PATIENCE, time_spent, wait_for
from trainer.decoding.images import resize
from trainer.decoding.inspection import Inspection, inspect_image
from trainer.decoding.limits import TOO_LONG, DecodingLimits
from trainer.decoding.messages import DecoderMessage
from trainer.decoding.pool import DecoderPool
from trainer.decoding.process import DecoderProcess
from trainer.errors import DecoderFailed, DecodersClosed, ImageRefused
from trainer.preparation.survey import inspections

STRICT = DecodingLimits(seconds=0.15, seconds_per_megapixel=0)
NARROW = DecodingLimits(memory=40_000_000, memory_per_pixel=0)
ENDLESS = DecodingLimits(seconds=1000)
STARTED = 1.5
"""Seconds of processor time: more than a decoder takes to start, and less than an endless image."""


@pytest.fixture(scope="module")
def strict() -> Iterator[DecoderPool]:
    with DecoderPool(STRICT, count=2) as decoders:
        yield decoders


@pytest.fixture(scope="module")
def narrow() -> Iterator[DecoderPool]:
    with DecoderPool(NARROW, count=1) as decoders:
        yield decoders


@pytest.fixture(scope="module")
def endless() -> bytes:
    """An image that takes longer to decode than any test."""
    return jpeg_with(COMMENT, 12_000_000)


def picture(seed: int = 1) -> bytes:
    return saved(paint((90, 140, 60), seed), "PNG")


def reasons(read: object) -> list[str]:
    assert isinstance(read, list)
    return [str(one) if isinstance(one, ImageRefused) else "" for one in read]


@pytest.mark.parametrize("name", SLOW)
def test_an_image_over_the_time_limit_is_refused_and_others_are_read(name: str, strict: DecoderPool) -> None:
    read = list(strict.pixels([picture(1), SLOW[name](), picture(2)], 16))
    assert reasons(read) == ["", TOO_LONG, ""]
    for seed, pixels in ((1, read[0]), (2, read[2])):
        assert np.array_equal(np.asarray(pixels), resize(paint((90, 140, 60), seed), 16))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel does not limit a process's memory")
@pytest.mark.parametrize("name", LARGE)
def test_an_image_over_the_memory_limit_is_refused_and_others_are_read(name: str, narrow: DecoderPool) -> None:
    before, refused, after = reasons(list(narrow.pixels([picture(), LARGE[name](), picture()], 16)))
    assert (before, after) == ("", "")
    assert "more memory than an image of its size should" in refused or "damaged" in refused


def test_decoders_read_the_same_as_one_process(decoders: DecoderPool, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"line\nfeed \xff \xc3\xa4.png")
    odd.write_bytes(picture())
    (photo, refusal) = decoders.inspections([odd, tmp_path / "missing.png"], [32, 16])
    expected = inspect_image(odd, [32, 16])
    assert not isinstance(photo, ImageRefused)
    assert photo[:3] == expected[:3]
    assert all(np.array_equal(photo.pixels[size], expected.pixels[size]) for size in (32, 16))
    assert reasons([refusal]) == ["no such file"]


def test_costly_images_are_refused_and_the_others_kept(strict: DecoderPool, tmp_path: Path) -> None:
    files = [f"Maize/{name}.png" for name in ("a", "b", "c")]
    (tmp_path / "Maize").mkdir()
    for file in files:
        (tmp_path / file).write_bytes(picture())
    (tmp_path / files[1]).write_bytes(SLOW["PNG of many texts"]())
    (first, found), (second, refusal), (third, _) = inspections(tmp_path, files, {16}, strict)
    assert [first, second, third] == files
    assert reasons([refusal]) == [TOO_LONG]
    assert isinstance(found, Inspection)
    assert np.array_equal(found.pixels[16], resize(paint((90, 140, 60), 1), 16))


class Asked:
    """A decoder that decodes an endless image in its own thread."""

    def __init__(self, content: bytes, limits: DecodingLimits = ENDLESS) -> None:
        self._threads = ThreadPoolExecutor(1)
        self.decoder = DecoderProcess(limits)
        self.decoder.start()
        self.answer: Future[DecoderMessage] = self._threads.submit(
            self.decoder.ask, DecoderMessage({"as": "pixels", "path": None, "sizes": [16]}, [content])
        )

    def process(self) -> psutil.Process:
        """The process, once it is decoding the image."""

        def working() -> list[psutil.Process]:
            children = [child for child in psutil.Process().children() if child.pid == self.decoder.pid]
            return [child for child in children if time_spent(child.pid) > STARTED]

        (child,) = wait_for(working, "a decoder at work", lambda: time_spent(self.decoder.pid or 0))
        assert isinstance(child, psutil.Process)
        return child

    def close(self) -> None:
        self.decoder.kill()
        self._threads.shutdown()
        self.decoder.end(at_once=True)


@pytest.fixture
def asked() -> Iterator[Callable[..., Asked]]:
    made: list[Asked] = []

    def ask(content: bytes, limits: DecodingLimits = ENDLESS) -> Asked:
        made.append(Asked(content, limits))
        return made[-1]

    yield ask
    for one in made:
        one.close()


def test_an_image_that_kills_two_decoders_is_refused(asked: Callable[..., Asked], endless: bytes) -> None:
    hopeless = asked(endless)
    first = hopeless.process()
    first.kill()
    first.wait(PATIENCE)
    second = hopeless.process()
    assert second.pid != first.pid
    second.kill()
    with pytest.raises(ImageRefused, match="its decoder was killed, probably because memory ran out"):
        hopeless.answer.result(PATIENCE)


def test_a_decoder_that_was_killed_while_idle_is_replaced() -> None:
    decoder, request = (
        DecoderProcess(ENDLESS),
        DecoderMessage({"as": "pixels", "path": None, "sizes": [16]}, [picture()]),
    )
    answers = [decoder.ask(request)]
    psutil.Process(decoder.pid).kill()
    answers.append(decoder.ask(request))
    decoder.end(at_once=True)
    assert answers[0] == answers[1]


def test_a_decoder_that_does_not_answer_is_given_up(asked: Callable[..., Asked], endless: bytes) -> None:
    stopped = asked(endless, DecodingLimits(seconds=1000, timeout=1))
    with pytest.raises(ImageRefused, match="not decoded within 1 seconds"):
        stopped.answer.result(PATIENCE)


def test_closing_ends_decoding_in_progress(asked: Callable[..., Asked], endless: bytes) -> None:
    closed = asked(endless)
    child = closed.process()
    closed.decoder.kill()
    with pytest.raises(DecodersClosed):
        closed.answer.result(PATIENCE)
    assert not child.is_running()


def test_a_decoder_ignores_signals_for_the_process_group(asked: Callable[..., Asked], endless: bytes) -> None:
    working = asked(endless)
    child = working.process()
    child.send_signal(signal.SIGINT)
    child.send_signal(signal.SIGTERM)
    spent = time_spent(child.pid)
    wait_for(lambda: time_spent(child.pid) > spent or working.answer.done(), "a decoder that works on")
    assert not working.answer.done()


OWNER = """
import os, sys
from trainer.decoding.pool import DecoderPool
decoders = DecoderPool(count=2)
decoders.start()
os.kill(os.getpid(), 9)
"""


def test_no_decoder_outlives_its_owner() -> None:
    owner = run([sys.executable, "-c", OWNER], env={**os.environ, "PYTHONPATH": str(CONTAINER)})
    # The decoders share its standard error, so reading it to the end waits for them.
    assert (owner.returncode, owner.stderr) == (-signal.SIGKILL, "")


LOOK_AROUND = """
import sys
sys.path.remove("")
from pathlib import Path
from trainer.decoding.pool import DecoderPool
with DecoderPool(count=1) as decoders:
    print(*decoders.pixels([Path("picture.png")], 1))
"""


def test_a_decoder_does_not_load_modules_from_the_current_folder(tmp_path: Path) -> None:
    for name in ("PIL", "numpy", "json", "socket", "trainer"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('loaded')")
    saved_white = saved(paint((255, 255, 255), 1).point(lambda _: 255), "PNG")
    (tmp_path / "picture.png").write_bytes(saved_white)
    assert run_script(LOOK_AROUND, tmp_path, PYTHONSAFEPATH="") == "[[[255 255 255]]]\n"


def test_a_job_without_decoders_fails_instead_of_refusing_all_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with DecoderPool(count=1) as decoders, pytest.raises(DecoderFailed, match="could not be started"):
        list(decoders.pixels([picture()], 16))
