"""The page of public suites, written of a made-up suite, and its list of suites."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests import children
from tests.contract.template import ROOT
from tools.public_suites.__main__ import PAGE
from tools.public_suites.catalogue import load
from tools.public_suites.outcomes import OUT_OF_SCOPE
from tools.public_suites.page import read, text

SUITE = '''
import os

import pytest


@pytest.fixture
def broken():
    raise OSError("no | disk\\nat all")


def test_it_passes():
    assert os.environ["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"


def test_it_fails():
    assert 1 + 1 == 3


def test_it_errs(broken):
    """Its fixture fails."""


@pytest.mark.skip(reason="not today")
def test_it_is_skipped():
    raise AssertionError


def test_beyond():
    raise AssertionError
'''
CATALOGUE = """
reasons: {moon: needs the Moon}
images: []
suites:
- name: Made up
  repository: some/body
  folder: part
  environment: sdk3
  files:
    test_some.py:
    test_some.py::test_beyond: moon
    test_unread.py:
    test_lost.py:
    test_far.py: moon
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    part = tmp_path / "suites" / "some" / "body" / "part"
    part.mkdir(parents=True)
    (part / "test_some.py").write_text(SUITE)
    (part / "test_unread.py").write_text("import nowhere_to_be_found\n")
    (tmp_path / "catalogue.yaml").write_text(CATALOGUE)
    return tmp_path


def written(folder: Path) -> str:
    """The page after a run of the tool."""
    words = [sys.executable, "-m", "tools.public_suites", "--suites", "suites", "--out", "page.md"]
    environment = {**os.environ, "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "PYTHONPATH": str(ROOT)}
    children.run([*words, "--catalogue", "catalogue.yaml"], check=True, cwd=folder, env=environment)
    return (folder / "page.md").read_text(encoding="utf-8")


def test_each_test_is_told_by_name_and_a_lost_suite_keeps_its_rows(folder: Path) -> None:
    page = written(folder)

    rows = [(row.test, row.outcome, row.why, bool(row.day)) for row in read(page)["Made up"]]
    assert rows == [
        ("test_some.py::test_it_passes", "passed", "", True),
        ("test_some.py::test_it_fails", "failed", "assert (1 + 1) == 3", True),
        ("test_some.py::test_it_errs", "failed", "OSError: no | disk at all", True),
        ("test_some.py::test_it_is_skipped", "skipped", "Skipped: not today", True),
        ("test_unread.py", "failed", "E ModuleNotFoundError: No module named 'nowhere_to_be_found'", True),
        ("test_lost.py", "not at hand", "", False),
        ("test_some.py::test_beyond", "out of scope", "needs the Moon", False),
        ("test_far.py", "out of scope", "needs the Moon", False),
    ]
    assert "| Made up | 1 | 2 | 3 | 1 | 1 |" in page

    shutil.rmtree(folder / "suites" / "some")
    assert written(folder) == page


def test_the_page_has_all_suites_and_is_as_the_tool_writes_it() -> None:
    catalogue, page = load(), PAGE.read_text(encoding="utf-8")
    rows = read(page)

    assert text(rows, catalogue.suites) == page
    for suite in catalogue.suites:
        left_out = {test: catalogue.reasons[reason] for test, reason in suite.files.items() if reason is not None}
        assert {row.test: row.why for row in rows[suite.name] if row.outcome == OUT_OF_SCOPE} == left_out
        assert {row.test.partition("::")[0] for row in rows[suite.name]} == {
            test.partition("::")[0] for test in suite.files
        }


def test_a_reason_without_words_is_named(tmp_path: Path) -> None:
    (tmp_path / "catalogue.yaml").write_text(CATALOGUE.replace("{moon: needs the Moon}", "{}"))

    with pytest.raises(ValueError, match=r"catalogue\.yaml has no words for moon"):
        load(tmp_path / "catalogue.yaml")
