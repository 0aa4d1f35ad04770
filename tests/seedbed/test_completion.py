"""Completion in bash, as `seedbed --install-completion` sets it up."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.children import run

BIN = Path(sys.executable).parent
COMPLETE = """
. "$HOME/.bashrc"
COMP_WORDS=(seedbed {words})
COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
$(complete -p seedbed | sed 's/.*-F \\([^ ]*\\).*/\\1/') seedbed
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A person's, with a home that is empty so far."""
    if not shutil.which("bash"):
        pytest.skip("bash is not installed.")
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    return {
        **os.environ,
        "HOME": str(tmp_path),
        "PATH": path,
    }


@pytest.mark.parametrize(
    ("words", "expected"),
    [("re", {"rebuild", "report", "retry"}), ("dlq ''", {"list", "redrive"}), ("up --pl", {"--plan"})],
)
def test_bash_completes_commands_and_options(environment: dict[str, str], words: str, expected: set[str]) -> None:
    run(["bash", "--norc", "-c", "seedbed --install-completion; exit $?"], env=environment, check=True)
    done = run(["bash", "--norc", "-c", COMPLETE.format(words=words)], env=environment)

    assert set(done.stdout.split()) == expected, done.stderr
