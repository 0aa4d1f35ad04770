"""The current folder is not on the module search path, unless Python or Seedbed is installed there."""

import os
import site
from pathlib import Path

import pytest

import seedbed
from seedbed.__main__ import safe_path

LIBRARY = str(Path(os.__file__).parent)


@pytest.mark.parametrize("entry", ["", ".", "/data"])
def test_the_current_folder_is_removed_from_the_path(entry: str) -> None:
    assert safe_path(["/tools/bin", entry, LIBRARY], "/data") == ["/tools/bin", LIBRARY]


@pytest.mark.parametrize("present", [LIBRARY, site.getsitepackages()[0], str(Path(seedbed.__file__).parent.parent)])
def test_the_installation_folder_stays_even_if_it_is_the_current_folder(present: str) -> None:
    assert safe_path(["/tools/bin", present], present) == ["/tools/bin", present]
