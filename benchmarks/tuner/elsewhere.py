"""Contestants in a process of another environment, because their packages and the others' exclude each other."""

import json
import os
import select
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from optuna.distributions import CategoricalDistribution

from seedbed.local_cloud.sagemaker.search.ranges import Range, read_ranges

ROOT = Path(__file__).parents[2]
# An answer within seconds of processor time takes minutes on a busy machine.
PATIENCE = 1800.0
LAST_WORDS = 2000


class PeerLost(Exception):
    """A peer's process has ended or gave no answer in time; the message tells which, and its last words."""


class Place(NamedTuple):
    """Where a peer is: the environment's folder beside this interpreter's own, and its module in `peers`."""

    environment: str
    module: str

    @property
    def python(self) -> Path:
        """It need not exist."""
        return Path(sys.prefix).parent / self.environment / "bin" / "python"


HEBO = Place("bench-hebo", "hebo")
SMAC = Place("bench-smac", "smac")
SMAC_HYPERBAND = Place("bench-smac", "smac_hyperband")
AX = Place("bench-ax", "ax")


class Process:
    """A running peer, which does one search after another."""

    def __init__(self, place: Place) -> None:
        self._name = place.module
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  it lives as long as the process
        self._process = subprocess.Popen(
            [place.python, "-m", f"benchmarks.tuner.peers.{place.module}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
        )

    def request(self, **request: Any) -> dict[str, Any]:
        """The answer. Raises PeerLost."""
        pipes = self._process
        assert pipes.stdin
        assert pipes.stdout
        try:
            pipes.stdin.write(json.dumps(request).encode() + b"\n")
            pipes.stdin.flush()
        except BrokenPipeError as error:
            raise self._lost() from error
        if not select.select([pipes.stdout], [], [], PATIENCE)[0]:
            pipes.kill()
            pipes.wait()
            raise PeerLost(f"{self._name} gave no answer in {PATIENCE:.0f} s.")
        line = pipes.stdout.readline()
        if not line:
            raise self._lost()
        return dict(json.loads(line))

    def _lost(self) -> PeerLost:
        status = self._process.wait()
        self._errors.seek(0)
        words = self._errors.read().decode(errors="replace")[-LAST_WORDS:]
        return PeerLost(f"{self._name} ended with exit status {status}. Its last words:\n{words}")


class Elsewhere:
    """A peer's search of AMT's ParameterRanges. noisy: whether a repeated trial scores otherwise."""

    def __init__(self, place: Place, ranges: dict[str, Any], seed: int, trials: int, noisy: bool = False) -> None:
        self.seconds = 0.0
        self._process = _running(place)
        spans = [_span(item) for item in read_ranges(ranges)]
        self._request(begin={"spans": spans, "seed": seed, "trials": trials, "noisy": noisy})

    def ask(self, count: int) -> list[dict[str, Any]]:
        answer = self._request(ask=count)
        self.seconds = float(answer["seconds"])
        return list(answer["values"])

    def tell(self, scores: list[float | None]) -> None:
        self._request(tell=scores)

    def _request(self, **request: Any) -> dict[str, Any]:
        try:
            return self._process.request(**request)
        except PeerLost:
            _running.cache_clear()  # the next search starts another process
            raise


@cache
def _running(place: Place) -> Process:
    return Process(place)


def _span(item: Range) -> list[Any]:
    """The fields of peers.serve.Span."""
    found = item.distribution
    if isinstance(found, CategoricalDistribution):
        return [item.name, item.kind, 0, 0, False, list(found.choices)]
    return [item.name, item.kind, found.low, found.high, found.log, []]
