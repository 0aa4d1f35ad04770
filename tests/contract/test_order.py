"""The order of the tests."""

from tests.conftest import LONGEST, TESTS


def test_the_modules_that_begin_first_exist() -> None:
    assert [module for module in LONGEST if not (TESTS / module).is_file()] == []
