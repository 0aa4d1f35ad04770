"""The e-mail at a run's end: what won, by how much, on what data, at what cost."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .cost import upper_bound
from .dataset import DatasetReport, Named
from .result import Evaluation
from .run import Run, RunState

SUBJECT_LIMIT = 99
NAMES_SHOWN = 20
ENDINGS = {
    RunState.COMPLETED: "completed",
    RunState.FAILED: "failed",
    RunState.STOPPED: "was stopped",
    RunState.REFUSED: "was refused",
}


@dataclass(frozen=True)
class Message:
    """A subject of at most 99 printable characters, as SNS demands, and a plain text body."""

    subject: str
    body: str


def message_about(run: Run) -> Message:
    """Tell of a run that has ended."""
    return Message(printable(subject(run))[:SUBJECT_LIMIT], "\n".join(body(run)) + "\n")


def subject(run: Run) -> str:
    if run.state is RunState.COMPLETED and run.evaluation:
        accuracy = percent(run.evaluation.accuracy)
        if run.won:
            return f"Seedbed: a new best model, {accuracy} right on {run.evaluation.images:,} test images"
        return f"Seedbed: the best model stays; the new one had {accuracy} right"
    return f"Seedbed: the run {ENDINGS[run.state]}: {run.reason or 'no reason given'}"


def body(run: Run) -> Iterator[str]:
    if run.evaluation:
        yield from verdict(run, run.evaluation)
    else:
        yield f"The run {ENDINGS[run.state]}. {printable(run.reason or '')}".rstrip()
    yield ""
    yield from facts(run)
    if run.dataset:
        yield from left_out("Refused", run.dataset.refused, run.dataset.more_refused)
        yield from left_out("Duplicates, used once", run.dataset.duplicates, run.dataset.more_duplicates)


def verdict(run: Run, evaluation: Evaluation) -> Iterator[str]:
    low, high = evaluation.accuracy_interval
    yield (
        f"{'A new best model' if run.won else 'No new best model: the one before stays'}. "
        f"The new one got {percent(evaluation.accuracy)} of {evaluation.images:,} test images right "
        f"(95 % interval {percent(low)} to {percent(high)}), macro-F1 {evaluation.macro_f1:.3f}."
    )
    champion = evaluation.champion
    if champion and champion.error:
        yield f"The model before it could not be scored: {printable(champion.error)}"
    elif champion:
        yield f"The model before it gets {percent(champion.accuracy)} of the same images right."


def facts(run: Run) -> Iterator[str]:
    yield row("Run", run.run_id)
    if run.dataset:
        yield row("Images", images_used(run.dataset))
    if run.best_trial:
        trial = run.best_trial
        accuracy = "" if trial.objective is None else f", validation accuracy {percent(trial.objective)}"
        yield row("Best trial", f"{trial.name}{accuracy} (of {run.plan.trials} trials)")
        yield row("Settings", ", ".join(f"{name} {short(value)}" for name, value in trial.hyperparameters.items()))
    if run.evaluation and run.evaluation.per_label:
        weakest = sorted(run.evaluation.per_label.items(), key=lambda item: item[1].f1)[:3]
        yield row("Hardest labels", ", ".join(f"{printable(name)} (F1 {score.f1:.2f})" for name, score in weakest))
    yield row("Cost", f"${run.cost_usd:.2f} (at most ${upper_bound(run.plan):.2f} was possible)")
    if run.ended_at:
        yield row("Took", duration((run.ended_at - run.created_at).total_seconds()))
    if run.model_uri:
        yield row("Model", run.model_uri)


def images_used(dataset: DatasetReport) -> str:
    splits = dataset.labels.values()
    train, validation, test = (sum(getattr(s, part) for s in splits) for part in ("train", "validation", "test"))
    return (
        f"{dataset.used:,} of {dataset.images:,}, {len(dataset.labels)} labels "
        f"({train:,} to train on, {validation:,} to validate, {test:,} to test)"
    )


def left_out(title: str, names: Sequence[Named], more: int) -> Iterator[str]:
    if not names:
        return
    total = len(names) + more
    yield ""
    yield f"{title} ({total:,}):"
    for name in names[:NAMES_SHOWN]:
        yield f"  {printable(name.file)}: {printable(name.reason)}"
    if total > NAMES_SHOWN:
        yield f"  and {total - NAMES_SHOWN:,} more, named in the run's snapshot and dataset report"


def row(title: str, text: str) -> str:
    return f"{title:<15} {text}"


def percent(share: float) -> str:
    return f"{share:.1%}".replace("%", " %")


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def short(value: str) -> str:
    try:
        return f"{float(value):.4g}"
    except ValueError:
        return printable(value)


def printable(text: str) -> str:
    """The text on one line, with anything that could steer a mail program or terminal shown as a question mark."""
    return "".join(character if character.isprintable() else "?" for character in text)
