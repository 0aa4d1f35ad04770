"""Whether a container answers `GET /ping`, and at which port."""

import http.client
import socket

import psutil

from ..containers.launcher import HERE

SERVED_PORT = 8080
"""Where containers listen on AWS."""
PING_SECONDS = 2.0


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.create_server((HERE, 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def port_that_answers(pid: int, port: int) -> int:
    """`port`, or else 8080, if the process or one that it has started answers a ping there with 200; otherwise 0."""
    if answers(port):
        return port
    if port != SERVED_PORT and SERVED_PORT in listened_at(pid) and answers(SERVED_PORT):
        return SERVED_PORT
    return 0


def answers(port: int) -> bool:
    """Whether a ping is answered with 200 in time."""
    connection = http.client.HTTPConnection(HERE, port, timeout=PING_SECONDS)
    try:
        connection.request("GET", "/ping", headers={"Connection": "close"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def listened_at(pid: int) -> set[int]:
    """The ports at which a process, or one that it has started, listens."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return set()
    return {port for one in family for port in _ports(one)}


def _ports(process: psutil.Process) -> set[int]:
    try:
        connections = process.net_connections("tcp")
    except (psutil.Error, OSError):
        return set()
    return {one.laddr.port for one in connections if one.status == psutil.CONN_LISTEN}
