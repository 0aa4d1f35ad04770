"""Serves the page on 127.0.0.1 until it is told to end."""

import socket

import uvicorn
from starlette.types import ASGIApp

from ..errors import SeedbedError

HOST = "127.0.0.1"
TAKEN = "Port {} of 127.0.0.1 is in use. Choose another with --port, or any free one with --port 0."
KEEP_ALIVE, LAST_ANSWERS = 15, 3
AT_ONCE = 64


def listening(port: int) -> socket.socket:
    """A socket that listens on a port of 127.0.0.1, or on any free one for 0. Raises SeedbedError if it is taken."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((HOST, port))
        made.listen(AT_ONCE)
    except OSError as error:
        made.close()
        raise SeedbedError(TAKEN.format(port)) from error
    return made


class Server(uvicorn.Server):
    """A server to run in a thread, so that signals are the command's, which ends it by `should_exit`."""

    def __init__(self, app: ASGIApp) -> None:
        config = uvicorn.Config(
            app,
            access_log=False,
            log_level="error",
            lifespan="off",
            server_header=False,
            limit_concurrency=AT_ONCE,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=LAST_ANSWERS,
            h11_max_incomplete_event_size=32 * 1024,
            ws="none",
            proxy_headers=False,
        )
        super().__init__(config)
