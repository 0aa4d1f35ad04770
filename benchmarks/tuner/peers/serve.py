"""Serves a peer's search to the benchmark: a line of JSON on standard input, a line of JSON in answer.

{"begin": {"spans": […], "seed": 0, "trials": 40, "noisy": false}} starts a search, {"ask": 2} is answered by
{"values": [{…}, {…}], "seconds": 0.1}, and {"tell": [0.5, null]} gives the scores of these two: null if a trial failed.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol


class Span(NamedTuple):
    """A range. kind: `continuous`, `integer` or `categorical`, which has choices instead of bounds."""

    name: str
    kind: str
    low: float
    high: float
    log: bool
    choices: list[str]


class Begin(NamedTuple):
    """A search to start. trials: how many there will be. noisy: whether a repeated trial scores otherwise."""

    spans: list[Span]
    seed: int
    trials: int
    noisy: bool


class Peer(Protocol):
    """A search as ask and tell: the scores, the higher the better, are of the trials asked for last, in order."""

    def ask(self, count: int) -> list[dict[str, Any]]: ...

    def tell(self, scores: list[float | None]) -> None: ...


def serve(begin: Callable[[Begin], Peer]) -> None:
    """Answers until standard input ends. What the library prints goes to standard error."""
    with os.fdopen(os.dup(1), "w", buffering=1) as answers:
        os.dup2(2, 1)
        peer: Peer | None = None
        for line in sys.stdin:
            request = json.loads(line)
            answer: dict[str, Any] = {}
            if "begin" in request:
                asked = request["begin"]
                peer = begin(Begin(**{**asked, "spans": [Span(*span) for span in asked["spans"]]}))
            elif peer and "ask" in request:
                started = time.process_time()
                answer["values"] = peer.ask(request["ask"])
                answer["seconds"] = time.process_time() - started
            elif peer:
                peer.tell(request["tell"])
            answers.write(json.dumps(answer, default=_plain) + "\n")


def _plain(value: Any) -> Any:
    """What numpy's scalars are to JSON."""
    return value.item()
