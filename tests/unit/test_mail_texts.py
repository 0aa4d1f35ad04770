"""The e-mails as a person reads them: each is a file in tests/unit/mails/, word for word."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from job_manager.domain.dataset import DatasetReport, ExcludedFile, Split
from job_manager.domain.errors import Cause
from job_manager.domain.notifications.ended import of_ended
from job_manager.domain.notifications.notification import Notification
from job_manager.domain.notifications.plain_text import message_of
from job_manager.domain.notifications.underway import of_delay, of_start
from job_manager.domain.refusal import Delay
from job_manager.domain.results.evaluation import Evaluation
from job_manager.domain.results.scores import (
    Calibration,
    ChampionScore,
    ChangeScore,
    Export,
    LabelScore,
    SingleView,
    UnderChanges,
)
from job_manager.domain.results.trial import Trial
from job_manager.domain.run import Run, RunState
from job_manager.domain.volumes import Amount
from tests.fakes.world import FULL_PLAN, PLAN, a_run

FOLDER = Path(__file__).parent / "mails"
LABELS = ("Black-grass", "Common wheat", "Maize")
BEFORE = "sb-fedcba9876543210-1"
CHANGES = UnderChanges(
    images=100,
    accuracy=0.91,
    macro_f1=0.9,
    weakest="blurred",
    by_change={"noise": ChangeScore(0.94, 0.93), "blurred": ChangeScore(0.88, 0.87)},
    unchanged=ChangeScore(0.94, 0.93),
)
EVALUATION = Evaluation(
    images=103,
    accuracy=0.9515,
    accuracy_interval=(0.8914, 0.9791),
    macro_f1=0.943,
    labels=LABELS,
    confusion=((4, 3, 0), (1, 48, 0), (0, 1, 46)),
    per_label={
        "Black-grass": LabelScore(0.8, 0.571, 0.667, 7),
        "Common wheat": LabelScore(0.923, 0.98, 0.95, 49),
        "Maize": LabelScore(1.0, 0.979, 0.989, 47),
    },
    champion=ChampionScore(0.932, 0.921, (0.866, 0.9667)),
    single_view=SingleView(0.932, 0.92),
    views=8,
    calibration=Calibration(0.061, 0.019),
    exports=(Export("onnx", "exports/model.onnx"),),
    changes=CHANGES,
    validation_accuracy=0.9612,
)
DATASET = DatasetReport(
    images=700,
    used=690,
    labels={"Black-grass": Split(33, 7, 7), "Common wheat": Split(230, 49, 49), "Maize": Split(220, 48, 47)},
    duplicates=(ExcludedFile("Maize/copy.png", "the same image as Maize/1.png"),),
    refused=(ExcludedFile("Maize/notes.txt", "not an image"), ExcludedFile("Maize/9.png", "damaged: at byte 90")),
    refused_kinds={"not an image": 1, "damaged": 1},
    likely_wrong_labels=3,
)
TRIAL = Trial("sb-0123456789abcdef-1-002-0a1b2c3d", "Completed", {"learning_rate": "0.0031"}, 0.9709)


def finished(**changes: Any) -> Run:
    """A run that found a better model than the one before it."""
    run = a_run(
        state=RunState.COMPLETED,
        won=True,
        evaluation=EVALUATION,
        dataset=DATASET,
        best_trial=TRIAL,
        champion_before=BEFORE,
        model_uri="s3://seedlings/runs/sb-0123456789abcdef-1/evaluation/model.tar.gz",
        training_seconds=1800.0,
        expected_usd=(0.04, 0.12),
    )
    return replace(run, ended_at=run.created_at + timedelta(seconds=3905), **changes)


def first() -> Notification:
    evaluation = replace(EVALUATION, champion=None)
    return of_ended(finished(champion_before=None, evaluation=evaluation, plan=FULL_PLAN), "seedbed")


def not_better() -> Notification:
    champion = ChampionScore(0.9709, 0.965, (0.9178, 0.99))
    return of_ended(finished(won=False, evaluation=replace(EVALUATION, champion=champion)), "seedbed")


def refused() -> Notification:
    reason = "There are too few images: 12 of the 60 that a run needs. Upload 48 more under seedlings/<label>/."
    return of_ended(a_run(state=RunState.REFUSED, reason=reason, dataset=replace(DATASET, used=0, labels={})), "plants")


def failed() -> Notification:
    reason = "SageMaker refused the tuning job: the quota 'ml.m5.large for training job usage' is 0, and it needs 2."
    return of_ended(a_run(state=RunState.FAILED, reason=reason), "plants")


def waiting() -> Notification:
    run = a_run(state=RunState.TUNING, waits_for="The tuning job waits for a quota of this account: it is in use.")
    return of_delay(run, Delay(Cause.QUOTA, run.created_at), "plants")


def started() -> Notification:
    run = a_run(given=Amount(690, 9_000_000), expected_usd=(0.04, 0.12), champion_before=BEFORE, plan=FULL_PLAN)
    return of_start(run, "plants")


MAILS = {
    "new_best": lambda: of_ended(finished(), "seedbed"),
    "first": first,
    "not_better": not_better,
    "refused": refused,
    "failed": failed,
    "stopped": lambda: of_ended(a_run(state=RunState.STOPPED, reason="A person stopped it."), "plants"),
    "waiting": waiting,
    "started": started,
}


@pytest.mark.parametrize("name", MAILS)
def test_an_e_mail_reads_as_its_file(name: str) -> None:
    message = message_of(MAILS[name]())

    assert f"Subject: {message.subject}\n\n{message.body}" == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", MAILS)
def test_each_subject_fits_and_each_command_is_for_the_stack(name: str) -> None:
    notification = MAILS[name]()

    assert len(notification.subject) < 100
    commands = [line.text for section in notification.sections for line in section.lines if line.arguments]
    assert all(text.endswith(f" --aws {notification.stack}") for text in commands)


CHANGED = replace(CHANGES, accuracy=0.88)


@pytest.mark.parametrize(
    ("won", "champion", "said"),
    [
        (True, ChampionScore(0.932, 0.92), "1.9 points better"),
        (True, ChampionScore(0.9612, 0.95, changes=CHANGED), "1 point less, but 3.0 points better under changes"),
        (True, ChampionScore(0.9515, 0.943, changes=CHANGED), "equal, but 3.0 points better under changes"),
        (True, ChampionScore(0.9515, 0.9), "equal, but a higher macro-F1"),
        (False, ChampionScore(0.9709, 0.96), "1.9 points less"),
        (False, ChampionScore(0.9515, 0.96), "equal, but a lower macro-F1"),
        (False, ChampionScore(0.9515, 0.943), "equal"),
        (
            False,
            ChampionScore(0.932, 0.93, changes=replace(CHANGES, accuracy=0.95)),
            "1.9 points more, but 4.0 points worse under changes",
        ),
    ],
)
def test_the_subject_says_by_how_much_a_model_is_better_or_not(won: bool, champion: ChampionScore, said: str) -> None:
    evaluation = replace(EVALUATION, champion=champion)

    notification = of_ended(finished(won=won, evaluation=evaluation), "seedbed")

    assert f" right, {said}" in notification.subject
    assert notification.better is won
    assert notification.attributes["outcome"] == ("new_best" if won else "not_better")


def test_a_first_model_is_compared_with_nothing() -> None:
    notification = first()

    assert notification.better is None
    assert "better" not in notification.attributes
    assert notification.attributes["outcome"] == "first_model"


def test_many_labels_with_few_images_are_told_of_in_one_line() -> None:
    labels = [f"species {number}" for number in range(12)]
    evaluation = replace(EVALUATION, confusion=(), per_label={name: LabelScore(0.9, 0.9, 0.9, 9) for name in labels})
    dataset = replace(DATASET, labels={name: Split(42, 9, 9) for name in labels}, likely_wrong_labels=0)

    body = message_of(of_ended(finished(evaluation=evaluation, dataset=dataset), "seedbed")).body

    assert (
        "- 12 labels have only 9 test images each: their figures may be off by 32 points or more. With some 420 images "
        "a label they are off by 10 at most.\n"
    ) in body


def test_a_label_without_test_images_is_not_called_hard() -> None:
    per_label = {**EVALUATION.per_label, "Sugar beet": LabelScore(0.0, 0.0, 0.0, 0)}

    body = message_of(of_ended(finished(evaluation=replace(EVALUATION, per_label=per_label)), "seedbed")).body

    assert "Sugar beet" not in body


def test_a_perfect_model_confuses_no_labels() -> None:
    evaluation = replace(EVALUATION, confusion=((7, 0, 0), (0, 49, 0), (0, 0, 47)))

    body = message_of(of_ended(finished(evaluation=evaluation), "seedbed")).body

    assert "Most confused: no two labels, as every test image was right\n" in body


def test_a_run_that_begins_again_asks_nobody_for_it() -> None:
    body = message_of(of_ended(a_run(state=RunState.FAILED, reason="x", begins_again=True), "seedbed")).body

    assert "It begins again by itself.\n" in body
    assert "seedbed retry" not in body


def test_a_run_that_costs_nothing_has_no_bound() -> None:
    free = replace(PLAN, training=PLAN.training.without_price(), processing=PLAN.processing.without_price())

    body = message_of(of_ended(finished(plan=free, expected_usd=None), "seedbed")).body

    assert "Cost: $0.00\n" in body


def test_a_stacks_name_can_not_end_a_command() -> None:
    body = message_of(of_ended(a_run(state=RunState.STOPPED), "x; rm -rf ~")).body

    assert "    seedbed retry sb-0123456789abcdef-1 --aws 'x; rm -rf ~'\n" in body
