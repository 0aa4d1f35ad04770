"""Pipe mode: a channel's content, written to a job's named pipes while it runs, one pipe for each epoch."""

import contextlib
import errno
import os
import select
import stat
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from ..errors import JobFailure

CHECK_SECONDS = 0.05
CHECK_MILLISECONDS = 200


class Feed:
    """The pipes NAME_0, NAME_1, … of one channel on one host. Call `begin` before the job's start, then `work`.

    folder: where they are. content: the bytes of an epoch, in parts, which are read only as fast as the job reads them;
    it may raise JobFailure. An epoch ends with its content, or when the job closes its pipe; the next pipe is there by
    then.
    """

    def __init__(self, folder: Path, name: str, content: Callable[[int], Iterable[bytes]]) -> None:
        self._name = name
        self._content = content
        self._place = folder
        self._folder = -1
        self._over = threading.Event()
        self.failure: Exception | None = None

    def begin(self) -> None:
        """Makes the first pipe. Raises OSError."""
        self._folder = os.open(self._place, os.O_RDONLY | os.O_DIRECTORY)  # the job may put another in its place
        self._make(0)

    def work(self, on_failure: Callable[[], None]) -> None:
        """Blocks until `close`. on_failure: called if the content can't be read."""
        try:
            epoch = 0
            while not self._over.is_set():
                self._feed(epoch)
                epoch += 1
        except Exception as error:  # noqa: BLE001  raised again in the job's own thread
            self.failure = error
            on_failure()
        finally:
            os.close(self._folder)

    def close(self) -> None:
        """Ends the work soon."""
        self._over.set()

    def _feed(self, epoch: int) -> None:
        pipe = self._open(epoch)
        if pipe is None:
            return
        try:
            self._make(epoch + 1)
            for part in self._content(epoch):
                self._write(pipe, part)
        except BrokenPipeError:
            pass  # the job needs no more of this epoch
        finally:
            os.close(pipe)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path(epoch), dir_fd=self._folder)

    def _open(self, epoch: int) -> int | None:
        """An epoch's pipe, once the job reads it; None at the end of the work, or if the job has taken it away."""
        while not self._over.wait(CHECK_SECONDS):
            try:
                pipe = os.open(self._path(epoch), os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW, dir_fd=self._folder)
            except OSError as error:
                if error.errno != errno.ENXIO:  # somebody will read it, but doesn't yet
                    self._over.set()
            else:
                if stat.S_ISFIFO(os.fstat(pipe).st_mode):
                    return pipe
                os.close(pipe)
                self._over.set()
        return None

    def _write(self, pipe: int, part: bytes) -> None:
        left = memoryview(part)
        ready = select.poll()
        ready.register(pipe, select.POLLOUT)
        while left:
            if self._over.is_set():
                raise BrokenPipeError
            with contextlib.suppress(BlockingIOError):
                left = left[os.write(pipe, left) :]
                continue
            ready.poll(CHECK_MILLISECONDS)

    def _make(self, epoch: int) -> None:
        with contextlib.suppress(FileExistsError):
            os.mkfifo(self._path(epoch), dir_fd=self._folder)

    def _path(self, epoch: int) -> str:
        return f"{self._name}_{epoch}"


@contextlib.contextmanager
def running(feeds: Sequence[Feed], on_failure: Callable[[], None]) -> Iterator[None]:
    """Feeds while the block runs. Raises JobFailure after it if a feed has failed."""
    for feed in feeds:
        feed.begin()
    threads = [
        threading.Thread(target=feed.work, args=(on_failure,), name="sagemaker-feed", daemon=True) for feed in feeds
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for feed in feeds:
            feed.close()
        for thread in threads:
            thread.join()
    for failure in (feed.failure for feed in feeds):
        if isinstance(failure, OSError):
            raise JobFailure(f"ClientError: Data download failed: a channel's pipe can't be made: {failure}")
        if failure is not None:
            raise failure
