"""pytest in forks of a process that has loaded the libraries: warm_pytest.py, then a line of JSON for each run.

A line is [folder, environment, words…], words for pytest's command line. The answer is a line of JSON too:
[exit status, what was printed]. No module of the project is loaded before the fork, so each run sees the folder's own.
"""

import ctypes
import gc
import importlib
import json
import os
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

LIBRARIES = (
    "_hypothesis_pytestplugin",
    "_pytest.assertion.rewrite",
    "_pytest.doctest",
    "_pytest.junitxml",
    "_pytest.logging",
    "_pytest.pytester",
    "_pytest.python",
    "_pytest.terminal",
    "aws_lambda_powertools.logging",
    "aws_lambda_powertools.utilities.batch",
    "boto3",
    "hypothesis.stateful",
    "moto.dynamodb.models",
    "moto.s3.responses",
    "moto.sns.models",
    "moto.sqs.models",
    "PIL.Image",
    "psutil",
    "pytest",
    "pytest_timeout",
    "yaml",
)
OPTIONS = (
    "-pno:cacheprovider",
    "-pno:xdist",
    "-pno:anyio",
    "--assert=plain",
    "--tb=line",
    "--hypothesis-profile=first failure",
    "-Wignore::pytest.PytestAssertRewriteWarning",  # of libraries that are loaded already
)
PR_SET_PDEATHSIG = 1
FAILED = 70


def main() -> None:
    """Answer until standard input ends."""
    sys.dont_write_bytecode = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in LIBRARIES:
            importlib.import_module(name)
    gc.freeze()
    for line in sys.stdin:
        folder, environment, *words = json.loads(line)
        sys.stdout.write(json.dumps(in_a_fork(folder, environment, words)) + "\n")
        sys.stdout.flush()


def in_a_fork(folder: str, environment: Mapping[str, str], words: Sequence[str]) -> tuple[int, str]:
    """How pytest ended there, and what it printed."""
    with tempfile.TemporaryFile("w+b") as printed:
        parent, child = os.getpid(), os.fork()
        if child == 0:
            try:
                become_the_tests(parent, folder, environment, printed.fileno())
                run(words)
            finally:
                traceback.print_exc()
                os._exit(FAILED)
        _, status = os.waitpid(child, 0)
        printed.seek(0)
        return os.waitstatus_to_exitcode(status), printed.read().decode(errors="replace")


def become_the_tests(parent: int, folder: str, environment: Mapping[str, str], output: int) -> None:
    """Be as a process that was started there, and end when the parent does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(FAILED)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(folder)
    os.environ.update(environment)
    sys.path[:0] = [str(Path(folder, path)) for path in environment["PYTHONPATH"].split(":")]


def run(words: Sequence[str]) -> None:
    """End this process as pytest ends."""
    import pytest  # noqa: PLC0415  it is loaded once, with the other libraries

    status = pytest.main([*OPTIONS, *words])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(status))


if __name__ == "__main__":
    main()
