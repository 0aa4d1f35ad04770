"""Tables are whole at any width: ids and numbers are never cut, and the least important columns go first."""

from typing import Any

import pytest

from seedbed.commands.tables import comparison
from seedbed.commands.tables.labels import LABELS_SHOWN, labels_table
from seedbed.commands.tables.runs import runs_table
from seedbed.commands.tables.trials import TrialsTable
from seedbed.terminal.table import Column, FittedTable, Row
from seedbed.watch.status import Status
from tests.seedbed.test_show import RUN, printed

ID = "sb-3f9c1b7a5d2e8046-1"
LISTED: dict[str, Any] = {
    "run_id": ID,
    "state": "Completed",
    "created_at": "2026-03-20T09:00:00+00:00",
    "ended_at": "2026-03-20T09:10:00+00:00",
    "images": 12_345,
    "test_accuracy": 0.97,
    "won": True,
    "cost_usd": 1.5,
    "reason": None,
    "notice": None,
}
WIDTHS = pytest.mark.parametrize("width", [20, 40, 80, 140, 200])
SCORE = {"precision": 0.91, "recall": 0.82, "f1": 0.865, "images": 1_234}
EVALUATION = {
    "labels": ["Small-flowered Cranesbill", "Maize"],
    "confusion": [[1, 7], [0, 2]],
    "per_label": {"Small-flowered Cranesbill": SCORE, "Maize": {**SCORE, "f1": 0.99}},
}


def lines(content: Any, width: int) -> list[str]:
    """The lines that are not empty."""
    return [line.rstrip() for line in printed(content, width).splitlines() if line.strip()]


@WIDTHS
def test_a_runs_id_stands_whole_and_nothing_is_cut(width: int) -> None:
    shown = lines(runs_table([LISTED]), width)

    assert [line for line in shown if ID in line]
    assert "…" not in "".join(shown)
    assert max(map(len, shown)) <= max(width, len(ID))


@pytest.mark.parametrize(
    ("width", "there", "gone"),
    [
        (200, ["Images", "$1.50", "97.0%", "best"], []),
        (60, ["Completed", "97.0%", "best"], ["Images"]),
        (44, ["Completed", "97.0%"], ["Images", "$1.50", "09:00"]),
        (24, [ID], ["97.0%"]),
    ],
)
def test_the_least_important_columns_of_runs_go_first(width: int, there: list[str], gone: list[str]) -> None:
    shown = printed(runs_table([LISTED]), width)

    assert [word for word in there if word not in shown] == []
    assert [word for word in gone if word in shown] == []


def test_a_run_in_its_middle_shows_its_trials() -> None:
    ended = {"stage": "tune", "status": "Completed", "objective": 0.9}
    run = {**LISTED, "state": "Tuning", "trials": [ended], "plan": {"trials": 8, "heads_per_job": 2}}

    assert "Tuning 1/4" in printed(runs_table([{**LISTED, "state": "Tuning"}], Status(run)), 80)


@WIDTHS
def test_trials_and_labels_are_never_cut(width: int) -> None:
    heads = [{"hyperparameters": {"seed": str(seed)}, "validation_accuracy": 1.0} for seed in range(2)]
    shared = {**RUN, "trials": [{**trial, "heads": heads, "best_head": 1} for trial in RUN["trials"]]}
    for table in (TrialsTable(RUN), TrialsTable(shared), labels_table(EVALUATION)):
        shown = lines(table, width)
        assert "…" not in "".join(shown)
    assert [line for line in lines(TrialsTable(shared), width) if "001-a9d86e71 head 2" in line]
    assert [line for line in lines(TrialsTable(RUN), width) if "001-a9d86e71" in line]


def test_many_labels_are_the_hardest_and_the_number_of_others() -> None:
    scores = {f"label {number:03d}": {**SCORE, "f1": number / 1000, "images": number % 5} for number in range(1000)}
    shown = lines(labels_table({"labels": list(scores), "confusion": [], "per_label": scores}), 100)

    assert len(shown) == 2 + LABELS_SHOWN + 2
    assert [line.split()[:2] for line in shown[2:4]] == [["label", "001"], ["label", "002"]]
    assert shown[-2:] == [
        "770 other labels scored as well as these or better.",
        "200 labels had no test images: how well they are recognised is not known.",
    ]


def test_a_table_that_fits_nowhere_is_a_line_a_row() -> None:
    table = FittedTable((Column("Id"), Column("Value"), Column("Beside", rank=1)), [Row(("a" * 30, "1.25", "x"))])

    assert lines(table, 20) == [f"{'a' * 30}  1.25"]


def in_full(run_id: str, **changes: Any) -> dict[str, Any]:
    """A run in full, as the API answers it."""
    return {
        **LISTED,
        "run_id": run_id,
        "content": "a",
        "plan": {"trials": 8},
        "trials": [],
        "dataset": {"images": 72, "used": 70, "labels": {"Maize": {}, "Charlock": {}}},
        "test_accuracy_interval": [0.9, 0.99],
        "single_view": {"accuracy": 0.95},
        "macro_f1": 0.96,
        "validation_accuracy": 0.98,
        "changes": {"accuracy": 0.87, "by_change": {"noise": {"accuracy": 0.81}}},
        "hyperparameters": {"dropout": "0.2", "epochs": "20"},
        "evaluation": {"champion": None},
        "champion_before": None,
        **changes,
    }


ONE, OTHER = in_full(ID), in_full(ID[:-1] + "2", hyperparameters={"dropout": "0.4", "epochs": "20"})


@WIDTHS
def test_two_runs_stand_side_by_side(width: int) -> None:
    for table in (comparison.figures(ONE, OTHER), comparison.hyperparameters(ONE, OTHER)):
        assert table
        assert "…" not in "".join(lines(table, width))
    assert "97.0% (90.0% to 99.0%)" in printed(comparison.figures(ONE, OTHER), 80)


def test_only_hyperparameters_that_differ_are_compared() -> None:
    shown = printed(comparison.hyperparameters(ONE, OTHER), 80)

    assert "dropout" in shown
    assert "epochs" not in shown
    assert comparison.hyperparameters(ONE, ONE) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, comparison.SAME),
        ({"content": "b"}, comparison.OTHERS),
        ({"test_accuracy": None, "state": "Tuning"}, f"{OTHER['run_id']} has not been scored: its state is Tuning."),
    ],
)
def test_it_is_said_how_far_two_runs_compare(changes: dict[str, Any], said: str) -> None:
    assert said in list(comparison.verdict(ONE, {**OTHER, **changes}))


def test_the_comparison_that_a_run_made_itself_counts() -> None:
    champion = {"accuracy": 0.94, "error": None}
    later = {**OTHER, "content": "b", "champion_before": ID, "evaluation": {"champion": champion}}

    said = f"On the test images of {later['run_id']}, {ID} gets 94.0%, and {later['run_id']} 97.0%."
    assert said in list(comparison.verdict(ONE, later))
