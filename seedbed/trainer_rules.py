"""The trainer's rules on files and names, held in one place: two modules that import nothing, read from the container.

`names.py` and `files.py` there describe what these functions do.
"""

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

from .bundle import CONTAINER


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{__name__}.{name}", CONTAINER / "trainer" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


NameRefusal = Callable[[str], str | None]
_files, _names = _module("files"), _module("names")

HIDDEN: str = _names.HIDDEN
NOT_PERMITTED: str = _files.NOT_PERMITTED
find_files: Callable[[Path, NameRefusal], tuple[list[str], dict[str, str]]] = _files.find_files
reason_of: Callable[[OSError], str] = _files.reason_of
clean_label: Callable[[str], str] = _names.clean_label
name_refusal: NameRefusal = _names.name_refusal
one_label_each: Callable[[Mapping[str, int]], dict[str, str]] = _names.one_label_each
spelling_notices: Callable[[Mapping[str, int]], list[str]] = _names.spelling_notices
