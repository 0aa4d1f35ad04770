"""Serves the model that train.py kept: POST /invocations of one image answers the probability of each label."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow as tf
from train import ML, SIZE  # type: ignore[import-not-found]

HOST = os.environ.get("SEEDBED_BIND_TO_HOST", "")
"""Empty, as on AWS, is every address of the container."""
PORT = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))


class Model:
    """The network and its labels."""

    def __init__(self) -> None:
        self._network: Any = keras.saving.load_model(ML / "model/seedlings.keras")
        self._labels: list[str] = json.loads((ML / "model/labels.json").read_text(encoding="utf-8"))
        self._one_at_a_time = threading.Lock()

    def answer(self, content: bytes) -> dict[str, float]:
        """The probability of each label. Raises ValueError for what is not a JPEG, PNG, GIF or BMP."""
        try:
            image = tf.io.decode_image(content, channels=3, expand_animations=False)
        except tf.errors.InvalidArgumentError:
            raise ValueError("The body of the request must be a JPEG, PNG, GIF or BMP image.") from None
        batch = tf.image.resize(image, (SIZE, SIZE))[tf.newaxis]  # as in training
        with self._one_at_a_time:
            probabilities = self._network.predict_on_batch(batch)[0]
        return dict(zip(self._labels, probabilities.tolist(), strict=True))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model: Model

    def do_GET(self) -> None:
        self._say(200 if self.path == "/ping" else 404, {})

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            self._say(200, self.model.answer(content)) if self.path == "/invocations" else self._say(404, {})
        except ValueError as error:
            self._say(400, {"error": str(error)})

    def _say(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_: Any) -> None:
        """Nothing: SageMaker pings every few seconds."""


def main() -> None:
    Handler.model = Model()
    ThreadingHTTPServer((HOST, PORT), Handler).serve_forever()


if __name__ == "__main__":
    main()
