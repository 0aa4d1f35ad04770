"""With any guard taken away a test fails: in a copy of the project, one guard after the other."""

from collections.abc import Iterator

import pytest

from tests.chaos.guards import GUARDS, Guard
from tests.chaos.mutations import ROOT, WarmPytest, project_without, warm


@pytest.fixture(scope="module")
def runner() -> Iterator[WarmPytest]:
    """Runs tests in a copy of the project."""
    with warm() as runner:
        yield runner


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_the_loss_of_a_guard_fails_its_test(runner: WarmPytest, guard: Guard) -> None:
    with project_without(guard) as copy:
        assert not runner.all_pass(copy, guard.test)


def test_all_guard_tests_pass_with_every_guard_in_place(runner: WarmPytest) -> None:
    with project_without(None) as whole:
        assert runner.all_pass(whole, *sorted({guard.test for guard in GUARDS}))


def test_promises_page_has_one_row_for_each_guard() -> None:
    page = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    rows = [line for line in page.split("\n| guard |")[1].splitlines()[2:] if line.startswith("|")]

    assert len(rows) == len(GUARDS)
    for row, guard in zip(rows, GUARDS, strict=True):
        assert row.startswith(f"| {guard.name} | `{guard.file}` | `{guard.test}` |")
