"""The time that the local SageMaker endpoint adds to an invocation: python -m benchmarks.bench_invocations

The same signed request goes to the endpoint and, unsigned, straight to the container, in turn; both by a connection
that stays open, from just before the request is sent until its answer is whole. The endpoint's own share is the
difference of the two, so it includes the check of the signature, the choice of a container and a connection to it.
Signing is the client's, and is done before.
"""

import argparse
import http.client
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from seedbed.local_cloud.clients import LocalAws
from seedbed.local_cloud.home.folder import Home
from seedbed.local_cloud.process import served

SERVE = """
import http.server, os, pathlib

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        self.answer(b"")

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(b'{"label": "Maize"}')

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

port = os.environ["SAGEMAKER_BIND_TO_PORT"]
pathlib.Path(os.environ["PORT_FILE"]).write_text(port)
http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()
"""
DOCKERFILE = 'FROM python:3.12-slim\nCOPY serve.py .\nENTRYPOINT ["python", "serve.py"]\n'
NAME = "bench"
PATH = f"/endpoints/{NAME}/invocations"
REGION = "us-east-1"
SIZES = (1_000, 100_000, 1_000_000)
IN_PARALLEL = (1, 8)
HEADING = f"""# Invocation overhead
Written by `make bench-invocations` on {os.cpu_count()} cores, with a load of {os.getloadavg()[0]:.0f} when it began,
at the nice value {os.nice(0)}. The time that the local SageMaker endpoint adds to an invocation, beside the same
request straight to the container. Client, endpoint and container share the cores. CPU is the server's own for each
invocation: on a busy machine it says more than the times. The bar is a median of 3 ms for one at a time with 1 kB.

| at once | body in kB | invocations | lost | straight in ms, median | by the endpoint | own share | 95 % | CPU ms |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
"""


@dataclass(frozen=True)
class Row:
    """One line of the table: seconds of each request, straight to the container and by the endpoint.

    processor: seconds of processor time that the server took in all, without its container.
    """

    parallel: int
    size: int
    straight: list[float]
    through: list[float]
    lost: int
    processor: float

    def text(self) -> str:
        straight, through = (1000 * statistics.median(times) for times in (self.straight, self.through))
        slow = 1000 * statistics.quantiles(self.through, n=20)[18]
        cells = [
            f"{self.parallel}",
            f"{self.size // 1000:,}",
            f"{len(self.through):,}",
            f"{self.lost}",
            f"{straight:.1f}",
            f"{through:.1f}",
            f"{through - straight:.1f}",
            f"{slow:.1f}",
            f"{1000 * self.processor / len(self.through):.1f}",
        ]
        return f"| {' | '.join(cells)} |"


class Caller:
    """One client with two open connections. aws: of the endpoint. port: of the container."""

    def __init__(self, aws: LocalAws, port: int) -> None:
        self._address = aws.endpoint.removeprefix("http://")
        keys = ReadOnlyCredentials(aws.credentials.access_key, aws.credentials.secret_key, None)
        self._signer = SigV4Auth(keys, "sagemaker", REGION)
        self._endpoint = http.client.HTTPConnection(self._address)
        self._container = http.client.HTTPConnection("127.0.0.1", port)
        self.lost = 0

    def pair(self, body: bytes) -> tuple[float, float]:
        """Seconds of one request straight to the container, and of one by the endpoint."""
        signed = AWSRequest("POST", f"http://{self._address}{PATH}", data=body)
        self._signer.add_auth(signed)
        return self._timed(self._container, "/invocations", body, {}), self._timed(
            self._endpoint, PATH, body, dict(signed.headers)
        )

    def _timed(self, connection: http.client.HTTPConnection, path: str, body: bytes, headers: dict[str, str]) -> float:
        began = time.perf_counter()
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        spent = time.perf_counter() - began
        self.lost += answer.status != 200 or content != b'{"label": "Maize"}'
        return spent


def measured(on: "Deployed", parallel: int, size: int, count: int) -> Row:
    body, callers = os.urandom(size), [Caller(on.aws, on.port) for _ in range(parallel)]

    def work(caller: Caller) -> list[tuple[float, float]]:
        return [caller.pair(body) for _ in range(count // parallel)]

    before = on.processor()
    with ThreadPoolExecutor(parallel) as threads:
        pairs = list(itertools.chain.from_iterable(threads.map(work, callers)))
    straight, through = zip(*pairs, strict=True)
    return Row(
        parallel, size, list(straight), list(through), sum(caller.lost for caller in callers), on.processor() - before
    )


@dataclass(frozen=True)
class Deployed:
    """An endpoint with a container in service, the port of that, and the server's process."""

    aws: LocalAws
    port: int
    server: psutil.Process

    def processor(self) -> float:
        """Seconds of processor time that the server has used, without its children."""
        times = self.server.cpu_times()
        return times.user + times.system


@contextmanager
def deployed() -> Iterator[Deployed]:
    """A fresh endpoint that can be called."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        image, port = root / "image", root / "port"
        image.mkdir()
        (image / "Dockerfile").write_text(DOCKERFILE)
        (image / "serve.py").write_text(SERVE)
        home = Home(root / "home")
        with served(home, 0, ["--no-template", "--image", f"toy={image}"]) as cloud:
            aws = LocalAws.of(cloud)
            sagemaker: Any = aws.client("sagemaker")
            container = {"Image": "toy", "Environment": {"PORT_FILE": str(port)}}
            sagemaker.create_model(ModelName=NAME, PrimaryContainer=container)
            variant = {"VariantName": "AllTraffic", "ModelName": NAME, "InitialInstanceCount": 1}
            variants = [{**variant, "InstanceType": "ml.m5.large"}]
            sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=variants)
            sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
            while sagemaker.describe_endpoint(EndpointName=NAME)["EndpointStatus"] == "Creating":
                time.sleep(0.2)
            server = psutil.Process(json.loads((home.path / "cloud.json").read_text())["pid"])
            yield Deployed(aws, int(port.read_text()), server)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="how many invocations a line of the table has")
    given = parser.parse_args()
    sys.stdout.write(HEADING)
    with deployed() as on:
        measured(on, 1, 1000, 50)
        for parallel, size in itertools.product(IN_PARALLEL, SIZES):
            sys.stdout.write(measured(on, parallel, size, given.count).text() + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
