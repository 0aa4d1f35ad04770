"""`seedbed dashboard`: the page on runs and models, in a browser, until Ctrl-C."""

import os
import select
import sys
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import SeedbedError
from ..local_cloud.home.folder import Home
from ..stack import Stack, aws_stack, check_was_used, local_stack
from ..terminal.console import results, say
from ..terminal.hints import seedbed
from .options import OnAws, Port, queried_home
from .show import STOP_HINT

if TYPE_CHECKING:
    from ..dashboard.guard import Keys

PORT = 4580
POLL_SECONDS = 0.5
AWAY = "The local cloud of {} is not running. Start it with: {}"
NO_BROWSER = "No browser could be started. Open this address yourself."
ENDED = "The page's server has ended by itself. Run this again."
Find = Callable[[], Stack]
Opened = Annotated[bool, typer.Option("--open/--no-open", help="Whether to open it in a browser.")]


def dashboard(
    port: Port = PORT,
    opened: Opened = True,
    aws: OnAws = "",
) -> None:
    """Show runs, models and data in a browser, until Ctrl-C."""
    home = None if aws else queried_home()
    with serving(stack_on_aws(aws) if home is None else running(home), port, aws=aws, home=home) as page:
        results().print(page.address, soft_wrap=True)
        say("It is open to whoever has this address, on this machine alone.", STOP_HINT)
        if opened:
            page.open()
        page.wait()


class ServedPage:
    """The page while it is served: its `address` has its key."""

    def __init__(self, port: int, keys: "Keys", thread: Thread) -> None:
        self._start = f"http://127.0.0.1:{port}/?key="
        self._keys = keys
        self._thread = thread
        self.address = self._start + keys.key

    def open(self) -> None:
        """Open it in a browser, if there is a screen to show it on."""
        # Other accounts can read a program's arguments: what the browser is given opens the page once.
        if has_screen() and not webbrowser.open(self._start + self._keys.ticket()):
            say(NO_BROWSER)

    @property
    def is_served(self) -> bool:
        """Whether the server still runs."""
        return self._thread.is_alive()

    def wait(self) -> None:
        """Wait for Ctrl-C. Raises SeedbedError if the server ends by itself."""
        while self.is_served:
            time.sleep(POLL_SECONDS)
        raise SeedbedError(ENDED)


@contextmanager
def serving(find: Find, port: int, *, aws: str = "", home: Home | None = None) -> Iterator[ServedPage]:
    """Serve the page of the stack that `find` returns, on a port of 127.0.0.1 or any free one for 0, for the block.

    Raises SeedbedError if the port is taken.
    """
    # These packages are slow to load, and belong to an extra.
    from ..dashboard.api import Api  # noqa: PLC0415
    from ..dashboard.app import build  # noqa: PLC0415
    from ..dashboard.guard import Keys  # noqa: PLC0415
    from ..dashboard.pictures import Pictures  # noqa: PLC0415
    from ..dashboard.rendering import Site  # noqa: PLC0415
    from ..dashboard.server import Server, listening  # noqa: PLC0415

    keys = Keys()
    named = home.path if home and not os.environ.get("SEEDBED_HOME") else None
    with listening(port) as taken:
        server = Server(build(Site(Api(find), keys, Pictures(), aws, named)))
        thread = Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
        thread.start()
        try:
            yield ServedPage(taken.getsockname()[1], keys, thread)
        finally:
            server.should_exit = True
            thread.join()


def running(home: Home) -> Find:
    """What finds the local cloud that serves a home now: it may end, and start again.

    Raises SeedbedError if the home has never been used.
    """
    check_was_used(home)
    known: dict[str, Stack] = {}

    def find() -> Stack:
        cloud = home.running()
        if cloud is None:
            known.clear()
            raise SeedbedError(AWAY.format(home.path, seedbed("up")))
        place = cloud["endpoint"] + cloud["credentials"]["access_key"]
        if place not in known:
            known.clear()
            known[place] = local_stack(cloud)
        return known[place]

    return find


def stack_on_aws(name: str) -> Find:
    """What finds a stack on AWS. Raises SeedbedError if it can't be used."""
    stack = aws_stack(name)
    return lambda: stack


def wait_for_enter(question: str, page: ServedPage) -> None:
    """Return once a person has pressed Enter, or closed the input, or the page's server has ended."""
    sys.stderr.write(question)
    sys.stderr.flush()
    while page.is_served and not select.select([sys.stdin], [], [], POLL_SECONDS)[0]:
        pass
    if page.is_served:
        sys.stdin.readline()


def is_interactive() -> bool:
    """Whether a person sits at this command: neither a pipe nor a build server does."""
    return sys.stdin.isatty() and sys.stdout.isatty() and not os.environ.get("CI")


def has_screen() -> bool:
    """Whether a browser with windows can be started: a text browser would take the terminal."""
    screens = ("DISPLAY", "WAYLAND_DISPLAY")
    return sys.stdout.isatty() and (sys.platform == "darwin" or any(map(os.environ.get, screens)))
