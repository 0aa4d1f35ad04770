"""The page that compares the local cloud with AWS is complete, and gives a test or a reason for each difference."""

import re

import pytest

from seedbed.bundle import TEMPLATE
from seedbed.deploy.template import TemplateFile
from seedbed.local_cloud.parameters import LAPTOP
from tests.contract.template import ROOT

PAGE = (ROOT / "docs/parity.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not re.match(r"\| (on AWS|parameter) \|", line)]


def test_every_parameter_that_a_laptop_sets_otherwise_is_listed() -> None:
    defaults = TemplateFile(TEMPLATE).defaults
    set_otherwise = {name for name, value in LAPTOP.items() if value != defaults.get(name)}

    assert set_otherwise
    assert {name for name in set_otherwise if f"`{name}`" not in PAGE} == set()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_every_difference_has_a_test_or_a_reason(row: str) -> None:
    cells = [cell.strip() for cell in row.strip("|").split("|")]

    assert len(cells) == 3
    assert all(cells)
