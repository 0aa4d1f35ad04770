"""The pictures of the architecture are what the code and the template give now, and its pages name what there is."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.contract.template import ROOT, Template
from tools.architecture.__main__ import IMAGES, pictures
from tools.architecture.flow import steps
from tools.architecture.panels import Box, Label, panels
from tools.architecture.picture import draw_floors
from tools.architecture.rooms import House, Room, houses

PAGES = ("CONTRIBUTING.md", "docs/architecture.md")
CODE = ("functions", "training_container/trainer", "seedbed")
IN_BACKTICKS = re.compile(r"`((?!\.venv)[\w.-]+/[\w./-]*|[\w-]+\.(?:py|md|yaml|toml|txt|in))`")


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    return pictures()


def words(picture: str) -> set[str]:
    """The words of a picture."""
    texts = ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")
    return {word for text in texts for word in "".join(text.itertext()).split()}


@pytest.mark.parametrize("name", ["architecture.svg", "floors.svg"])
def test_committed_picture_is_what_the_code_gives(drawn: dict[str, str], name: str) -> None:
    same = (IMAGES / name).read_text(encoding="utf-8") == drawn[name]

    assert same, f"docs/images/{name} is out of date: run `make architecture`"


def test_picture_of_the_flow_names_every_function(drawn: dict[str, str]) -> None:
    handlers = {one["Handler"].split(".")[0] for one in Template().functions.values()}

    assert handlers <= words(drawn["architecture.svg"])


def test_picture_of_the_floors_names_every_folder_of_code(drawn: dict[str, str]) -> None:
    folders = {path.parent for place in CODE for path in (ROOT / place).rglob("*.py")}
    names = {folder.name for folder in folders}

    assert names <= {part for word in words(drawn["floors.svg"]) for part in word.split("/")[:-1]}


def test_picture_of_the_floors_names_every_module_beside_a_room(drawn: dict[str, str]) -> None:
    beside = {path.rsplit("/", 1)[-1] for house in houses() for floor in house.floors for path in floor.modules}

    assert beside <= {word.rsplit("/", 1)[-1] for word in words(drawn["floors.svg"])}


@pytest.mark.parametrize("house", houses(), ids=lambda house: house.folder)
def test_every_folder_says_what_it_is_for(house: House) -> None:
    assert house.purpose
    assert [room.folder for floor in house.floors for room in floor.rooms if not room.purpose] == []


def test_the_packages_share_no_code_but_with_predictions() -> None:
    foreign = {house.folder: house.foreign for house in houses() if house.foreign}

    assert foreign == {"predictions/predictor": ["job_manager", "trainer"]}


def test_each_function_is_woken_and_changes_something() -> None:
    found = {step.name: step for step in steps()}

    assert found["note_upload"].wakes == ["Bucket", "UploadQueue"]
    assert found["note_upload"].changes == ["Table", "SettleQueue"]
    assert found["advance_run"].wakes == ["SageMaker", "JobStateQueue"]
    assert found["predict"].reads == ["Table", "Bucket"]
    assert all(step.wakes and step.purpose for step in steps())
    assert [step.name for step in steps() if not step.changes] == ["predict"]


def test_a_higher_floor_is_drawn_above_a_lower_one() -> None:
    drawn = list(panels(houses(), 0, 0, 600))

    for panel, house in zip(drawn, houses(), strict=True):
        ends = [row.y + row.height for row in panel.rows]
        assert len(panel.rows) == len(house.floors)
        assert all(end < row.y for end, row in zip(ends, panel.rows[1:], strict=False))


def test_everything_on_a_floor_is_drawn_inside_it() -> None:
    rows = [row for panel in panels(houses(), 0, 0, 600) for row in panel.rows]

    for row in rows:
        drawn: list[Box | Label] = [*row.boxes, *row.labels]
        for one in drawn:
            assert row.x <= one.x < one.x + one.width <= row.x + row.width
            assert row.y <= one.y < one.y + one.height <= row.y + row.height


def test_a_new_room_appears_on_its_floor(tmp_path: Path) -> None:
    for name, text in {
        "seedbed/__init__.py": '"""Top."""',
        "seedbed/cli.py": "from .new import one",
        "seedbed/new/__init__.py": '"""Something new."""',
        "seedbed/new/one.py": "x = 1",
        "seedbed/new/inner/two.py": "import trainer.pack",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = houses(tmp_path, {"seedbed": [["cli"], ["new"]], "trainer": []})[0]

    assert found.floors[0].modules == ["seedbed/cli.py"]
    assert found.floors[1].rooms == [Room("seedbed/new", "Something new.", 3, ["inner"])]
    assert found.foreign == ["trainer"]
    assert "Something new." in draw_floors([found])


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_a_page_names_is_there(page: str) -> None:
    named = set(IN_BACKTICKS.findall((ROOT / page).read_text(encoding="utf-8")))

    assert {path for path in named if not (ROOT / path).exists()} == set()
