"""What the pages on runs show, without a server: trials, matrix, importance, verdicts."""

import random
from typing import Any

import msgspec
import pytest

from seedbed.dashboard.answers.comparison import Comparison
from seedbed.dashboard.answers.runs import Run
from seedbed.dashboard.views.compare import verdict
from seedbed.dashboard.views.importance import FEWEST, SURE, importances
from seedbed.dashboard.views.matrix import LABELS_SHOWN, PAIRS_SHOWN, Matrix, matrix
from seedbed.dashboard.views.run import head, result
from seedbed.dashboard.views.search import search
from seedbed.dashboard.views.trials import SHOWN, Query, Table, table, trials_of

from .examples import RUN_ID, run
from .run_examples import comparison, full_run, plan, searched

COLUMNS = ["dropout", "learning_rate"]


def read(answer: dict[str, Any]) -> Run:
    return msgspec.convert(answer, Run)


def asked(query: dict[str, str], trials: int = 4) -> Table:
    return table(trials_of(read(full_run(trials))), COLUMNS, Query.read(query, COLUMNS))


def numbers(found: Table) -> list[int]:
    return [trial.number for trial in found.rows]


def against(answer: dict[str, Any]) -> str:
    found = result(read(answer))
    assert found
    return found.against


def counted(labels: int, wrong: dict[tuple[int, int], int]) -> Matrix:
    confusion = [[wrong.get((i, j), 5 if i == j else 0) for j in range(labels)] for i in range(labels)]
    found = matrix([f"label {n}" for n in range(labels)], confusion, lambda label, said: f"/{label}/{said}")
    assert found
    return found


def test_each_head_is_a_trial_with_its_own_values() -> None:
    heads = [
        {"hyperparameters": {"learning_rate": "0.002"}, "validation_accuracy": 0.7},
        {"hyperparameters": {"learning_rate": "0.004"}, "validation_accuracy": None},
    ]
    first, second = trials_of(read(run(plan=plan(), trials=[searched(1, 0.7, heads=heads)])))

    assert (first.number, first.head, first.accuracy, first.best) == (1, 1, 0.7, True)
    assert (second.number, second.head, second.accuracy, second.best) == (2, 2, None, False)
    assert (first.values, second.values["learning_rate"]) == ({"learning_rate": "0.002", "dropout": "0.1"}, "0.004")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [1, 2, 3, 4]),
        ({"sort": "accuracy", "order": "desc"}, [3, 2, 1, 4]),
        ({"sort": "learning_rate", "order": "desc"}, [4, 3, 2, 1]),
        ({"sort": "nonsense"}, [1, 2, 3, 4]),
        ({"from.accuracy": "75"}, [2, 3]),
        ({"from.learning_rate": "0.002", "to.learning_rate": "0.003"}, [2, 3]),
        ({"status": "Failed"}, []),
        ({"from.accuracy": "nan", "to.dropout": "many", "page": "-7"}, [1, 2, 3, 4]),
        ({"page": "1e300"}, [1, 2, 3, 4]),
    ],
)
def test_trials_are_sorted_and_filtered_by_the_address(query: dict[str, str], found: list[int]) -> None:
    assert numbers(asked(query)) == found


def test_a_query_is_written_as_it_is_read() -> None:
    given = {"sort": "accuracy", "order": "desc", "status": "Completed", "from.accuracy": "75", "to.dropout": "0.3"}

    assert dict(pair.split("=") for pair in asked(given).query.written().split("&")) == given


def test_trials_without_an_accuracy_come_last_either_way() -> None:
    given = read(run(plan=plan(), trials=[searched(1, None, status="InProgress"), searched(2, 0.4), searched(3, 0.6)]))
    for order, found in (("asc", [2, 3, 1]), ("desc", [3, 2, 1])):
        assert (
            numbers(table(trials_of(given), COLUMNS, Query.read({"sort": "accuracy", "order": order}, COLUMNS)))
            == found
        )


def test_many_trials_come_in_pages() -> None:
    last = asked({"page": "99"}, trials=750)

    assert (len(asked({}, trials=750).rows), last.pages, last.query.page) == (SHOWN, 8, 8)
    assert numbers(last)[-1] == 750


def test_the_cells_of_a_matrix_lead_to_their_photographs() -> None:
    found = counted(3, {(0, 2): 5, (1, 0): 1})

    assert found.rows[0].cells[2].address == "/label 0/label 2"
    assert [cell.level for cell in found.rows[0].cells] == [3, 0, 3]
    assert [(pair.label, pair.predicted, pair.images) for pair in found.pairs] == [
        ("label 0", "label 2", 5),
        ("label 1", "label 0", 1),
    ]
    assert (found.mistakes, found.hidden) == (6, 0)


def test_of_many_labels_the_most_confused_are_shown() -> None:
    found = counted(100, {(90, 95): 4, (7, 3): 2})

    assert (len(found.rows), found.hidden) == (LABELS_SHOWN, 100 - LABELS_SHOWN)
    assert {"label 90", "label 95", "label 7", "label 3"} <= {row.label for row in found.rows}


def test_pairs_beyond_the_first_are_counted() -> None:
    found = counted(6, {(i, j): 1 for i in range(6) for j in range(6) if i != j})

    assert (len(found.pairs), found.more_pairs) == (PAIRS_SHOWN, 30 - PAIRS_SHOWN)


def test_a_matrix_that_was_not_kept_is_none() -> None:
    assert matrix(["a"] * 150, [], lambda *_: "") is None


def a_search(seed: int, count: int) -> tuple[dict[str, list[float]], list[float]]:
    """Random places of four hyperparameters: the score depends most on a, by a valley, then on b, and not on d."""
    chance = random.Random(seed)
    rows = [{name: chance.random() for name in "dcba"} for _ in range(count)]
    scores = [-(40 * (row["a"] - 0.5) ** 2 + 3 * row["b"] + 0.8 * row["c"]) + chance.gauss(0, 0.3) for row in rows]
    return {name: [row[name] for row in rows] for name in "dcba"}, scores


@pytest.mark.parametrize(("count", "right"), [(SURE, 15), (200, 19), (750, 20)])
def test_importance_finds_what_matters_in_a_known_function(count: int, right: int) -> None:
    found = [importances(*a_search(seed, count)) for seed in range(20)]

    assert sum({one.name for one in ranked[:2]} == {"a", "b"} for ranked in found) >= right
    assert all(sum(one.share for one in ranked) == pytest.approx(1) for ranked in found)


def test_importance_says_where_the_best_trials_lie() -> None:
    (first, *_) = importances(*a_search(1, 750))

    assert first.name == "a"
    assert 0.2 < first.best_low < 0.5 < first.best_high < 0.8


def test_few_trials_say_nothing_of_importance() -> None:
    places, scores = a_search(1, FEWEST - 1)
    stage = search(read(full_run())).stages[0]

    assert importances(places, scores) == []
    assert stage.importance == ()
    assert "12 finished trials are needed" in stage.caution


def test_a_constant_hyperparameter_has_no_importance() -> None:
    places, scores = a_search(1, 100)

    found = importances({**places, "same": [0.5] * 100}, scores)

    assert {one.name: one.share for one in found}["same"] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("space", ["", "{", "[]", '[{"x": 1}]'])
def test_a_search_space_that_cannot_be_read_leaves_its_charts_out(space: str) -> None:
    found = search(read(full_run(plan={**plan(), "search_space": space})))

    assert found.history
    assert found.stages[0].coordinates == ""


def test_values_outside_the_searched_range_widen_their_axis() -> None:
    given = [searched(number, 0.5 + number / 100) for number in range(1, 13)]  # learning rates up to 0.012
    stage = search(read(run(plan=plan(trials=12), trials=given))).stages[0]

    (rate,) = [row for row in stage.importance if row.name == "learning rate"]
    assert rate.searched == "0.001 to 0.012"
    assert rate.best == "0.01 to 0.012"


def test_a_run_says_what_to_do() -> None:
    refused = head(read(run("Refused", reason="There are too few images.")), None)
    failed = head(read(run("Failed", reason="No disk.")), None)

    assert (refused.failed, refused.again, refused.next_step[:11]) == (True, False, "Add or mend")
    assert (failed.failed, failed.again) == (True, True)
    assert head(read(run("Tuning")), None).active


def test_a_result_is_compared_with_the_best_model_before() -> None:
    champion = {"accuracy": 0.7, "macro_f1": 0.7, "accuracy_interval": [0.5, 0.9]}
    beaten = full_run(champion_before="sb-1")
    beaten["evaluation"]["champion"] = champion
    broken = full_run(champion_before="sb-1")
    broken["evaluation"]["champion"] = {"error": "Its file is gone."}

    assert "8.6 points better" in against(beaten)
    assert "could not be scored: Its file is gone." in against(broken)
    assert "first model" in against(full_run())
    assert result(read(run("Tuning"))) is None


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"p_value": 0.01}, "B is better: 20.0\N{NO-BREAK SPACE}points more"),
        ({"p_value": 0.01, "difference": -0.2}, "A is better"),
        ({}, "may be chance"),
        ({"only_second_right": 0, "difference": 0}, "both are right equally often"),
    ],
)
def test_a_comparison_says_whether_the_images_can_tell(more: dict[str, Any], sentence: str) -> None:
    assert sentence in verdict(msgspec.convert(comparison(RUN_ID, "b", **more), Comparison))
