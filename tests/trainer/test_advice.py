"""What the report advises, by the figures of an evaluation."""

from typing import Any

import pytest

from tests.trainer.findings import CHANGES, evaluation_of
from trainer.evaluation.report.advice import FULL_PLAN, advice


def advised(confidences: list[float] | None = None, *, only_heads: bool = False, **changes: Any) -> str:
    """All of the advice for three labels, without the signs around names."""
    evaluation = evaluation_of(["Maize", "Charlock", "Cleavers"], **changes)
    return (
        "\n".join(advice(evaluation, confidences or [], only_heads=only_heads))
        .replace("\u2068", "")
        .replace("\u2069", "")
    )


def label(images: int, recall: float) -> dict[str, float]:
    return {"precision": 1.0, "recall": recall, "f1": recall, "images": images}


def test_labels_with_few_test_photographs_are_named_with_how_far_their_figures_may_be_off() -> None:
    said = advised(per_label={"a": label(8, 0.75), "b": label(14, 1.0), "c": label(15, 0.5)})
    assert "2 labels have fewer than 15 test photographs: a (8) and b (14)." in said
    assert "may be off by up to 34 points" in said


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        (1, "a (1) has fewer than 15 test photographs. Their figures may be off by up to 79 points."),
        (0, "off by up to 100 points"),
    ],
)
def test_a_single_label_with_few_test_photographs(images: int, sentence: str) -> None:
    assert sentence in advised(per_label={"a": label(images, float(images > 0)), "b": label(90, 1.0)})


def test_of_many_such_labels_those_with_the_fewest_are_named() -> None:
    said = advised(per_label={f"label {number}": label(number + 1, 1.0) for number in range(12)})
    assert "12 labels have fewer than 15 test photographs, such as label 0 (1), label 1 (2)" in said
    assert "label 5" not in said


def test_the_labels_that_are_mistaken_most_often() -> None:
    matrix = [[8, 0, 0], [3, 5, 0], [0, 2, 6]]
    assert "Charlock was taken for Maize most often: 3 of its 8 test photographs." in advised(confusion=matrix)
    assert "most often" not in advised(confusion=[[8, 0, 0], [1, 7, 0], [0, 1, 7]])


def test_mistakes_that_the_model_was_sure_of() -> None:
    assert "One mistake was made with a confidence of at least 90%" in advised([0.95, 0.6])
    assert "2 mistakes were made" in advised([0.95, 0.9])
    assert "confidence" not in advised([0.6])


def test_the_change_that_costs_most() -> None:
    assert "“blurred”: 12.5 points" in advised()
    unhurt = {**CHANGES, "unchanged": {"accuracy": 0.7, "macro_f1": 0.7}}
    assert "costs most" not in advised(changes=unhurt)
    assert "costs most" not in advised(changes=None)


def test_the_full_plan_is_offered_after_heads_alone() -> None:
    assert FULL_PLAN in advised(only_heads=True)
    assert FULL_PLAN not in advised()


def test_nothing_is_advised_where_nothing_is_to_be_done() -> None:
    assert not advised(
        per_label={"Maize": label(90, 1.0), "Charlock": label(80, 1.0)},
        confusion=[[90, 0, 0], [0, 80, 0], [0, 0, 80]],
        changes=None,
    )
