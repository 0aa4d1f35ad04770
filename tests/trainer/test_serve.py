"""The served model over real HTTP: answers, errors of clients, and shutdown by SIGTERM."""

import base64
import csv
import gzip
import io
import json
import os
import signal
import socket
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil
import pytest
from PIL import Image

from tests.children import said, started
from tests.trainer.conftest import CONTAINER
from tests.trainer.costly_pictures import COMMENT, jpeg_with
from tests.trainer.painting import paint
from tests.trainer.small_model import LABELS, SIZE, write_small_model
from tests.waiting import PATIENCE, time_spent, wait_for
from trainer.__main__ import main
from trainer.answering.request_images import MAX_IMAGES
from trainer.archive import WHOLE, read_model, write_archive
from trainer.decoding.images import resize
from trainer.inference.averaging import classify
from trainer.keras_loader import keras
from trainer.serve import MAX_BYTES, MAX_REQUESTS

# NumPy 2 warns of the way in which Keras 3.15 turns TensorFlow's variables into arrays.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

PNG = {"Content-Type": "image/png"}
JSON = {"Content-Type": "application/json"}


class Server(NamedTuple):
    """A process of `serve`, and where it listens."""

    process: "subprocess.Popen[str]"
    port: int

    def ask(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> tuple[int, str]:
        """Sends a request, and returns status and content of the answer."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def predictions(self, body: bytes, headers: dict[str, str]) -> list[dict[str, Any]]:
        """The predictions for usable images."""
        status, content = self.ask("POST", "/invocations", body, headers)
        assert status == 200, content
        found: list[dict[str, Any]] = json.loads(content)["predictions"]
        return found


VERB = ("-m", "trainer", "serve", "--host", "127.0.0.1", "--port", "0")
WITHOUT_LIMIT = """
import sys
from pathlib import Path
from trainer import serve
from trainer.decoding.limits import DecodingLimits
serve.DECODED_SECONDS = 1
serve.serve(Path(sys.argv[1]), "127.0.0.1", 0, DecodingLimits(seconds=1000))
"""


@contextmanager
def served(base: Path, *arguments: str, run: Sequence[str] = VERB) -> Iterator[Server]:
    with started(
        [sys.executable, *run, *arguments],
        cwd=CONTAINER,
        env={**os.environ, "SAGEMAKER_BASE_DIR": str(base)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        where = process.stdout.readline()
        assert where.startswith("serving at http://127.0.0.1:"), process.communicate()
        yield Server(process, int(where.rpartition(":")[2]))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in place of /opt/ml, with an extracted model."""
    base = tmp_path_factory.mktemp("hosting")
    write_small_model(base / "model")
    return base


@pytest.fixture(scope="module")
def server(base: Path) -> Iterator[Server]:
    with served(base) as server:
        yield server


def photo(seed: int) -> Image.Image:
    return paint((90, 140, 60), seed, side=40)


def png(seed: int) -> bytes:
    content = io.BytesIO()
    photo(seed).save(content, "PNG")
    return content.getvalue()


def request_of(images: list[bytes]) -> bytes:
    return json.dumps({"images": [base64.b64encode(image).decode() for image in images]}).encode()


def test_the_server_answers_pings_once_it_listens(server: Server) -> None:
    assert server.ask("GET", "/ping") == (200, "")


def test_the_environment_can_name_the_address_and_the_port(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    monkeypatch.setenv("SAGEMAKER_BIND_TO_PORT", str(port))
    monkeypatch.setenv("SEEDBED_BIND_TO_HOST", "127.0.0.1")

    with served(base, run=("-m", "trainer", "serve")) as server:
        assert server.port == port
        assert server.ask("GET", "/ping") == (200, "")


def test_an_image_gets_the_answer_averaged_over_the_models_views(base: Path, server: Server, tmp_path: Path) -> None:
    model = read_model(base / "model", WHOLE, tmp_path / "unused")
    pixels = resize(photo(1), SIZE)[np.newaxis]
    (expected,), (single,) = classify(model, pixels).probabilities, model.network.predict_on_batch(pixels)
    assert np.abs(expected - single).max() > 0.01

    (prediction,) = server.predictions(png(1), PNG)

    assert list(prediction["probabilities"]) == LABELS
    assert list(prediction["probabilities"].values()) == pytest.approx(expected.tolist(), abs=2e-6)
    assert prediction["label"] == LABELS[expected.argmax()]
    assert prediction["confidence"] == prediction["probabilities"][prediction["label"]]


def test_many_images_are_answered_in_their_order(server: Server) -> None:
    seeds = range(40)
    alone = [server.predictions(png(seed), PNG)[0] for seed in seeds]
    together = server.predictions(request_of([png(seed) for seed in seeds]), JSON)
    assert len({prediction["confidence"] for prediction in alone}) > 30
    assert [found["confidence"] for found in together] == pytest.approx([one["confidence"] for one in alone], abs=2e-6)


@pytest.mark.parametrize("accept", ["text/csv", "Text/CSV;q=0.9, application/json"])
def test_a_client_that_accepts_csv_gets_csv(accept: str, server: Server) -> None:
    body = request_of([png(seed) for seed in range(3)])
    status, content = server.ask("POST", "/invocations", body, {**JSON, "Accept": accept})
    expected = [(found["label"], f"{found['confidence']:.4f}", "") for found in server.predictions(body, JSON)]
    assert status == 200
    assert list(csv.reader(io.StringIO(content))) == [["label", "confidence", "sure"], *map(list, expected)]


@pytest.mark.parametrize("accept", ["*/*", "application/json, text/csv"])
def test_a_client_that_accepts_anything_gets_json(accept: str, server: Server) -> None:
    assert len(server.predictions(png(1), {**PNG, "Accept": accept})) == 1


@pytest.mark.parametrize(
    ("headers", "body", "status", "reason"),
    [
        (PNG, b"weeds", 400, "The image can't be used: not an image: a text file by its content."),
        (PNG, b"", 400, "The image can't be used: it is empty."),
        (PNG, png(1)[:-300], 400, "The image can't be used: damaged"),
        (JSON, request_of([png(1), png(2)[:90], png(3)]), 400, "Image 2 of 3 can't be used: damaged"),
        (JSON, request_of([png(1), png(2), b""]), 400, "Image 3 of 3 can't be used: it is empty."),
        (JSON, b'{"images": ["", "%%%"]}', 400, "Image 2 of 2 can't be used: it is not text in base64."),
        (JSON, b'{"images": [7]}', 400, "Image 1 of 1 can't be used: it is not text in base64."),
        (JSON, '{"images": ["ä"]}'.encode(), 400, "Image 1 of 1 can't be used: it is not text in base64."),
        (JSON, b'{"images": []}', 400, "at least one image"),
        (JSON, b'{"images": {"a": 1}}', 400, "at least one image"),
        (JSON, b"[]", 400, "at least one image"),
        (JSON, b'{"images": ', 400, "can't be read as JSON"),
        (JSON, b"\xff", 400, "can't be read as JSON"),
        (JSON, b"[" * 200_000, 400, "can't be read as JSON"),
        (JSON, b'{"images": [[' + b"[]," * 1_000_000 + b"[]]]}", 400, "it holds more than 10,000 values"),
        (JSON, request_of([b"x"] * (MAX_IMAGES + 1)), 400, f"at most {MAX_IMAGES}"),
        ({"Content-Type": "application/zip"}, b"PK", 415, "'application/zip' is not supported"),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x--", 400, "The form holds no file"),
        ({"Content-Encoding": "br"}, png(1), 415, "'br' is not supported"),
        ({"Content-Encoding": "gzip"}, gzip.compress(png(1))[:-9], 400, "The body can't be decompressed"),
        ({"Content-Encoding": "gzip"}, gzip.compress(bytes(MAX_BYTES + 1)), 413, "once decompressed"),
    ],
)
def test_an_unusable_request_is_refused_with_its_reason(
    headers: dict[str, str], body: bytes, status: int, reason: str, server: Server
) -> None:
    found, content = server.ask("POST", "/invocations", body, headers)
    assert found == status
    assert reason in json.loads(content)["message"]


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/invocations", 405), ("POST", "/ping", 405), ("GET", "/", 404)]
)
def test_other_routes_are_refused_in_json_too(method: str, path: str, status: int, server: Server) -> None:
    found, content = server.ask(method, path)
    assert found == status
    assert json.loads(content)["message"]


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "deflate", "identity"])
def test_a_compressed_body_is_read(encoding: str, server: Server) -> None:
    bodies = {"deflate": zlib.compress(png(1)), "identity": png(1)}
    body = bodies.get(encoding, gzip.compress(png(1)))
    assert len(server.predictions(body, {**PNG, "Content-Encoding": encoding})) == 1


def test_a_body_up_to_the_limit_is_read_and_a_larger_one_refused(server: Server) -> None:
    largest = png(1).ljust(MAX_BYTES, b"\0")
    assert len(server.predictions(largest, PNG)) == 1
    status, content = server.ask("POST", "/invocations", largest + b"\0", PNG)
    assert status == 413
    assert "larger than 26,214,400 bytes" in json.loads(content)["message"]


class HalfSent:
    """A request whose headers are sent, and whose body the server is waiting for."""

    def __init__(self, port: int, body: bytes) -> None:
        self._body = body
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        head = f"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        self._socket.sendall(f"{head}Content-Type: image/png\r\nExpect: 100-continue\r\n\r\n".encode())
        expected = b"HTTP/1.1 100 Continue\r\n\r\n"
        received = b""
        while len(received) < len(expected):
            received += self._socket.recv(len(expected) - len(received)) or b"?" * len(expected)
        assert received == expected

    def finish(self) -> int:
        """Sends the body, and returns the status of the answer."""
        self._socket.sendall(self._body)
        answer = HTTPResponse(self._socket)
        answer.begin()
        answer.read()
        answer.close()
        self.give_up()
        return answer.status

    def give_up(self) -> None:
        self._socket.close()


def test_requests_beyond_the_limit_are_refused_and_pings_answered(server: Server) -> None:
    with ExitStack() as stack:
        held = [HalfSent(server.port, png(seed)) for seed in range(MAX_REQUESTS)]
        for request in held:
            stack.callback(request.give_up)

        status, content = server.ask("POST", "/invocations", png(9), PNG)

        assert status == 503
        assert "8 requests are being answered already" in json.loads(content)["message"]
        assert server.ask("GET", "/ping") == (200, "")
        assert [request.finish() for request in held] == [200] * MAX_REQUESTS
    assert len(server.predictions(png(9), PNG)) == 1


def test_a_client_that_disconnects_frees_its_place(server: Server) -> None:
    for _ in range(MAX_REQUESTS):
        HalfSent(server.port, png(1)).give_up()

    def status() -> int:
        return server.ask("POST", "/invocations", png(1), PNG)[0]

    wait_for(lambda: status() != 503, "a place")
    assert status() == 200


def refuses_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
    except ConnectionError:
        return True
    return False


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_the_server_answers_accepted_requests_before_it_ends(end: signal.Signals, base: Path, tmp_path: Path) -> None:
    archive = tmp_path / "model.tar.gz"
    write_archive(archive, (base / "model").iterdir())
    with served(tmp_path / "empty", "--model", str(archive)) as server:
        request = HalfSent(server.port, png(1))
        server.process.send_signal(end)
        wait_for(lambda: refuses_connections(server.port), "a server that takes no more requests")
        assert request.finish() == 200
        assert said(server.process) == ("", "")
        assert server.process.returncode == 0


def test_other_requests_are_answered_during_decoding_and_sigterm_ends_it(base: Path) -> None:
    endless = jpeg_with(COMMENT, 6_000_000)
    with (
        served(base, str(base / "model"), run=("-c", WITHOUT_LIMIT)) as server,
        ThreadPoolExecutor(1) as threads,
    ):
        decoders = psutil.Process(server.process.pid).children()
        before = [time_spent(decoder.pid) for decoder in decoders]
        pending = threads.submit(server.ask, "POST", "/invocations", endless, PNG)

        def spent() -> list[float]:
            return [time_spent(decoder.pid) - then for decoder, then in zip(decoders, before, strict=True)]

        wait_for(lambda: max(spent()) > 0.3 or pending.done(), "a decoder at work", spent)

        assert server.ask("GET", "/ping") == (200, "")
        assert len(server.predictions(request_of([png(seed) for seed in range(20)]), JSON)) == 20
        assert not pending.done()

        server.process.send_signal(signal.SIGTERM)
        assert said(server.process) == ("", "")
        assert server.process.returncode == 0
        assert not any(decoder.is_running() for decoder in decoders)
        assert pending.result(PATIENCE) == (503, '{"message":"No more images are decoded."}')


@pytest.fixture
def refusal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Returns the message of the verb if it can't serve the model of a base directory."""

    def of(base: Path, port: int = 0) -> str:
        monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(base))
        assert main(["serve", "--host", "127.0.0.1", "--port", str(port)]) == 1
        return capsys.readouterr().err

    return of


def test_a_missing_model_is_named_and_leaves_no_job_message(tmp_path: Path, refusal: Callable[..., str]) -> None:
    assert refusal(tmp_path) == f"There is no model at {tmp_path / 'model'}.\n"
    assert list(tmp_path.iterdir()) == []


def test_a_model_whose_answers_are_not_numbers_is_not_served(tmp_path: Path, refusal: Callable[..., str]) -> None:
    file = write_small_model(tmp_path / "model") / WHOLE
    network = keras.saving.load_model(file, compile=False)
    network.set_weights([np.full_like(weights, np.nan) for weights in network.get_weights()])
    network.save(file)
    assert refusal(tmp_path) == "The model model can't be used: its answers are not numbers.\n"


def test_a_port_that_is_taken_is_named(base: Path, refusal: Callable[..., str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        why = "can't be listened on: Address already in use. Choose another with --port."
        assert refusal(base, port) == f"Port {port} of 127.0.0.1 {why}\n"
