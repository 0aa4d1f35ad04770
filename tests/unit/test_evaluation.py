"""Whether a model becomes the champion, and what is recorded of its evaluation."""

from dataclasses import replace

import pytest

from job_manager.domain.results.evaluation import Evaluation
from job_manager.domain.results.scores import ChampionScore, ChangeScore, Export, UnderChanges


def evaluation(accuracy: float, macro_f1: float, champion: ChampionScore | None) -> Evaluation:
    return Evaluation(20, accuracy, (0.0, 1.0), macro_f1, champion=champion)


def test_the_first_model_wins() -> None:
    assert evaluation(0.1, 0.1, None).beats_champion()


@pytest.mark.parametrize(
    ("accuracy", "macro_f1", "wins"),
    [
        (0.91, 0.10, True),
        (0.90, 0.81, True),
        (0.90, 0.80, False),
        (0.90, 0.79, False),
        (0.89, 0.99, False),
    ],
)
def test_the_champion_stays_unless_accuracy_or_on_a_tie_f1_is_higher(
    accuracy: float, macro_f1: float, wins: bool
) -> None:
    champion = ChampionScore(accuracy=0.90, macro_f1=0.80)

    assert evaluation(accuracy, macro_f1, champion).beats_champion() is wins


def test_a_champion_that_cannot_be_read_is_replaced() -> None:
    assert evaluation(0.1, 0.1, ChampionScore(error="The archive holds no model.keras.")).beats_champion()


def under(accuracy: float, macro_f1: float, *, images: int = 40, change: str = "noise") -> UnderChanges:
    """Scores under one change."""
    scores = ChangeScore(accuracy, macro_f1)
    return UnderChanges(images, accuracy, macro_f1, change, {change: scores}, ChangeScore(0.9, 0.9))


@pytest.mark.parametrize(
    ("accuracy", "under_changes", "wins"),
    [
        (0.90, under(0.81, 0.10), True),
        (0.89, under(0.82, 0.10), True),
        (0.91, under(0.78, 0.99), False),
        (0.91, under(0.79, 0.81), True),
        (0.91, under(0.79, 0.80), False),
        (0.99, under(0.70, 0.99), False),
    ],
)
def test_models_are_compared_by_the_mean_of_both_accuracies_then_of_both_f1s(
    accuracy: float, under_changes: UnderChanges, wins: bool
) -> None:
    champion = ChampionScore(accuracy=0.90, macro_f1=0.80, changes=under(0.80, 0.80))
    challenger = replace(evaluation(accuracy, 0.80, champion), changes=under_changes)

    assert challenger.beats_champion() is wins


@pytest.mark.parametrize("theirs", [None, under(0.99, 0.99, images=41), under(0.99, 0.99, change="blurred")])
def test_models_not_scored_under_the_same_changes_are_compared_on_the_test_split(theirs: UnderChanges | None) -> None:
    champion = ChampionScore(accuracy=0.90, macro_f1=0.80, changes=theirs)

    assert replace(evaluation(0.91, 0.8, champion), changes=under(0.5, 0.5)).beats_champion()
    assert not replace(evaluation(0.89, 0.8, champion), changes=under(1.0, 1.0)).beats_champion()


def test_the_confusion_matrix_of_many_labels_is_not_recorded() -> None:
    labels = tuple(str(number) for number in range(101))
    evaluation = Evaluation(1, 1.0, (0.5, 1.0), 1.0, labels, ((1,) * 101,) * 101)
    assert evaluation.as_recorded().confusion == ()
    assert replace(evaluation, labels=labels[:100]).as_recorded().confusion != ()


def test_an_evaluation_is_cut_to_fit_into_an_item_of_the_table() -> None:
    many = {f"{number} {'c' * 10**6}": ChangeScore(1.0, 1.0) for number in range(100)}
    changes = UnderChanges(1, 1.0, 1.0, "0 " + "c" * 10**6, many, ChangeScore(1.0, 1.0))
    wordy = Evaluation(
        1,
        1.0,
        (0.5, 1.0),
        1.0,
        exports=(Export("onnx", error="x" * 10**6, files={"f" * 10**6: "", "g": "h" * 10**6}),) * 1000,
        members=("m" * 10**6,) * 1000,
        files={f"{number:09}": "0" * 64 for number in range(10**4)},
        champion=ChampionScore(changes=changes),
        changes=changes,
    )

    assert len(str(wordy.as_recorded())) < 50_000


def test_the_digests_of_a_models_files_are_recorded() -> None:
    files = {"exports/model.onnx": "0" * 64}
    evaluation = Evaluation(1, 1.0, (0.5, 1.0), 1.0, exports=(Export("onnx", files=files),), files={"model.json": ""})

    assert evaluation.as_recorded() == evaluation
