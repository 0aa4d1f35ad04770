"""What the page on the present shows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from ..answers.runs import Pending, Run, RunInShort
from ..answers.trials import Epoch, Trial
from ..charts.sparkline import sparkline
from ..words import count, dollars, percent, short_trial, took

SHOWN = 12
TITLES = {
    "Preparing": "Prepare",
    "Merging": "Merge",
    "Tuning": "Tune",
    "Refitting": "Refit",
    "FineTuning": "Fine-tune",
    "Evaluating": "Evaluate",
}
DOES = {
    "Preparing": "Checks and splits the images, and computes their features.",
    "Merging": "Puts together what several instances prepared.",
    "Tuning": "Trains small classifiers on the features.",
    "Refitting": "Trains the best classifiers on all images.",
    "FineTuning": "Trains the whole network.",
    "Evaluating": "Scores the best model on the test images.",
}
TRIALS = {"Tuning": "tune", "Refitting": "refit", "FineTuning": "fine-tune"}
PENDING = "Uploads wait for their run, which starts once they have ended."
NEXT = "Later uploads wait for the next run."
ENDINGS = {"Completed": "has completed", "Failed": "failed", "Stopped": "was stopped", "Refused": "was refused"}
FREE, HERE = "nothing", "It runs on this machine."


@dataclass(frozen=True)
class Stage:
    """A stage of a run: `state` is `done`, `now` or `later`; `done` of `total`, both 0 while unknown."""

    title: str
    state: str
    does: str
    done: int = 0
    total: int = 0
    note: str = ""


@dataclass(frozen=True)
class TrialRow:
    """A trial in a line: its learning curve is None until there is one."""

    name: str
    status: str
    active: bool
    best: bool
    accuracy: str
    settings: str
    took: str
    curve: Markup | None


@dataclass(frozen=True)
class OpenRun:
    """The run in progress."""

    run_id: str
    stages: tuple[Stage, ...]
    notice: str | None
    best: str
    images: str
    running_for: str
    cost: str
    expected: str
    trials: tuple[TrialRow, ...]
    more_trials: int


@dataclass(frozen=True)
class EndedRun:
    """The latest run, which has ended; `again` is whether another attempt makes sense."""

    run_id: str
    state: str
    sentence: str
    reason: str | None
    notice: str | None
    again: bool


def open_run(run: Run, curves: Mapping[str, Sequence[Epoch]], now: datetime) -> OpenRun:
    """The run in progress as it is now; `curves` are its trials' epochs by name."""
    stage = TRIALS.get(run.state, "fine-tune" if run.state == "Evaluating" else "tune")
    shown = sorted(newest(run), key=lambda trial: trial.stage != stage)
    return OpenRun(
        run_id=run.run_id,
        stages=stages_of(run),
        notice=run.notice,
        best=percent(best_of(run.trials)),
        images=images_of(run),
        running_for=took((now - run.created_at).total_seconds()),
        cost=dollars(run.cost_usd) if run.cost_usd or run.expected_usd else FREE,
        expected=expected_of(run),
        trials=tuple(row(trial, run, curves.get(trial.name, ()), now) for trial in shown[:SHOWN]),
        more_trials=max(0, len(run.trials) - SHOWN),
    )


def newest(run: Run) -> list[Trial]:
    """The run's trials, the latest started first."""
    return list(reversed(run.trials))


def with_curves(run: Run) -> list[Trial]:
    """The trials whose learning curves the page shows."""
    return newest(run)[:SHOWN]


def stages_of(run: Run) -> tuple[Stage, ...]:
    """All stages of the run's plan, with how far the present one is."""
    plan = run.plan
    has = {"Merging": plan.prepare_instances > 1, "Refitting": plan.head_sample, "FineTuning": plan.fine_tuning}
    names = [name for name in TITLES if has.get(name, True)]
    at = names.index(run.state) if run.state in names else len(names)
    return tuple(
        stage_of(run, name, "done" if place < at else "now" if place == at else "later")
        for place, name in enumerate(names)
    )


def stage_of(run: Run, name: str, state: str) -> Stage:
    """One stage, with what it has done of its images or trials."""
    if name not in TRIALS and state == "now" and run.progress:
        done, total = run.progress.done, run.progress.total
        note = f"{count(done)} of {count(total)} images"
        return Stage(TITLES[name], state, DOES[name], min(done, total), total, note)
    if name not in TRIALS or state == "later":
        return Stage(TITLES[name], state, DOES[name])
    done = sum(trial.ended for trial in run.trials if trial.stage == TRIALS[name])
    total = planned(run, name)
    several = "jobs" if run.plan.heads_per_job > 1 and name == "Tuning" else "trials"
    jobs = "job" if name == "Refitting" else several
    note = f"{count(done)} of {count(total)} {jobs}" if state == "now" else f"{count(done)} {jobs}"
    return Stage(TITLES[name], state, DOES[name], min(done, total), total, note)


def planned(run: Run, name: str) -> int:
    """How many training jobs a stage has; several heads may share one."""
    if name == "FineTuning":
        return run.plan.fine_tuning.trials if run.plan.fine_tuning else 0
    if name == "Refitting":
        return 1
    return math.ceil(run.plan.trials / max(1, run.plan.heads_per_job))


def best_of(trials: Sequence[Trial]) -> float | None:
    """The best validation accuracy so far."""
    return max((trial.objective for trial in trials if trial.objective is not None), default=None)


def images_of(run: Run) -> str:
    """How many images the run has, as far as is known."""
    if run.dataset:
        return f"{count(run.dataset.used)} of {count(run.dataset.images)} used"
    return count(run.given.images if run.given else None)


def expected_of(run: Run) -> str:
    """What the run was expected to cost, or why that is nothing."""
    if not run.expected_usd:
        return "" if run.cost_usd else HERE
    return f"{dollars(run.expected_usd[0])} to {dollars(run.expected_usd[1])} expected"


def row(trial: Trial, run: Run, epochs: Sequence[Epoch], now: datetime) -> TrialRow:
    """A trial's line."""
    best = best_of(run.trials)
    latest = [epoch.validation_accuracy for epoch in epochs]
    accuracy = trial.objective if trial.objective is not None else max(latest, default=None)
    return TrialRow(
        name=short_trial(trial.name, run.run_id),
        status="running" if trial.status == "InProgress" else trial.status.lower(),
        active=not trial.ended,
        best=trial.objective is not None and trial.objective == best,
        accuracy=percent(accuracy),
        settings=settings_of(trial),
        took=took(seconds_of(trial, now)),
        curve=curve_of(trial, epochs),
    )


def seconds_of(trial: Trial, now: datetime) -> float | None:
    """How long a trial has run; None before it started."""
    return ((trial.ended_at or now) - trial.started_at).total_seconds() if trial.started_at else None


def settings_of(trial: Trial) -> str:
    """The hyperparameter that matters most, and what kind of network was trained."""
    rate = trial.hyperparameters.get("learning_rate", "")
    try:
        return f"learning rate {float(rate):.2g}"
    except ValueError:
        return ""


def curve_of(trial: Trial, epochs: Sequence[Epoch]) -> Markup | None:
    """The validation accuracy of each head after each epoch, the best head, or else the last one, in front."""
    heads: dict[int, list[float]] = {}
    for epoch in epochs:
        heads.setdefault(epoch.head, []).append(epoch.validation_accuracy)
    if not heads:
        return None
    front = trial.best_head if trial.best_head in heads else max(heads)
    lines = [values for head, values in heads.items() if head != front] + [heads[front]]
    first, last = percent(heads[front][0]), percent(heads[front][-1])
    return sparkline(lines, f"Validation accuracy over {len(heads[front])} epochs: from {first} to {last}")


def ended_run(run: RunInShort) -> EndedRun:
    """The latest run, once it has ended."""
    right = f": {percent(run.test_accuracy)} of the test images right" if run.test_accuracy is not None else ""
    won = ", now the best model" if run.won else ", and the best model stays the same" if right else ""
    return EndedRun(
        run_id=run.run_id,
        state=run.state,
        sentence=f"{ENDINGS.get(run.state, run.state)}{right}{won}.",
        reason=run.reason,
        notice=run.notice,
        again=run.state in {"Failed", "Stopped"},
    )


def waiting(pending: Pending | None, *, in_progress: bool) -> str:
    """What uploads wait for; empty if none wait."""
    if not pending:
        return ""
    return NEXT if in_progress else PENDING
