"""Asks a dashboard as a browser would, over HTTP."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread

import urllib3

from seedbed.dashboard.api import Api
from seedbed.dashboard.app import build
from seedbed.dashboard.guard import TOKEN_HEADER, Keys
from seedbed.dashboard.pictures import Pictures
from seedbed.dashboard.rendering import Site
from seedbed.dashboard.server import Server, listening
from seedbed.stack import Stack
from tests.waiting import PATIENCE


@dataclass(frozen=True)
class Answer:
    """What the server answered."""

    status: int
    text: str
    content: bytes
    headers: Mapping[str, str]


@dataclass
class Client:
    """Asks with the page's cookie and token unless told otherwise."""

    port: int
    keys: Keys
    pictures: Pictures
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=PATIENCE))

    @property
    def address(self) -> str:
        """Where the page is, with its key."""
        return f"http://127.0.0.1:{self.port}/?key={self.keys.key}"

    @property
    def cookie(self) -> str:
        """The cookie that opens the page."""
        return f"seedbed-{self.port}={self.keys.key}"

    def get(self, path: str, **headers: str) -> Answer:
        """GET a path; an underscore in a header's name stands for a hyphen."""
        return self.ask("GET", path, b"", headers)

    def part(self, path: str, target: str = "live") -> Answer:
        """GET a path as htmx does, for an element of its own."""
        return self.get(path, HX_Request="true", HX_Target=target)

    def post(self, path: str, body: bytes = b"", **headers: str) -> Answer:
        """POST to a path with the page's token."""
        return self.ask("POST", path, body, {TOKEN_HEADER: self.keys.token, **headers})

    def ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Any request; an empty header is left out."""
        named = {"Cookie": self.cookie, **{name.replace("_", "-"): value for name, value in headers.items()}}
        sent = {name: value for name, value in named.items() if value}
        address = f"http://127.0.0.1:{self.port}{path}"
        answer = self.pool.request(method, address, body=body, headers=sent, redirect=False)
        return Answer(answer.status, answer.data.decode("utf-8", "replace"), answer.data, answer.headers)


@contextmanager
def dashboard(find: Callable[[], Stack], aws: str = "") -> Iterator[Client]:
    """A dashboard of the stack, served on a port of its own."""
    keys, pictures, taken = Keys(), Pictures(), listening(0)
    server = Server(build(Site(Api(find), keys, pictures, aws)))
    thread = Thread(target=server.run, kwargs={"sockets": [taken]})
    thread.start()
    client = Client(taken.getsockname()[1], keys, pictures)
    try:
        yield client
    finally:
        client.pool.clear()
        server.should_exit = True
        thread.join()
        taken.close()
