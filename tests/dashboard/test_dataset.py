"""The page on a dataset: what it holds, and what may be wrong with it."""

import shlex
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

from seedbed.dashboard.answers.dataset import SizeRange
from seedbed.dashboard.answers.images import FileList
from seedbed.dashboard.answers.runs import version_of
from seedbed.dashboard.charts.sizes import histogram, split_bar
from seedbed.dashboard.charts.thumbnail import thumbnail
from seedbed.dashboard.pages.dataset import SHOWN
from seedbed.dashboard.views import dataset as view

from . import examples
from .client import Client
from .fake_api import FakeApi

VERSION = "d106b611d8cacc5f"
REPORT: dict[str, Any] = {
    "images": 24,
    "used": 20,
    "labels": {
        "Maize": {"train": 7, "validation": 2, "test": 1},
        examples.HOSTILE: {"train": 8, "validation": 1, "test": 1},
    },
    "warnings": [f"Something about {examples.HOSTILE}."],
    "refused_kinds": {"damaged": 1, "not an image": 1},
    "likely_wrong_labels": 1,
    "sizes": [{"least": 150, "most": 299, "images": 18}, {"least": 300, "most": 400, "images": 2}],
    "label_sizes": {"Maize": [150, 180, 400]},
}
WRONG = {"kind": "likely_wrong", "file": "Maize/it's.png", "label": "Maize", "suggested": examples.HOSTILE}


def files(api: FakeApi, *listed: dict[str, Any], more: str | None = None) -> dict[str, Any]:
    """The API's list of images, each with the address of its photograph."""
    counts = dict.fromkeys(("likely_wrong", "near_duplicate", "duplicate", "refused", "sample"), 0)
    for file in listed:
        counts[file["kind"]] += 1
    return {
        "run_id": examples.RUN_ID,
        "counts": counts,
        "files": [{"url": api.link("photograph.png"), "confidence": 0.9962, "thumbnail": 3, **file} for file in listed],
        "next": more,
        "thumbnails": {"url": api.link("sheet.jpg"), "side": 144, "columns": 2, "rows": 2},
    }


@pytest.fixture
def told(api: FakeApi) -> FakeApi:
    """The API, which knows a dataset with an image of a likely wrong label."""
    runs = [examples.short_run()]
    api.answers["GET /runs"] = {"runs": runs, "pending": None, "next": None}
    api.answers[f"GET /datasets/{VERSION}"] = {"version": VERSION, "runs": runs, "report": REPORT, "mosaic_url": None}
    api.answers[f"GET /runs/{examples.RUN_ID}/files"] = files(api, WRONG)
    return api


def test_the_navigation_leads_to_the_newest_dataset(told: FakeApi, client: Client) -> None:
    answer = client.get("/datasets")
    assert answer.headers["location"] == f"/datasets/{VERSION}"


def test_without_a_run_the_page_says_what_to_do(api: FakeApi, client: Client) -> None:
    api.answers["GET /runs"] = {"runs": [], "pending": None, "next": None}
    assert "No dataset yet" in client.get("/datasets").text


def test_a_dataset_that_is_not_prepared_yet_is_told(told: FakeApi, client: Client) -> None:
    told.answers[f"GET /datasets/{VERSION}"]["report"] = None
    assert "once a run has checked them" in client.get(f"/datasets/{VERSION}").text


def test_an_unknown_dataset_is_the_apis_sentence(told: FakeApi, client: Client) -> None:
    assert client.get("/datasets/ffffffffffff").status == 404


def test_the_page_shows_labels_and_what_is_likely_wrong(told: FakeApi, client: Client) -> None:
    page = client.get(f"/datasets/{VERSION}").text
    assert "7 train, 2 validation, 1 test" in page
    assert "longer side 150 to 400 pixels, half of them up to 180" in page
    assert "(99%)" in page
    assert "move those that are wrong to the right folder" in page


def test_hostile_names_stay_text(told: FakeApi, client: Client) -> None:
    page = client.get(f"/datasets/{VERSION}").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_one_kind_has_a_page_of_its_own_with_more(told: FakeApi, client: Client) -> None:
    told.answers[f"GET /runs/{examples.RUN_ID}/files"] = files(told, WRONG, more="96")
    page = client.get(f"/datasets/{VERSION}?kind=likely_wrong&cursor=0").text
    assert told.asked[-1].query["kind"] == "likely_wrong"
    assert "?kind=likely_wrong&amp;cursor=96" in page


def test_a_thousand_images_are_asked_for_in_pages(told: FakeApi, client: Client) -> None:
    client.get(f"/datasets/{VERSION}")
    limits = [int(asked.query["limit"]) for asked in told.asked if asked.path.endswith("/files")]
    assert max(limits) <= 200
    assert limits.count(SHOWN) == 4


def test_an_older_run_without_thumbnails_is_shown_too(told: FakeApi, client: Client) -> None:
    listed = files(told, {**WRONG, "thumbnail": None})
    told.answers[f"GET /runs/{examples.RUN_ID}/files"] = {**listed, "thumbnails": None}
    assert "Open it" in client.get(f"/datasets/{VERSION}").text


def test_images_of_other_addresses_are_not_linked(told: FakeApi) -> None:
    listed = msgspec.convert(files(told, {**WRONG, "url": "javascript:alert(1)"}), FileList)
    (shown,) = view.section("likely_wrong", listed, lambda url: url if url and url.startswith("http") else None).files
    assert shown.picture.address is None


def test_a_command_moves_an_image_whatever_its_name(told: FakeApi) -> None:
    listed = msgspec.convert(files(told, WRONG), FileList)
    (shown,) = view.section("likely_wrong", listed, lambda url: url).files
    source, target = "s3://bucket/seedlings/Maize/it's.png", f"s3://bucket/seedlings/{examples.HOSTILE}/it's.png"
    assert shlex.split(view.move_command("bucket", shown)) == ["aws", "s3", "mv", source, target]


def test_a_thumbnail_is_a_square_of_the_sheet() -> None:
    drawn = str(thumbnail("/picture?a=1&b=2", 5, 2, 3, "Photograph <b>"))
    picture = ElementTree.fromstring(drawn).find("image")
    assert picture is not None
    assert {name: picture.get(name) for name in ("href", "x", "y", "width", "height")} == {
        "href": "/picture?a=1&b=2",
        "x": "-1",
        "y": "-2",
        "width": "2",
        "height": "3",
    }


def test_the_histogram_says_its_numbers() -> None:
    sizes = [SizeRange(least=150, most=299, images=1800), SizeRange(least=300, most=300, images=0)]
    drawn = histogram(sizes)
    assert "150 to 299 pixels: 1,800" in drawn
    assert 'role="img"' in drawn


def test_a_bar_shows_the_splits_end_to_end() -> None:
    assert [part.split('"')[0] for part in split_bar((50, 25, 25), 200).split('width="')[1:]] == ["25", "12.5", "12.5"]


@pytest.mark.parametrize(
    ("run_id", "version"),
    [
        ("sb-d106b611d8cacc5f-1", "d106b611d8cacc5f"),
        ("sb-0123abcdd106b611d8ca-12", "d106b611d8ca"),
        ("other", ""),
    ],
)
def test_a_runs_name_has_its_datasets_version(run_id: str, version: str) -> None:
    assert version_of(run_id) == version
