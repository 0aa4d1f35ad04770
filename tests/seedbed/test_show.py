"""What the commands print is legible at any width."""

import time
from email.message import EmailMessage
from typing import Any, cast

import pytest
from rich.console import Console

from seedbed import cli
from seedbed.commands.progress import print_states
from seedbed.commands.show import best_model, champion_note, mail_text
from seedbed.commands.tables.runs import runs_table
from seedbed.commands.tables.trials import TrialsTable
from seedbed.errors import SeedbedError
from seedbed.stack import Stack
from seedbed.terminal.console import results

URI = "s3://seedbed-000000000000-us-east-1/runs/sb-3f9c1b7a5d2e8046-1/evaluation/model.tar.gz"
VALUES = {"augmentation": "0.6521", "batch_size": "111", "dropout": "0.2011", "epochs": "20", "weight_decay": "0.95491"}


def trial(number: int, **changes: str) -> dict[str, Any]:
    return {
        "name": f"sb-3f9c1b7a5d2e8046-1-{number:03}-a9d86e71",
        "objective": 0.9 + number / 100,
        "hyperparameters": {**VALUES, **changes},
        "status": "Completed",
        "billable_seconds": 18,
    }


RUN: dict[str, Any] = {
    "run_id": "sb-3f9c1b7a5d2e8046-1",
    "trials": [trial(1), trial(2, **{name: f"{float(value) / 2:.4f}" for name, value in VALUES.items()})],
}
BEST: dict[str, Any] = {
    "run_id": RUN["run_id"],
    "test_accuracy": 0.97,
    "test_accuracy_interval": [0.91, 0.99],
    "validation_accuracy": 0.98,
    "macro_f1": 0.97,
    "hyperparameters": VALUES,
    "dataset": {"used": 720, "images": 720, "labels": ["Maize"]},
    "cost_usd": 0.0,
    "created_at": "2026-03-20T09:00:00",
    "model_uri": URI,
}


def printed(content: Any, width: int) -> str:
    console = Console(width=width)
    with console.capture() as capture:
        console.print(content, crop=False)
    return capture.get()


@pytest.mark.parametrize("width", [80, 140])
def test_the_trials_table_has_a_line_for_each_head_with_the_jobs_seconds_once(width: int) -> None:
    scores = {"0.003": 0.9, "0.0042": 0.93, "0.001": None}
    heads = [
        {"hyperparameters": {"learning_rate": rate}, "validation_accuracy": score} for rate, score in scores.items()
    ]
    shared = {**trial(3), "heads": heads, "best_head": 2}

    output = printed(TrialsTable({**RUN, "trials": [shared, trial(1)]}), width)

    rows = [line for line in output.splitlines() if "-a9d86e71" in line]
    assert [row.split()[:3] for row in rows if "head" in row] == [["003-a9d86e71", "head", n] for n in "213"]
    assert rows[1].split()[:2] == ["001-a9d86e71", "91.0%"]
    assert [row.rstrip().endswith("18") for row in rows] == [True, True, False, False]
    assert "0.0042" in output


@pytest.mark.parametrize(("width", "title"), [(80, "Hyperparameters"), (140, "batch size")])
def test_the_trials_table_cuts_off_nothing(width: int, title: str) -> None:
    output = printed(TrialsTable(RUN), width)

    assert title in output
    assert "…" not in output
    for text in ("001-a9d86e71", "Validation", "Completed", "0.652", "0.477"):
        assert text in output
    assert max(len(line) for line in output.splitlines()) <= width


def test_the_ids_of_runs_are_not_cut_off() -> None:
    run = {**BEST, "state": "Completed", "images": 12_345, "won": False, "reason": "a long reason " * 9}

    output = printed(runs_table([run]), 80)

    assert f"{RUN['run_id']}  Completed" in output
    assert "…" not in output


@pytest.mark.parametrize(("ended_at", "shown"), [(None, True), ("2026-03-20T10:00:00+00:00", False)])
def test_the_table_of_runs_says_what_an_open_run_waits_for(ended_at: str | None, shown: bool) -> None:
    waiting = {"state": "Preparing", "images": None, "won": False, "reason": None, "ended_at": ended_at}

    output = printed(runs_table([{**BEST, **waiting, "notice": "The prepare job waits for a quota."}]), 80)

    assert ("The prepare job waits for a quota." in output) is shown


@pytest.mark.parametrize(("notified", "said"), [(False, True), (True, False), (None, False)])
def test_a_list_of_runs_says_if_nobody_could_hear_of_the_latest(notified: bool | None, said: bool) -> None:
    ended = {"state": "Completed", "images": 1, "won": True, "reason": None, "ended_at": "2026-03-20T10:00:00"}

    output = printed(runs_table([{**BEST, **ended, "notice": None, "notified": notified}]), 80)

    assert ("Nobody could hear of the latest run's end: no e-mail address is confirmed." in output) is said


def test_up_prints_a_notice_once_when_it_comes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the API answers at five moments; then a person presses Ctrl-C."""
    run = {"run_id": RUN["run_id"], "state": "Preparing", "test_accuracy": None, "reason": None}
    notices = iter([None, "It waits for [a quota].", "It waits for [a quota].", None, "It waits for [a quota]."])

    class Answers:
        def get(self, path: str) -> dict[str, Any]:
            assert path == "/runs"
            for notice in notices:
                return {"runs": [{**run, "notice": notice}]}
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        print_states(cast(Stack, Answers()), results())

    assert capsys.readouterr().out == f"{RUN['run_id']} It waits for [a quota].\n" * 2


def test_the_command_that_takes_the_best_model_stays_on_one_line() -> None:
    command = f"SEEDBED_HOME=/{'long/' * 20} seedbed model"
    assert f"Take it with: {command}\n" in printed(best_model(BEST, command), 80)


CHANGES: dict[str, Any] = {
    "accuracy": 0.872,
    "weakest": "half the resolution",
    "by_change": {"half the resolution": {"accuracy": 0.81}, "noise": {"accuracy": 0.9}},
}


def test_the_best_model_says_how_it_holds_under_changes() -> None:
    output = printed(best_model({**BEST, "changes": CHANGES}, "seedbed model"), 80)

    assert "Under changes 87.2% over 2 kinds, weakest: half the resolution 81.0%" in output
    assert "Under changes" not in printed(best_model(BEST, "seedbed model"), 80)


@pytest.mark.parametrize(("wrong", "told"), [(0.028, ", 2.8% of these wrong"), (None, "")])
def test_the_best_model_says_how_much_it_is_sure_of(wrong: float | None, told: str) -> None:
    when_sure = {"error_rate": 0.05, "test": {"images": 70, "sure": 0.869, "wrong": wrong, "unlike": 0.01}}
    output = printed(best_model({**BEST, "when_sure": when_sure}, "seedbed model"), 80)

    assert f"Sure of 86.9% of the test images{told} " in output
    assert "Sure of" not in printed(best_model({**BEST, "when_sure": None}, "seedbed model"), 80)


def test_the_previous_best_model_is_told_under_changes_too() -> None:
    champion = {"accuracy": 0.95, "error": None, "changes": CHANGES}
    run = {"won": True, "evaluation": {"champion": champion, "changes": CHANGES}}

    assert champion_note(run) == (
        "This is now the best model; the previous one gets 95.0% of the same images right, 87.2% under changes."
    )


def test_the_lines_of_an_email_are_not_broken() -> None:
    message = EmailMessage()
    message["Subject"] = "Seedbed: a new best model"
    message.set_content(f"Model  {URI}\n")

    output = printed(mail_text(message), 80)

    assert "Subject: Seedbed: a new best model\n" in output
    assert f"Model  {URI}\n" in output


def test_an_error_is_printed_as_it_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(**_: str) -> None:
        raise SeedbedError("[/tmp/a] is not a folder.")

    monkeypatch.setattr(cli, "app", fail)

    assert cli.run() == 1
    assert capsys.readouterr() == ("", "Error: [/tmp/a] is not a folder.\n")
