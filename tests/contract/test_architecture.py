"""The picture of the architecture is what the code and the template give now, and its pages name what there is."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.contract.template import ROOT, Template
from tools.architecture.__main__ import PICTURE
from tools.architecture.flow import steps
from tools.architecture.picture import draw
from tools.architecture.rooms import House, houses, importers_first

PAGES = ("CONTRIBUTING.md", "docs/architecture.md")
IN_BACKTICKS = re.compile(r"`((?!\.venv)[\w.-]+/[\w./-]*|[\w-]+\.(?:py|md|yaml|toml|txt|in))`")


@pytest.fixture(scope="module")
def drawn() -> str:
    return draw(steps(), houses())


def test_committed_picture_is_what_the_code_gives(drawn: str) -> None:
    same = PICTURE.read_text(encoding="utf-8") == drawn

    assert same, "docs/images/architecture.svg is out of date: run `make architecture`"


def test_picture_names_every_function_and_every_folder_of_code(drawn: str) -> None:
    texts = {"".join(text.itertext()) for text in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")}
    handlers = {one["Handler"].split(".")[0] for one in Template().functions.values()}
    folders = {room.folder for house in houses() for room in house.rooms}

    assert handlers <= texts
    for folder in folders:
        assert any(text.strip("/*.py") and folder.endswith(text.removesuffix("/*.py").rstrip("/")) for text in texts)


@pytest.mark.parametrize("house", houses(), ids=lambda house: house.folder)
def test_every_folder_says_what_it_is_for(house: House) -> None:
    assert [room.folder for room in house.rooms if not room.purpose] == []


def test_the_three_houses_share_no_code() -> None:
    assert {house.folder: house.foreign for house in houses()} == {house.folder: [] for house in houses()}


def test_each_function_is_woken_and_changes_something() -> None:
    found = {step.name: step for step in steps()}

    assert found["note_upload"].wakes == ["Bucket", "UploadQueue"]
    assert found["note_upload"].changes == ["Table", "SettleQueue"]
    assert found["advance_run"].wakes == ["SageMaker", "JobStateQueue"]
    assert all(step.wakes and step.changes and step.purpose for step in steps())


def test_importers_stand_before_what_they_import() -> None:
    edges = {("steps", "domain"): 3, ("aws", "domain"): 1, ("functions", "steps"): 1}

    assert importers_first(["aws", "domain", "functions", "steps"], edges) == ["aws", "functions", "steps", "domain"]


def test_imports_of_a_new_folder_appear(tmp_path: Path) -> None:
    for name, text in {
        "seedbed/__init__.py": '"""Top."""',
        "seedbed/new/__init__.py": '"""Something new."""',
        "seedbed/new/one.py": "from ..old.two import x",
        "seedbed/old/__init__.py": '"""Something old."""',
        "seedbed/old/two.py": "x = 1",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    rooms = {room.folder: room for house in houses(tmp_path) for room in house.rooms}

    assert rooms["seedbed/new"].imports == {"seedbed/old": 1}
    assert rooms["seedbed/new"].purpose == "Something new."


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_a_page_names_is_there(page: str) -> None:
    named = set(IN_BACKTICKS.findall((ROOT / page).read_text(encoding="utf-8")))

    assert {path for path in named if not (ROOT / path).exists()} == set()
