"""The model card: facts for people, content that SageMaker accepts, and labels that may hold anything."""

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.trainer.findings import EXPORTS, evaluation_of, facts_of
from trainer.evaluation import model_card
from trainer.evaluation.model_card import usage
from trainer.evaluation.model_card.wording import in_markdown, one_line

HOSTILE = [
    "| <script>alert(1)</script>",
    "one\ntwo\r\n\n# three",
    "[here](http://example.com) <http://example.com>",
    "![x](javascript:alert(1))",
    "`code` **bold** _it_ ~~no~~ \\",
    "&lt;b&gt; &#60; <!-- comment -->",
    "\u202egnp.exe\u2028\u2029\x00\x1b[31m",
    "http://example.com www.example.com someone@example.com",
    "Ackerfuchsschwanz Größe 100 %",
]
# From "Model package model card schema" in the SageMaker developer guide, and from CreateModelCard.
LONGEST_CONTENT = 100_000
LONGEST = {
    "model_description": 1024,
    "algorithm_type": 1024,
    "purpose_of_model": 2048,
    "intended_uses": 2048,
    "factors_affecting_model_efficiency": 2048,
    "explanations_for_risk_rating": 2048,
    "training_observations": 1024,
    "evaluation_observation": 2096,
    "caveats_and_recommendations": 2048,
    "notes": 1024,
    "name": 255,
    "value": 255,
}
LONGEST_DETAIL, LONGEST_GROUP, LONGEST_AXIS_NAME, LARGEST_MATRIX, MAX_HYPERPARAMETERS = 1024, 63, 63, 20, 100

pytestmark = [pytest.mark.filterwarnings(f"ignore:::{module}") for module in ("sagemaker", "pydantic", "boto3")]


def written(folder: Path, evaluation: dict[str, Any], facts: dict[str, Any]) -> tuple[str, str]:
    """The card as Markdown and as JSON."""
    folder.mkdir(exist_ok=True)
    model_card.write(folder, facts, evaluation)
    card, content = (folder / name for name in ("model_card.md", "model_card.json"))
    return card.read_text(encoding="utf-8"), content.read_text(encoding="utf-8")


def card_of(folder: Path, labels: list[str], **changes: Any) -> str:
    return written(folder, evaluation_of(labels, **changes), facts_of(labels))[0]


def content_of(folder: Path, labels: list[str], **changes: Any) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(written(folder, evaluation_of(labels, **changes), facts_of(labels))[1])
    return read


def parsed(markdown: str) -> list[Token]:
    """The tokens of Markdown with tables, strikethrough and automatic links."""
    return MarkdownIt("gfm-like", {"linkify": False}).enable(["table", "strikethrough"]).parse(markdown)


def inline(tokens: list[Token]) -> list[Token]:
    return [child for token in tokens for child in token.children or []]


def texts(markdown: str) -> list[str]:
    """The text of each heading, paragraph and cell."""
    return ["".join(child.content for child in token.children or []) for token in parsed(markdown) if token.children]


def test_the_card_shows_the_findings(tmp_path: Path) -> None:
    champion = {"images": 24, "accuracy": 0.8, "accuracy_interval": [0.6, 0.9], "macro_f1": 0.8}
    card = card_of(tmp_path, ["Maize", "Charlock", "Cleavers"], champion=champion)
    for fact in (
        "a classifier of 3 labels",
        "pixels, 0 to 255",
        "| On 24 test photographs | |",
        "83.3%, interval 64.1% to 93.3%",
        "| Accuracy of the champion before it | 80.0% |",
        "1.9%; 6.1% before the temperature",
        "| Expected calibration error under changes | 2.3%; 7.0% before the temperature |",
        "It is sure from a confidence of 81.2%, to be wrong at most 5.0% of the time",
        "| as they are | 24 | 79.2% | 5.3% | 4.2% |",
        "| under changes | 32 | 50.0% | none is sure | 3.1% |",
        "| Accuracy under harmless changes | 71.9%, 81.2% unchanged |",
        "| 16 test photographs | Accuracy | Macro-F1 |",
        "| blurred | 68.8% | 66.0% |",
        "| Validation accuracy | 93.1% |",
        "| 0 | Maize | 80.0% | 100.0% | 88.9% | 8 |",
        "Apache License 2.0",
        "| epochs | 30 |",
        "13.7 | 1.2e-06 | 99.0% |",
        "What it is not for",
    ):
        assert fact in card


def test_the_card_tells_how_to_use_each_format_that_was_made(tmp_path: Path) -> None:
    blocks = [token.content for token in parsed(card_of(tmp_path, ["Maize", "Charlock"])) if token.type == "fence"]

    (keras_,) = [block for block in blocks if "import keras" in block]
    (onnx,) = [block for block in blocks if "import onnxruntime" in block]
    assert blocks == [usage.PROBABILITIES + "\n", keras_, onnx, 'print(probabilities("photo.jpg", predict))\n']


def test_an_application_of_keras_is_not_given_another_licence(tmp_path: Path) -> None:
    facts = facts_of(["a", "b"], backbone="MobileNetV3Large")
    card, content = written(tmp_path, evaluation_of(["a", "b"]), facts)
    for form in (card, content):
        assert "Apache" not in form
        assert "keras" in form


def test_the_changes_are_missing_if_none_were_made(tmp_path: Path) -> None:
    card, content = written(tmp_path, evaluation_of(["a", "b"], changes=None), facts_of(["a", "b"]))
    assert "harmless" not in card + content


def test_a_model_that_can_not_tell_when_it_is_sure_has_a_card_without_it(tmp_path: Path) -> None:
    card, content = written(tmp_path, evaluation_of(["a", "b"], when_sure=None), facts_of(["a", "b"]))
    assert "When it is sure" not in card
    assert "sure of" not in content


def test_untested_labels_and_a_broken_champion_are_accepted(tmp_path: Path) -> None:
    labels = ["a", "b"]
    evaluation = evaluation_of(["a"], champion={"error": "It can't be read."}, exports=[])
    evaluation |= {"labels": labels, "confusion": [[8, 0], [0, 0]]}
    evaluation["per_label"]["b"] = {"precision": 0.0, "recall": 0.0, "f1": 0.0, "images": 0}
    card, content = written(tmp_path, evaluation, facts_of(labels))
    assert "| 1 | b | | | | none |" in card
    assert "champion" not in card
    bars = metrics(json.loads(content))["f1"]
    assert (bars["x_axis_name"], bars["value"]) == (["a"], [1.0])


def test_hostile_names_are_shown_literally_and_make_no_markup(tmp_path: Path) -> None:
    plain = [f"label {number}" for number in range(len(HOSTILE))]
    hostile = evaluation_of(HOSTILE, members=HOSTILE, exports=[{**EXPORTS[0], "file": HOSTILE[0]}])
    facts = facts_of(HOSTILE, hyperparameters={HOSTILE[0]: HOSTILE[1], "nested": {"<b>": "|"}})
    card, _ = written(tmp_path, hostile, facts)
    clean, _ = written(
        tmp_path,
        evaluation_of(plain, exports=[EXPORTS[0]]),
        facts_of(plain, hyperparameters={"a": "b", "nested": "c"}),
    )
    assert [token.type for token in parsed(card)] == [token.type for token in parsed(clean)]
    assert {token.type for token in inline(parsed(card))} <= {"text", "text_special"}
    shown = texts(card)
    for name in HOSTILE:
        assert one_line(name) in shown


@given(st.text(st.characters(exclude_categories=()), max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_text_in_a_cell_is_shown_literally(text: str) -> None:
    cells = texts(f"| a | b |\n|---|---|\n| {in_markdown(text + 'x')} | {in_markdown('x' + text)} |\n")
    assert cells == ["a", "b", one_line(text + "x"), one_line("x" + text)]


@given(st.text(st.characters(exclude_categories=()), max_size=300), st.integers(2, 80))
def test_a_line_is_printable_and_no_longer_than_allowed(text: str, longest: int) -> None:
    line = one_line(text, longest)
    assert len(line) <= longest
    assert len(line.splitlines()) <= 1
    assert line.encode("utf-8").decode("utf-8") == line


def test_raw_html_never_comes_from_a_name(tmp_path: Path) -> None:
    elements: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            elements.append(tag)

    Reader().feed(MarkdownIt("gfm-like", {"linkify": False}).render(card_of(tmp_path, HOSTILE)))
    assert elements
    assert not {"script", "a", "img", "em", "strong", "s"} & set(elements)
    assert elements.count("code") == elements.count("pre") > 0, "code stands in blocks of the card's own"


@pytest.mark.parametrize("count", [1, 3, 20, 21, 1000])
def test_the_sagemaker_sdk_accepts_every_field_of_the_content(tmp_path: Path, count: int) -> None:
    from sagemaker.core.shapes.model_card_shapes import ModelCardContent  # noqa: PLC0415  seconds of imports

    content = content_of(tmp_path, [f"label {number}" for number in range(count)])
    assert ModelCardContent(**content).model_dump(mode="json", exclude_none=True) == content


@pytest.mark.parametrize(
    "labels",
    [
        HOSTILE,
        [f"{number}" + '"' * 900 for number in range(20)],
        [f"{number}" + "\\" * 900 for number in range(1000)],
        [f"{number}" + "\n" * 900 for number in range(1000)],
    ],
    ids=["hostile", "quotes", "many", "line ends"],
)
def test_the_content_is_within_the_lengths_of_the_schema(tmp_path: Path, labels: list[str]) -> None:
    names = [f"{number}" + '"' * 900 for number in range(200)]
    exports = [{"format": name, "error": name} for name in names]
    evaluation = evaluation_of(labels, members=names, exports=exports)
    _, text = written(tmp_path, evaluation, facts_of(labels, hyperparameters=dict.fromkeys(names, names[0])))
    content = json.loads(text)
    assert len(text) <= LONGEST_CONTENT
    assert len(text.splitlines()) == 1
    for field, value in fields(content):
        if isinstance(value, str):
            assert 1 <= len(value) <= LONGEST.get(field, LONGEST_DETAIL), field
    (evaluated,) = content["evaluation_details"]
    assert all(len(group["name"]) <= LONGEST_GROUP for group in (evaluated, *evaluated["metric_groups"]))
    for metric in metrics(content).values():
        axes = [*metric.get("x_axis_name", ()), *metric.get("y_axis_name", ())]
        assert all(len(name) <= LONGEST_AXIS_NAME for name in axes)
        if metric["type"] == "matrix":
            assert len(metric["value"]) <= LARGEST_MATRIX
        if axes:
            assert len(metric["x_axis_name"]) == len(metric["value"])
    details = content["training_details"]["training_job_details"]
    assert len(details["hyper_parameters"]) <= MAX_HYPERPARAMETERS


def test_up_to_twenty_labels_have_a_confusion_matrix(tmp_path: Path) -> None:
    crossing = "images of a row's label taken for a column's"
    for count, crossed in ((20, True), (21, False)):
        found = metrics(content_of(tmp_path, [f"label {number}" for number in range(count)]))
        assert (crossing in found) is crossed


def test_the_content_has_the_weakest_of_many_labels(tmp_path: Path) -> None:
    bars = metrics(content_of(tmp_path, [f"label {number}" for number in range(300)]))["f1"]
    assert len(bars["value"]) == 100
    assert bars["value"] == sorted(bars["value"])
    assert "label 0" not in bars["x_axis_name"]


def fields(content: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar value of the content with the name of its field."""
    if isinstance(content, dict):
        for field, value in content.items():
            yield from fields(value, field)
    elif isinstance(content, list):
        for value in content:
            yield from fields(value, name)
    else:
        yield name, content


def metrics(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The metrics of all groups, by name."""
    (evaluated,) = content["evaluation_details"]
    return {metric["name"]: metric for group in evaluated["metric_groups"] for metric in group["metric_data"]}
