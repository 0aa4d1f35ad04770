"""Where modules are looked for: not in the folder where a command is given, unless Python itself lives there."""

import os
import site
from pathlib import Path

import pytest

import seedbed
from seedbed.__main__ import safe_path

LIBRARY = str(Path(os.__file__).parent)


@pytest.mark.parametrize("entry", ["", ".", "/data"])
def test_the_present_folder_is_taken_out_however_it_is_written(entry: str) -> None:
    assert safe_path(["/tools/bin", entry, LIBRARY], "/data") == ["/tools/bin", LIBRARY]


@pytest.mark.parametrize("present", [LIBRARY, site.getsitepackages()[0], str(Path(seedbed.__file__).parent.parent)])
def test_where_python_or_seedbed_is_installed_stays_though_one_stands_there(present: str) -> None:
    assert safe_path(["/tools/bin", present], present) == ["/tools/bin", present]
