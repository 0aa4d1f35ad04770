"""An API at the HTTP seam: it answers what a test gives it, and remembers what it was asked, signatures included."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from seedbed.local_cloud.access.credentials import Credentials
from seedbed.local_cloud.clients import local_session
from seedbed.stack import Stack

API_ID = "api"
PREFIX = f"/_aws/execute-api/{API_ID}/$default"


@dataclass(frozen=True)
class Asked:
    """A request that came to the API."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class FakeApi:
    """`answers` holds, by "GET /path", JSON to answer, or a status and JSON; what is missing is answered by 404.

    What lies in `files` is answered under /bucket/, as by S3: presigned addresses lead there.
    """

    endpoint: str
    answers: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def link(self, name: str) -> str:
        """The address of one of the files."""
        return f"{self.endpoint}/bucket/{name}"

    def stack(self) -> Stack:
        """The stack whose API this is."""
        credentials = Credentials("AKIDEXAMPLE", "secret")
        return Stack(local_session(credentials), self.endpoint, {"ApiId": API_ID, "BucketName": "bucket"})

    def answer(self, asked: Asked) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers for a request."""
        if asked.path.startswith("/bucket/"):
            content = self.files.get(unquote(asked.path.removeprefix("/bucket/")))
            return (404, b"", {}) if content is None else (200, content, {"ETag": '"x"'})
        self.asked.append(asked)
        found = self.answers.get(f"{asked.method} {asked.path}", (404, {"message": "There is nothing here."}))
        status, content = found if isinstance(found, tuple) else (200, found)
        body = json.dumps(content).encode()
        tag = f'"{hash(body)}"'
        if status == 200 and asked.headers.get("if-none-match") == tag:
            return 304, b"", {"ETag": tag}
        return status, body, {"ETag": tag, "Content-Type": "application/json"}


@contextmanager
def fake_api() -> Iterator[FakeApi]:
    """The API, served on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            asked = Asked(self.command, place.path.removeprefix(PREFIX), dict(parse_qsl(place.query)), headers, body)
            status, content, more = api.answer(asked)
            self.send_response(status)
            for name, value in {**more, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_POST = do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        api = FakeApi(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()
