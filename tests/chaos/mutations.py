"""Take a guard away in a copy of the project, and see which tests notice: python -m tests.chaos.mutations."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.chaos.guards import GUARDS, Guard
from tests.children import run

ROOT = Path(__file__).parents[2]
NEEDED = ("events", "functions", "seedbed", "tests", "training_container", "pyproject.toml", "template.yaml")
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


def passes(folder: Path, *command: str) -> bool:
    """Whether Python ends well there. Raises RuntimeError where it could not do what it was told."""
    environment = {**os.environ, "PYTHONPATH": "functions:training_container:.", "PYTHONDONTWRITEBYTECODE": "1"}
    answer = run([sys.executable, *command], cwd=folder, env=environment)
    if answer.returncode not in {0, 1}:
        raise RuntimeError(f"{' '.join(command)} ended with {answer.returncode}:\n{answer.stdout}{answer.stderr}")
    return answer.returncode == 0


def all_pass(folder: Path, *tests: str) -> bool:
    """Whether these tests pass there."""
    return passes(folder, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests)


def report() -> Iterator[str]:
    """The guard table, a row at a time, as Markdown."""
    with project_without(None) as whole:
        if not all_pass(whole, *sorted({guard.test for guard in GUARDS})):
            raise RuntimeError("With every guard in place these tests must pass.")
    yield "| guard | removed in | caught by | and by the simulation |"
    yield "|---|---|---|---|"
    for guard in GUARDS:
        with project_without(guard) as copy:
            by_test = not all_pass(copy, guard.test)
            by_simulation = guard.simulated and not (
                all_pass(copy, SWEEPS) and passes(copy, "-c", FIND.format(STORIES))
            )
        caught = f"`{guard.test}`" if by_test else "**nothing**"
        yield f"| {guard.name} | `{guard.file}` | {caught} | {'yes' if by_simulation else 'no'} |"


if __name__ == "__main__":
    for line in report():
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
