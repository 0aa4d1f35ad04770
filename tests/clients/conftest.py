"""One endpoint for other people's clients, with a toy of the founding article's container."""

import os
import sys
from collections.abc import Iterator

import boto3
import pytest

from tests.sagemaker.toy_endpoint import BUCKET, CREDENTIALS, Endpoint

ARTICLE = """
import json, math, os, pathlib, sys

base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
if sys.argv[1] == "serve":
    import http.server

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.answer(b"")

        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            learned = json.loads((base / "model/weights.json").read_text())
            self.answer(json.dumps({"asked": asked, "epochs": learned["epochs"]}).encode())

        def answer(self, body):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    address = ("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"]))
    http.server.ThreadingHTTPServer(address, Handler).serve_forever()
given = json.loads((base / "input/config/hyperparameters.json").read_text())
rate, epochs, batch = float(given["learning_rate"]), int(given["epochs"]), int(given["batch_size"])
for channel in ("train", "test"):
    assert any((base / "input/data" / channel).iterdir()), channel
for epoch in range(epochs // 50):
    reached = 1 - math.exp(-(epoch + 1) / 2) - 20 * abs(rate - 0.0002) ** 0.5 * 0.1 - abs(batch - 32) / 400
    sys.stdout.write(f"Epoch {epoch} - loss: {1 - reached:.4f} - accuracy: {reached:.4f}\\n")
(base / "model/weights.json").write_text(json.dumps(given))
"""
DOCKERFILE = 'FROM python:3.12-slim\nCOPY train.py .\nENTRYPOINT ["python", "train.py"]\n'


@pytest.fixture(autouse=True)
def another_client_for_another_endpoint() -> None:
    """The SDK keeps its first client for the whole process, and with it the address of its endpoint."""
    if sdk := sys.modules.get("sagemaker.core.utils.utils"):
        sdk.SageMakerClient.reset()


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """The server, which clients find by AWS_ENDPOINT_URL."""
    folder = tmp_path_factory.mktemp("clients")
    article = folder / "article"
    article.mkdir()
    (article / "train.py").write_text(ARTICLE)
    (article / "Dockerfile").write_text(DOCKERFILE)
    server = Endpoint(folder, images={"article": article})
    for key in ("train/1.txt", "train/2.txt", "test/3.txt"):
        server.s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", server.url)
        patch.delenv("AWS_SESSION_TOKEN", raising=False)
        patch.setattr(boto3, "DEFAULT_SESSION", None)  # another test may have made it, with other credentials
        for name, value in CREDENTIALS.environment().items():
            patch.setenv(name, value)
        yield server
    server.end()


@pytest.fixture
def environment(endpoint: Endpoint) -> dict[str, str]:
    """The environment of a program that uses the endpoint."""
    return {name: value for name, value in os.environ.items() if name != "AWS_PROFILE"}
