"""The objects of a transform job: sent in their order, several payloads at once, and each answer written once."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from ..errors import JobFailure
from ..full_disk import DiskRetry
from ..kinds import Body
from ..s3.cache import S3Object
from ..s3.find import FoundObject
from ..s3.transfer import DataTransfer
from .parameters import Parameters
from .payloads import payloads, uri_of
from .sender import Sender

OVER = "the container has ended"


class Output:
    """What becomes of one object. name: of what is uploaded. fault: why nothing is."""

    def __init__(self, item: S3Object, name: str, path: Path) -> None:
        self.item = item
        self.name = name
        self.path = path
        self.fault = ""
        path.write_bytes(b"")

    def add(self, answer: bytes, end: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(answer + end)

    def fail(self, failure: JobFailure) -> None:
        said = str(failure)
        self.fault = self.fault or (said if said.startswith("ClientError") else f"{uri_of(self.item)}: {said}")


class Objects:
    """Sends objects, and uploads what was answered of each that was answered whole. body: the job's record."""

    def __init__(
        self,
        body: Body,
        sender: Sender,
        parameters: Parameters,
        transfer: DataTransfer,
        disk_retry: DiskRetry,
    ) -> None:
        self._source, self._target = body["TransformInput"], body["TransformOutput"]
        self._sender = sender
        self._parameters = parameters
        self._transfer = transfer
        self._disk_retry = disk_retry
        self._end = b"\n" if self._target["AssembleWith"] == "Line" else b""
        self._pending: deque[tuple[Output, Future[bytes] | None]] = deque()
        self._fault = ""

    def send(self, found: Sequence[FoundObject], folder: Path) -> str:
        """Why the first of the objects that failed did; empty if none has. folder: for answers before their upload."""
        folder.mkdir(parents=True)
        unsent = ""
        with ThreadPoolExecutor(self._sender.calls, thread_name_prefix="sagemaker-transform") as threads:
            try:
                for number, (item, name) in enumerate(found):
                    if self._sender.is_over:
                        unsent = f"{uri_of(item)}: {OVER}"
                        break
                    self._send(Output(item, f"{name}.out", folder / str(number)), threads)
                while self._pending:
                    self._settle()
            finally:
                self._sender.close()
        return self._fault or unsent

    def _send(self, output: Output, threads: ThreadPoolExecutor) -> None:
        try:
            for payload in payloads(output.item, self._source, self._parameters, self._transfer.reader):
                while len(self._pending) >= self._sender.calls:
                    self._settle()
                if self._sender.is_over:
                    output.fail(JobFailure(OVER))
                if output.fault:
                    break
                self._pending.append((output, threads.submit(self._sender.send, payload)))
        except JobFailure as failure:
            output.fail(failure)
        self._pending.append((output, None))

    def _settle(self) -> None:
        """Writes the answer that is the next in order; after an object's last one uploads them all."""
        output, answer = self._pending.popleft()
        try:
            if answer is not None:
                output.add(answer.result(), self._end)
                return
            if not output.fault:
                self._disk_retry.until_done(partial(self._upload, output))
        except JobFailure as failure:
            output.fail(failure)
        if answer is None:
            output.path.unlink()
        self._fault = self._fault or output.fault

    def _upload(self, output: Output) -> None:
        place = self._target["S3OutputPath"]
        (error,) = self._transfer.upload_files([(output.path, output.name)], place)
        if error is not None:
            raise JobFailure(f"ClientError: Data upload to '{place}' failed: {error}") from error
