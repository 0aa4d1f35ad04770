"""Take a guard away in a copy of the project, and see which tests notice: python -m tests.chaos.mutations."""

import json
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.chaos.guards import GUARDS, Guard
from tests.children import Process, run, started
from tests.waiting import wait_for, work_of

ROOT = Path(__file__).parents[2]
NEEDED = (
    "events",
    "functions",
    "predictions",
    "seedbed",
    "tests",
    "training_container",
    "pyproject.toml",
    "template.yaml",
)
ENVIRONMENT = {"PYTHONPATH": "functions:predictions:training_container:.", "PYTHONDONTWRITEBYTECODE": "1"}
STORIES = 1500
SWEEPS = "tests/chaos/test_every_call.py"
FIND = "from tests.chaos.simulation import FIND, simulate; simulate({}, same_each_time=True, phases=FIND)"
SKIPPED = shutil.ignore_patterns("__pycache__", ".*_cache", ".hypothesis")


@contextmanager
def project_without(guard: Guard | None) -> Iterator[Path]:
    """A copy of the project, with the guard's mutation in it if one is given."""
    with TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in NEEDED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=SKIPPED)
            else:
                shutil.copy(source, copy / name)
        if guard:
            path = copy / guard.file
            path.write_text(mutated(guard), encoding="utf-8")
        yield copy


def mutated(guard: Guard) -> str:
    """The guard's file with its mutation. Raises ValueError unless the text to change is there once."""
    text = (ROOT / guard.file).read_text(encoding="utf-8")
    if text.count(guard.text) != 1:
        raise ValueError(f"{guard.file} has {text.count(guard.text)} times: {guard.text}")
    return text.replace(guard.text, guard.mutation)


@dataclass(frozen=True)
class WarmPytest:
    """Runs tests in copies of the project, each time in a fork of one process that has loaded the libraries."""

    process: Process

    def all_pass(self, folder: Path, *tests: str) -> bool:
        """Whether these tests pass there. Raises RuntimeError where pytest could not run them."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps([str(folder), ENVIRONMENT, "-x", "-q", *tests]) + "\n")
        self.process.stdin.flush()
        pid, stdout = self.process.pid, self.process.stdout
        wait_for(lambda: select.select([stdout], [], [], 0.2)[0], f"the end of {tests}", lambda: work_of(pid))
        status, printed = json.loads(stdout.readline() or '[null, "The process ended."]')
        if status not in {0, 1}:
            raise RuntimeError(f"{tests} ended with {status}:\n{printed}")
        return bool(status == 0)


@contextmanager
def warm() -> Iterator[WarmPytest]:
    """What runs tests, until the block ends."""
    words = [sys.executable, "-P", ROOT / "tests/chaos/warm_pytest.py"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with started(words, **pipes) as process:
        yield WarmPytest(process)


def passes(folder: Path, *command: str) -> bool:
    """Whether Python ends well there. Raises RuntimeError where it could not do what it was told."""
    answer = run([sys.executable, *command], cwd=folder, env={**os.environ, **ENVIRONMENT})
    if answer.returncode not in {0, 1}:
        raise RuntimeError(f"{' '.join(command)} ended with {answer.returncode}:\n{answer.stdout}{answer.stderr}")
    return answer.returncode == 0


def report(pytest: WarmPytest) -> Iterator[str]:
    """The guard table, a row at a time, as Markdown."""
    with project_without(None) as whole:
        if not pytest.all_pass(whole, *sorted({guard.test for guard in GUARDS})):
            raise RuntimeError("With every guard in place these tests must pass.")
    yield "| guard | removed in | caught by | and by the simulation |"
    yield "|---|---|---|---|"
    for guard in GUARDS:
        with project_without(guard) as copy:
            by_test = not pytest.all_pass(copy, guard.test)
            by_simulation = guard.simulated and not (
                pytest.all_pass(copy, SWEEPS) and passes(copy, "-c", FIND.format(STORIES))
            )
        caught = f"`{guard.test}`" if by_test else "**nothing**"
        yield f"| {guard.name} | `{guard.file}` | {caught} | {'yes' if by_simulation else 'no'} |"


if __name__ == "__main__":
    with warm() as pytest:
        for line in report(pytest):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
