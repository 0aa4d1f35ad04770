"""The report: one page with the findings that loads nothing, with any names of labels and files."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trainer.findings import CHANGES, EXPORTS, evaluation_of, facts_of
from trainer.answering.averages import softmax
from trainer.archive import Model
from trainer.evaluation.calibration import reliability
from trainer.evaluation.candidates import Candidate
from trainer.evaluation.mistakes import Mistake
from trainer.evaluation.report import Findings, write_report
from trainer.keras_loader import keras

SCRIPT = "<script>alert(1)</script>"
QUOTES = "\" onmouseover='alert(1)' x=\""
BRACES = "{{ 7 * 7 }}"
HOSTILE = [SCRIPT, QUOTES, BRACES, "</style></svg><img src=x onerror=alert(1)>", "&lt;b&gt;"]
LOADING = {"src", "href", "xlink:href", "srcset", "poster", "data", "action", "formaction", "background"}
RUNNING = {"script", "iframe", "object", "embed", "link", "base", "form"}


class Page(HTMLParser):
    """A parsed page: its elements and its text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.shown: list[str] = []
        self.source = source
        self.feed(source)
        self.text = " ".join(" ".join(self.shown).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.shown.append(data)

    def count(self, tag: str) -> int:
        """Elements with this name."""
        return sum(name == tag for name, _ in self.elements)


def candidate(*kinds: str, views: int = 8) -> Candidate:
    members = tuple(
        Model(
            keras.Sequential(),
            {"kind": kind, "backbone": "efficientnet-lite0", "validation_accuracy": 0.9501},
            ["a"],
            160,
        )
        for kind in kinds
    )
    return Candidate(
        title="Both, averaged" if len(kinds) > 1 else "The best trial",
        members=members,
        views=views,
        temperature=1.234,
        accuracy=0.9312,
        log_loss=0.2345,
        probabilities=np.ones((1, 1), np.float32),
    )


def mistake(file: str, truth: str, predicted: str, *, explained: bool = True) -> Mistake:
    rng = np.random.default_rng(1)
    heat_map = rng.random((5, 5), np.float32) if explained else None
    return Mistake(
        file=file,
        truth=truth,
        predicted=predicted,
        confidence=0.97,
        picture=rng.integers(0, 256, (32, 32, 3), np.uint8),
        heat_map=heat_map,
    )


def page_of(
    folder: Path,
    labels: Sequence[str],
    mistakes: Sequence[Mistake] = (),
    *,
    facts: dict[str, Any] | None = None,
    runs: tuple[str, str] = ("", ""),
    kind: str = "fine-tune",
    **changes: Any,
) -> Page:
    chosen = candidate(kind)
    rng = np.random.default_rng(2)
    probabilities = softmax(rng.normal(size=(40, len(labels))).astype(np.float32))
    found = reliability(probabilities, rng.integers(0, len(labels), 40).astype(np.int32))
    findings = Findings(
        evaluation=evaluation_of(labels, **changes),
        facts=facts or facts_of(labels),
        candidates=[chosen, candidate(kind, views=1), candidate(kind, "head")],
        chosen=chosen,
        validation_counts=[8] * len(labels),
        parameters=3_400_000,
        reliability_before=found,
        reliability_after=found,
        mistakes=list(mistakes),
        run=runs[0],
        champion_run=runs[1],
    )
    write_report(folder / "report.html", findings)
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def test_the_page_shows_the_findings(tmp_path: Path) -> None:
    page = page_of(tmp_path, ["Maize", "Charlock", "Cleavers"], [mistake("Maize/a b.png", "Maize", "Charlock")])
    for fact in (
        "83.3 % of 24 photographs",
        "There is no earlier model to compare it with.",
        "averaging 8 views gains +8.3 points",
        "6.1% before the temperature of 1.23",
        "Sure of 79.2% 5.3% of these are wrong; at most 5.0% were asked for",
        "It is sure from a confidence of 81.2%",
        "as they are 24 79.2% 5.3% 4.2%",
        "under changes 32 50.0% \N{EN DASH} 3.1%",
        "Under changes the error is 2.3%, and 7.0% without the temperature.",
        "Mistakes 4 of 24 photographs",
        "Both, averaged fine-tune/efficientnet-lite0, head/efficientnet-lite0",
        "Charlock Maize 2 25.0%",
        "97% Maize predicted as Charlock Maize/a b.png",
        "Parameters 3,400,000",
        "learning_rate 0.003",
        "onnx exports/model.onnx 13.7 MB 1.2e-06 99.0%",
        "litert It could not be made: no such operation.",
        "Validation accuracy 93.12% as it is used; 95.01% in training",
    ):
        assert fact in page.text.replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_hostile_names_are_text(tmp_path: Path) -> None:
    clean = page_of(tmp_path, ["a", "b", "c", "d", "e"], [mistake("a/a", "a", "b")])
    page = page_of(
        tmp_path,
        HOSTILE,
        [mistake(f"{SCRIPT}/{QUOTES}.png", SCRIPT, BRACES)],
        facts=facts_of(HOSTILE, hyperparameters={SCRIPT: QUOTES, "epochs": SCRIPT}),
        members=[SCRIPT],
        exports=[{**EXPORTS[0], "file": SCRIPT}, {"format": SCRIPT, "error": SCRIPT}],
    )
    assert [name for name, _ in page.elements] == [name for name, _ in clean.elements]
    assert {key for _, attributes in page.elements for key in attributes} == {
        key for _, attributes in clean.elements for key in attributes
    }
    for name in HOSTILE:
        assert " ".join(name.split()) in page.text


@pytest.mark.parametrize("labels", [["a", "b"], HOSTILE])
def test_the_page_loads_nothing_and_runs_nothing(tmp_path: Path, labels: list[str]) -> None:
    page = page_of(tmp_path, labels, [mistake("a/a.png", labels[0], labels[1])])
    loaded = [value for _, attributes in page.elements for key, value in attributes.items() if key in LOADING]
    assert loaded
    assert all(value and value.startswith("data:image/jpeg;base64,") for value in loaded)
    assert not RUNNING & {name for name, _ in page.elements}
    assert not [key for _, attributes in page.elements for key in attributes if key.startswith("on")]
    style = re.findall(r"<style>(.*?)</style>", page.source, re.DOTALL)
    assert len(style) == 1
    assert not re.search(r"url\(|@import", style[0])
    policies = [attributes["content"] for name, attributes in page.elements if "http-equiv" in attributes]
    assert policies == [
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    ]


def test_a_champion_is_compared_on_the_same_photographs(tmp_path: Path) -> None:
    champion = {"images": 16, "accuracy": 0.9, "accuracy_interval": [0.7, 0.97], "macro_f1": 0.9}
    page = page_of(tmp_path, ["a", "b"], champion=champion)
    assert "\N{MINUS SIGN}2.5 points against the champion, scored on the same photographs." in page.text
    assert "Champion" in page.text


def test_the_run_and_the_champions_run_are_named_first(tmp_path: Path) -> None:
    champion = {"images": 16, "accuracy": 0.75, "accuracy_interval": [0.5, 0.9], "macro_f1": 0.7}
    page = page_of(tmp_path, ["a", "b"], runs=("sb-1", "sb-0"), champion=champion)
    before, _, after = page.text.partition("Evaluation of the best model")
    assert "test photographs: run sb-1" in before
    assert after.lstrip().startswith("Run sb-1 , against the champion of run sb-0 ·")
    assert "+12.5 points against the champion of run sb-0 , scored on the same photographs." in after


def test_a_champion_that_could_not_be_scored_is_not_said_to_be_compared(tmp_path: Path) -> None:
    page = page_of(tmp_path, ["a", "b"], runs=("sb-1", "sb-0"), champion={"error": "It can't be read."})
    assert "Run sb-1 ·" in page.text
    assert "against the champion" not in page.text


def test_the_page_says_what_to_do_next(tmp_path: Path) -> None:
    heads = page_of(tmp_path, ["a", "b"], [mistake("a/a.png", "a", "b")], kind="head").text
    assert heads.index("What to do next") < heads.index("How it was chosen")
    assert "2 labels have fewer than 15 test photographs" in heads
    assert "seedbed up --plan full" in heads
    assert "seedbed up --plan full" not in page_of(tmp_path, ["a", "b"]).text


def test_the_changes_stand_beside_the_unchanged_photographs_weakest_first(tmp_path: Path) -> None:
    page = page_of(tmp_path, ["a", "b"])
    assert "Under changes 71.9% mean over 2 harmless changes; weakest: blurred, 68.8%" in page.text
    assert "16 of the test photographs" in page.text
    assert "the same photographs unchanged: 81.2%." in page.text
    assert "blurred 68.8% 66.0% noise 75.0% 74.0%" in page.text
    lines = [attributes["style"] for _, attributes in page.elements if attributes.get("class") == "rule"]
    assert lines == ["left: 81.2%"] * 2


def test_the_champion_is_shown_under_the_same_changes(tmp_path: Path) -> None:
    by_change = {"noise": {"accuracy": 0.625, "macro_f1": 0.6}, "blurred": {"accuracy": 0.875, "macro_f1": 0.9}}
    champion = {"images": 16, "accuracy": 0.9, "accuracy_interval": [0.7, 0.97], "macro_f1": 0.9}
    page = page_of(tmp_path, ["a", "b"], champion={**champion, "changes": {**CHANGES, "by_change": by_change}})
    assert "blurred 68.8% 66.0% 87.5% noise 75.0% 74.0% 62.5%" in page.text


def test_the_changes_are_missing_if_none_were_made(tmp_path: Path) -> None:
    assert "changes" not in page_of(tmp_path, ["a", "b"], changes=None).text


def test_a_champion_that_could_not_be_scored_says_why(tmp_path: Path) -> None:
    page = page_of(tmp_path, ["a", "b"], champion={"error": f"The model {SCRIPT} can't be read."})
    assert f"The earlier champion could not be scored: The model {SCRIPT} can't be read." in page.text


def test_the_gallery_is_missing_without_mistakes(tmp_path: Path) -> None:
    page = page_of(tmp_path, ["only"])
    assert "100.0" in page.text
    assert "There are no confusions." in page.text
    assert "The most confident mistakes" not in page.text
    assert page.count("img") == 0


def test_a_mistake_without_a_heat_map_is_shown_alone(tmp_path: Path) -> None:
    page = page_of(tmp_path, ["a", "b"], [mistake("a/a.png", "a", "b", explained=False)])
    assert page.count("img") == 1


def test_the_formats_are_missing_without_exports(tmp_path: Path) -> None:
    assert "Other formats" not in page_of(tmp_path, ["a", "b"], exports=[]).text


def test_a_label_without_test_images_is_listed_last_and_not_scored(tmp_path: Path) -> None:
    labels = ["a", "b", "none of it"]
    evaluation = evaluation_of(["a", "b"])
    evaluation["per_label"]["none of it"] = {"precision": 0.0, "recall": 0.0, "f1": 0.0, "images": 0}
    per_label, confusion = evaluation["per_label"], [[8, 0, 0], [2, 6, 0], [0, 0, 0]]
    page = page_of(tmp_path, labels, per_label=per_label, confusion=confusion, images=16)
    assert "none of it no test images 0" in page.text
    assert page.text.index("none of it no test images") > page.text.index("a 88.9")


@pytest.mark.parametrize(("count", "crossed"), [(40, True), (41, False), (300, False)])
def test_more_than_40_labels_have_no_confusion_matrix(tmp_path: Path, count: int, crossed: bool) -> None:
    page = page_of(tmp_path, [f"label {number}" for number in range(count)])
    tables = [attributes.get("class") for name, attributes in page.elements if name == "table"]
    assert ("matrix" in tables) is crossed
    assert f"label {count - 1}" in page.text


def test_a_single_mistake_is_counted_despite_a_rounded_accuracy(tmp_path: Path) -> None:
    per_label = {
        "a": {"precision": 1.0, "recall": 1.0, "f1": 1.0, "images": 49_999},
        "b": {"precision": 1.0, "recall": 1.0, "f1": 1.0, "images": 1},
    }
    page = page_of(
        tmp_path, ["a", "b"], images=50_000, accuracy=1.0, confusion=[[49_998, 1], [0, 1]], per_label=per_label
    )
    assert "Mistakes 1 of 50,000 photographs" in page.text
