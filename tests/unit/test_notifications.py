"""A notification tells the result and what to do next, and nothing in it can control a mail program."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_manager.domain.dataset import DatasetReport, ExcludedFile, Split
from job_manager.domain.notifications.ended import of_ended
from job_manager.domain.notifications.images import NAMES_SHOWN
from job_manager.domain.notifications.plain_text import Message, message_of
from job_manager.domain.notifications.wording import SUBJECT_LIMIT
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
from job_manager.domain.results.trial import Head, Heads, Trial
from job_manager.domain.run import Run, RunState
from tests.fakes.world import FULL_PLAN, PLAN, a_run

HOSTILE = [
    "two\nlines",
    "Bcc: everyone@example.com\r\nSubject: other",
    "\x1b[2J\x1b]0;title\x07",
    "<script>alert(1)</script>",
    "\u202egnp.elif\u2028\u0085\ud800",
    "long " * 300,
    "",
]


def message_about(run: Run) -> Message:
    """The e-mail about a run that has ended, in a stack called seedbed."""
    return message_of(of_ended(run, "seedbed"))


def completed(won: bool = True, champion: ChampionScore | None = None, label: str = "Maize") -> Run:
    trial = Trial(
        "sb-0123456789abcdef-1-002-0a1b2c3d", "Completed", {"learning_rate": "0.00312345", "epochs": "30"}, 0.93
    )
    scores = Evaluation(
        1234, 0.914, (0.83, 0.96), 0.9, (label,), ((6,),), {label: LabelScore(1.0, 0.83, 0.91, 6)}, champion
    )
    split = {label: Split(train=28, validation=6, test=6)}
    run = a_run(state=RunState.COMPLETED, won=won, evaluation=scores, best_trial=trial)
    return replace(
        run,
        dataset=DatasetReport(
            43,
            40,
            split,
            (),
            (ExcludedFile(f"{label}/x.png", label),),
            near_duplicates=(ExcludedFile("Maize/n.png", label),) * 2,
            warnings=(f"None of the 3 images of {label} are left.",),
        ),
        training_seconds=1800.0,
        model_uri="s3://seedlings/runs/sb-0123456789abcdef-1/evaluation/model.tar.gz",
        ended_at=run.created_at + timedelta(seconds=605),
    )


def unfinished(state: RunState, reason: str | None) -> Run:
    return a_run(state=state, reason=reason)


def test_the_cost_stands_beside_what_was_expected_and_the_bound() -> None:
    run = completed()

    assert "Cost: $0.05 (at most $0.50)" in message_about(run).body
    run = replace(run, expected_usd=(0.0412, 0.0951))
    assert "Cost: $0.05 (expected $0.04 to $0.10, at most $0.50)" in message_about(run).body


def test_a_new_best_model_is_reported_with_its_scores() -> None:
    message = message_about(completed(champion=ChampionScore(0.9, 0.88, (0.82, 0.94))))

    assert message.subject == "Seedbed: a new best model, 91.4% right, 1.4 points better on the same 1,234 images"
    for fact in (
        "A new best model gets 91.4% of 1,234 test images right, 1.4 points better (17 images). The best model before",
        "Accuracy: 91.4%, 95% interval 83.0% to 96.0%, macro-F1 0.900",
        "The best before it: 90.0% of the same images, 95% interval 82.0% to 94.0%, macro-F1 0.880",
        "40 of 43, 1 label (28 for training, 6 for validation, 6 for testing)",
        "Best trial: sb-0123456789abcdef-1-002-0a1b2c3d (of 4 trials)",
        "Its objective: 93.0% of the validation images right in training",
        "learning_rate 0.003123, epochs 30",
        "Maize (F1 0.91)",
        "$0.05 (at most $0.50)",
        "None of the 3 images of Maize are left.",
        "1 refused, 0 duplicates, 2 near-duplicates",
        "10 min 5 s",
        "s3://seedlings/runs/sb-0123456789abcdef-1/evaluation/report.html",
        "    seedbed model sb-0123456789abcdef-1 --aws seedbed",
        "    seedbed report sb-0123456789abcdef-1 --open --aws seedbed",
    ):
        assert fact in message.body
    assert ".tar.gz" not in message.body


def test_the_best_of_several_heads_is_reported_with_its_own_hyperparameters() -> None:
    run = completed()
    assert run.best_trial is not None
    heads = Heads(2, (Head({"learning_rate": "0.003"}, 0.91), Head({"learning_rate": "0.0042"}, 0.93), Head({})))
    run = replace(run, plan=replace(PLAN, trials=9, heads_per_job=3), best_trial=run.best_trial.with_heads(heads))

    body = message_about(run).body

    assert "-002-0a1b2c3d, head 2 of 3 (of 9 trials)" in body
    assert "learning_rate 0.0042, epochs 30" in body


@pytest.mark.parametrize(("stage", "told"), [("tune", "images\n"), ("refit", "images, then trained on all\n")])
def test_heads_tuned_on_a_sample_are_reported_as_such(stage: str, told: str) -> None:
    run = completed()
    assert run.best_trial is not None
    best = replace(run.best_trial, stage=stage)
    run = replace(run, plan=replace(PLAN, head_sample=20), best_trial=best, best_head=best)

    assert f"Tuned on: 20 of 28 training {told}" in message_about(run).body
    assert "Tuned on" not in message_about(replace(run, plan=replace(PLAN, head_sample=28))).body


def fine_tuned(**changes: Any) -> Run:
    """A run that fine-tuning improved, with a full evaluation."""
    run = completed()
    assert run.evaluation is not None
    assert run.best_trial is not None
    scores = replace(
        run.evaluation,
        single_view=SingleView(0.9, 0.88),
        views=8,
        calibration=Calibration(0.0612, 0.0187),
        exports=(Export("litert", "exports/model.tflite", 13_000_000), Export("onnx", error="No such operator.")),
    )
    trial = replace(run.best_trial, name="sb-0123456789abcdef-1-fine-001-0a1b2c3d", objective=0.968)
    return replace(
        run, **{"plan": FULL_PLAN, "best_head": run.best_trial, "best_trial": trial, "evaluation": scores, **changes}
    )


def test_gains_from_fine_tuning_views_and_calibration_are_reported() -> None:
    body = message_about(fine_tuned()).body

    for fact in (
        "Fine-tuning: objective 96.8%, 93.0% before: 3.8 points more",
        "91.4% with 8 turned views, 90.0% with one",
        "error 0.061 before, 0.019 after",
        "(of 6 trials, 2 of them fine-tuned)",
        "litert",
        "onnx: No such operator.",
    ):
        assert fact in body


CHANGES = UnderChanges(
    images=100,
    accuracy=0.87,
    macro_f1=0.86,
    weakest="noise",
    by_change={"noise": ChangeScore(0.84, 0.8), "blurred": ChangeScore(0.9, 0.92)},
    unchanged=ChangeScore(0.92, 0.91),
)


def test_the_scores_under_changes_are_reported_with_the_weakest() -> None:
    run = completed(champion=ChampionScore(0.9, 0.88))
    assert run.evaluation is not None

    body = message_about(replace(run, evaluation=replace(run.evaluation, changes=CHANGES))).body

    assert (
        "\nUnder changes: loses 5.0 points, 87.0% over 2 kinds of change (92.0% unchanged), weakest: noise, 84.0%\n"
        in body
    )
    assert "Compared by" not in body


def test_a_comparison_that_counts_changes_is_reported_with_its_rule() -> None:
    champion = ChampionScore(0.93, 0.92, changes=replace(CHANGES, accuracy=0.81))
    run = completed(champion=champion)
    assert run.evaluation is not None

    body = message_about(replace(run, evaluation=replace(run.evaluation, changes=CHANGES))).body

    assert "The best before it under changes: 81.0%\n" in body
    assert (
        "Compared by: the mean of the accuracies on the test images and under changes, 89.2% against 87.0%\n"
    ) in body


def test_a_run_that_fell_back_to_its_best_head_says_why() -> None:
    run = fine_tuned(notice="No fine-tuning trial finished. The best head is the run's model.")

    body = message_about(replace(run, best_trial=run.best_head)).body

    assert "No fine-tuning trial finished. The best head is the run's model." in body
    assert "Fine-tuning" not in body


def test_a_model_that_did_not_win_is_reported_as_such() -> None:
    message = message_about(completed(won=False, champion=ChampionScore(accuracy=0.95)))

    assert message.subject == "Seedbed: no better model, 91.4% right, 3.6 points less on the same 1,234 images"
    assert message.body.startswith(
        "No better model: the new one gets 91.4% of 1,234 test images right, 3.6 points less"
    )


def test_a_champion_that_could_not_be_scored_is_reported() -> None:
    message = message_about(completed(champion=ChampionScore(error="No model.keras in it.")))

    assert "The best before it: could not be scored: No model.keras in it." in message.body


@pytest.mark.parametrize(
    ("state", "ending"),
    [(RunState.FAILED, "failed"), (RunState.STOPPED, "was stopped"), (RunState.REFUSED, "was refused")],
)
def test_a_run_without_a_model_is_reported_with_its_reason(state: RunState, ending: str) -> None:
    message = message_about(unfinished(state, "The disk is full."))

    assert message.subject == f"Seedbed: the run {ending}: The disk is full."
    assert message.body.splitlines()[0] == f"The run {ending}. The disk is full."


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_reasons_and_labels_stay_visible_on_one_line(text: str) -> None:
    calm = len(message_about(completed(champion=ChampionScore())).body.splitlines())

    runs = [
        completed(label=text),
        completed(champion=ChampionScore(error=text)),
        completed(champion=ChampionScore(error="x"), label=text),
        unfinished(RunState.FAILED, text),
    ]
    for message in map(message_about, runs):
        assert len(message.subject) <= SUBJECT_LIMIT
        assert message.subject.isprintable()
        assert message.body.replace("\n", "").isprintable()
        assert len(message.body.splitlines()) <= calm
        message.body.encode()


@given(st.text(max_size=200), st.sampled_from([RunState.FAILED, RunState.STOPPED, RunState.REFUSED]))
def test_every_subject_is_valid_for_sns(reason: str, state: RunState) -> None:
    subject = message_about(unfinished(state, reason)).subject

    assert 0 < len(subject) < 100
    assert subject.isprintable()
    assert subject.startswith("Seedbed: ")


def test_at_most_twenty_refused_files_are_listed_and_the_rest_counted() -> None:
    refused = [ExcludedFile(f"x-{i}.png", "an empty file") for i in range(4_750)]
    run = a_run(state=RunState.REFUSED, reason="Too few.", dataset=DatasetReport(0, 0).with_refused(refused))

    body = message_about(run).body

    assert "Refused (4,750)\n" in body
    assert sum("an empty file" in line for line in body.splitlines()) == NAMES_SHOWN == 20
    assert "and 4,730 more" in body
    assert len(body.encode()) < 256 * 1024


def refusing(files: dict[str, str]) -> Run:
    """A refused run with these refused files and their reasons."""
    report = DatasetReport(0, 0).with_refused([ExcludedFile(file, reason) for file, reason in files.items()])
    return a_run(state=RunState.REFUSED, reason="Too few.", dataset=report)


def test_refused_files_are_counted_by_reason() -> None:
    files = {f"Maize/{n}.png": f"damaged: at byte {n}" for n in range(30)}
    files |= {f"Maize/{n}.txt": "not an image" for n in range(5)}

    lines = message_about(refusing(files)).body.splitlines()

    start = lines.index("Refused (35)") + 1
    assert lines[start + 1 : start + 3] == ["- damaged: 30", "- not an image: 5"]


def test_of_many_reasons_the_most_common_are_counted() -> None:
    files = {f"Maize/{n}-{m}.png": f"reason {n}" for n in range(9) for m in range(9 - n)}

    lines = message_about(refusing(files)).body.splitlines()

    assert "- reason 0: 9" in lines
    assert "- other reasons: 10" in lines


def test_files_that_a_person_can_mend_come_before_junk() -> None:
    junk = [".DS_Store", "Maize/Thumbs.db", "__MACOSX/Maize/._1.png", "Maize/.hidden/x.png", "desktop.ini"]
    files = dict.fromkeys([f"{n}/{name}" for n in range(40) for name in junk], "not an image")

    lines = message_about(refusing({**files, "Zea/last.png": "damaged"})).body.splitlines()

    assert lines[lines.index("- damaged: 1") + 1] == "Zea/last.png: damaged"
    assert "and 181 more. The bucket names all of them in" in lines


def test_what_was_left_out_is_named_where_all_of_it_stands() -> None:
    run = completed()
    assert run.dataset
    near = (ExcludedFile("Maize/n.png", "nearly the same"),) * 50
    refused = (ExcludedFile("Maize/x.png", "damaged"),) * 50
    dataset = replace(run.dataset, near_duplicates=near, refused=refused, more_refused=1000)

    lines = message_about(replace(run, dataset=dataset)).body.splitlines()

    folder = "s3://seedlings/runs/sb-0123456789abcdef-1"
    start = lines.index("and 1,030 more. The bucket names all of them in")
    assert lines[start + 1 : start + 3] == [f"{folder}/snapshot.json", f"{folder}/pack/report.json"]
    assert lines[lines.index("and 30 more. The bucket names all of them in") + 1] == f"{folder}/pack/report.json"


@pytest.mark.parametrize("letter", ["a", "字", "🌱"])
def test_no_line_is_so_long_that_a_mail_server_breaks_it(letter: str) -> None:
    text = letter * 5000
    runs = [
        completed(label=text, champion=ChampionScore(error=text)),
        refusing({text: text}),
        replace(unfinished(RunState.FAILED, text), notice=text),
    ]
    for message in map(message_about, runs):
        assert max(len(line.encode()) for line in message.body.splitlines()) <= 998
        assert "…" in message.body


def test_the_beginning_and_the_end_of_a_long_name_are_shown() -> None:
    name = f"Maize/{'field-' * 60}7.png"

    body = message_about(refusing({name: "damaged"})).body

    assert "Maize/field-field-" in body
    assert "field-7.png: damaged" in body


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("Too few of Küchenschelle.", "Too few of Kuchenschelle."),
        ("Too few of 玉米.", "Too few of ??."),
        ("Zu wenig … davon.", "Zu wenig ... davon."),
        ("x" * 200, "xxx"),
    ],
)
def test_a_subject_is_of_ascii_alone(reason: str, said: str) -> None:
    message = message_about(unfinished(RunState.REFUSED, reason))

    assert message.subject.isascii()
    assert said in message.subject
    assert len(message.subject) <= SUBJECT_LIMIT
    assert reason[:20] in message.body


def test_each_address_has_a_line_of_its_own() -> None:
    body = message_about(completed()).body

    assert [line for line in body.splitlines() if "s3://" in line and not line.startswith("s3://")] == []


def test_labels_keep_the_joiners_of_their_script() -> None:
    label = "क\u200dष 👩\u200d🌾"

    assert label in message_about(completed(label=label)).body
