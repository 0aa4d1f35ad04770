"""With any guard taken away a test fails: in a copy of the project, one guard after the other."""

import pytest

from tests.chaos.guards import GUARDS, Guard
from tests.chaos.mutations import ROOT, all_pass, project_without


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_test_notices_where_a_guard_is_taken_away(guard: Guard) -> None:
    with project_without(guard) as copy:
        assert not all_pass(copy, guard.test)


def test_those_end_well_while_every_guard_is_in_place() -> None:
    with project_without(None) as whole:
        assert all_pass(whole, *sorted({guard.test for guard in GUARDS}))


def test_the_page_of_promises_names_every_guard_and_what_catches_its_loss() -> None:
    page = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")

    for guard in GUARDS:
        assert f"| {guard.name} | `{guard.file}` | `{guard.test}` |" in page
