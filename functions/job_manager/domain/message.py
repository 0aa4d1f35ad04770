"""The e-mails: about a run that has ended, with its result, scores, dataset and cost, and about one that waits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from . import layout
from .cost import upper_bound
from .dataset import DatasetReport, ExcludedFile
from .mail_text import ascii_only, duration, interval, percent, printable, short, shortened
from .refusal import Delay
from .result import Evaluation, UnderChanges
from .run import Run, RunState

SUBJECT_LIMIT = 99
NAMES_SHOWN = 20
KINDS_SHOWN = 5
NAME_LIMIT, TEXT_LIMIT = 200, 700
"""In bytes: a mail server may break a line of more than 998."""
ENDINGS = {
    RunState.COMPLETED: "completed",
    RunState.FAILED: "failed",
    RunState.STOPPED: "was stopped",
    RunState.REFUSED: "was refused",
}


@dataclass(frozen=True)
class Message:
    """A subject of at most 99 printable ASCII characters, as SNS takes it, and a plain text body.

    Each fact is a line, so that it can be read in any font; an address has a line of its own.
    """

    subject: str
    body: str


def message_about(run: Run) -> Message:
    """The e-mail about a run that has ended."""
    return Message(shortened(ascii_only(subject(run)), SUBJECT_LIMIT, "..."), "\n".join(body(run)) + "\n")


def message_of_delay(run: Run, delay: Delay) -> Message:
    """The e-mail about a run whose job SageMaker refuses to create for now."""
    why = shortened(run.waits_for or "", TEXT_LIMIT)
    again = f"It is tried again every few minutes, for {delay.hours} since {delay.since:%Y-%m-%d %H:%M} UTC."
    body = f"{why}\n{again} Then the run ends, and later images get theirs.\n\n{row('Run', run.run_id)}\n"
    return Message(shortened(ascii_only(f"Seedbed: the run waits: {why}"), SUBJECT_LIMIT, "..."), body)


def subject(run: Run) -> str:
    if run.state is RunState.COMPLETED and run.evaluation:
        accuracy = percent(run.evaluation.accuracy)
        if run.won:
            return f"Seedbed: a new best model, {accuracy} accuracy on {run.evaluation.images:,} test images"
        return f"Seedbed: the best model is unchanged, the new one has {accuracy} accuracy"
    return f"Seedbed: the run {ENDINGS[run.state]}: {run.reason or 'no reason given'}"


def body(run: Run) -> Iterator[str]:
    if run.evaluation:
        yield from verdict(run, run.evaluation)
    else:
        yield f"The run {ENDINGS[run.state]}. {shortened(run.reason or '', TEXT_LIMIT)}".rstrip()
    if run.state in {RunState.FAILED, RunState.STOPPED} and not run.begins_again:
        yield f"Another attempt: seedbed retry {run.run_id} (on AWS with --aws and the stack's name)."
    if run.notice:
        yield shortened(run.notice, TEXT_LIMIT)
    for rows in (scores(run), facts(run), places(run)):
        yield from section(rows)
    if run.dataset:
        yield from section(warnings(run.dataset.warnings))
        yield from all_left_out(run, run.dataset)


def section(rows: Iterator[str]) -> Iterator[str]:
    """An empty line and the rows, if there are any."""
    for number, text in enumerate(rows):
        if number == 0:
            yield ""
        yield text


def verdict(run: Run, evaluation: Evaluation) -> Iterator[str]:
    yield (
        f"{'This run found a new best model' if run.won else 'The best model is unchanged'}. The new model has "
        f"{percent(evaluation.accuracy)} accuracy on {evaluation.images:,} test images "
        f"({interval(evaluation.accuracy_interval)}) and a macro-F1 of {evaluation.macro_f1:.3f}."
    )
    champion = evaluation.champion
    if champion and champion.error:
        yield f"The previous best model could not be scored: {shortened(champion.error, TEXT_LIMIT)}"
    elif champion:
        yield (
            f"The previous best model has {percent(champion.accuracy)} accuracy on the same images "
            f"({interval(champion.accuracy_interval)}) and a macro-F1 of {champion.macro_f1:.3f}."
        )


def scores(run: Run) -> Iterator[str]:
    evaluation, head, best = run.evaluation, run.best_head, run.best_trial
    if evaluation and evaluation.single_view and evaluation.views > 1:
        averaged, single = percent(evaluation.accuracy), percent(evaluation.single_view.accuracy)
        yield row("Views averaged", f"{averaged} with {evaluation.views} turned views, {single} with one")
    if evaluation and evaluation.changes:
        yield from under_changes(evaluation, evaluation.changes)
    if head and best and head != best and head.objective is not None and best.objective is not None:
        gain = f"{100 * (best.objective - head.objective):+.1f} percentage points"
        yield row("Fine-tuning", f"{percent(head.objective)} to {percent(best.objective)} validation accuracy, {gain}")
    if evaluation and evaluation.calibration:
        fit = evaluation.calibration
        yield row("Calibration", f"error {fit.ece_before:.3f} before, {fit.ece_after:.3f} after temperature scaling")
    if evaluation and evaluation.per_label:
        weakest = sorted(evaluation.per_label.items(), key=lambda item: item[1].f1)[:3]
        yield row(
            "Hardest labels", ", ".join(f"{shortened(name, NAME_LIMIT)} (F1 {score.f1:.2f})" for name, score in weakest)
        )


def under_changes(evaluation: Evaluation, changes: UnderChanges) -> Iterator[str]:
    """How the model holds on changed photographs, and what it was compared with the champion by."""
    weakest = changes.by_change.get(changes.weakest)
    which = f", weakest: {shortened(changes.weakest, NAME_LIMIT)} {percent(weakest.accuracy)}" if weakest else ""
    kinds = f"{len(changes.by_change)} kinds of change"
    unchanged = f"{percent(changes.unchanged.accuracy)} unchanged"
    yield row("Under changes", f"{percent(changes.accuracy)} over {kinds} ({unchanged}){which}")
    champion = evaluation.champion
    if champion and champion.changes and changes.comparable_with(champion.changes):
        yield row("Previous best under changes", percent(champion.changes.accuracy))
        (ours, _), (theirs, _) = evaluation.compared_with(champion)
        compared = f"{percent(ours)} against the previous best's {percent(theirs)}"
        yield row("Compared by", f"the mean of the accuracies on the test images and under changes, {compared}")


def facts(run: Run) -> Iterator[str]:
    yield row("Run", run.run_id)
    if run.evaluation and run.evaluation.champion and run.champion_before:
        yield row("Previous best", f"run {run.champion_before}")
    if run.dataset:
        yield row("Images", images_used(run.dataset))
        yield row("Left out", images_left_out(run.dataset))
    if run.best_trial:
        trial, plan = run.best_trial, run.plan
        accuracy = "" if trial.objective is None else f", validation accuracy {percent(trial.objective)}"
        fine_tuned = f", {plan.fine_tuning.trials} of them fine-tuned" if plan.fine_tuning else ""
        heads = plan.head_jobs * plan.heads_in_each_job
        count = heads + (plan.fine_tuning.trials if plan.fine_tuning else 0)
        head = f", head {trial.best_head} of {len(trial.heads)}" if trial.heads else ""
        yield row(
            "Best trial", f"{trial.name}{head}{accuracy} (of {count} {'trial' if count == 1 else 'trials'}{fine_tuned})"
        )
        yield row(
            "Hyperparameters", ", ".join(f"{name} {short(value)}" for name, value in trial.hyperparameters.items())
        )
    yield row("Cost", f"${run.cost_usd:.2f} ({expected(run)}upper bound: ${upper_bound(run.plan):.2f})")
    if run.ended_at:
        yield row("Duration", duration((run.ended_at - run.created_at).total_seconds()))


def expected(run: Run) -> str:
    """What the run was expected to cost, in front of its bound."""
    if run.expected_usd is None:
        return ""
    low, high = run.expected_usd
    return f"expected: ${low:.2f} to ${high:.2f}, "


def places(run: Run) -> Iterator[str]:
    if run.report_uri:
        yield "Report:"
        yield run.report_uri
    if run.model_uri:
        yield row("Model and model card", f"seedbed model {run.run_id} (on AWS with --aws and the stack's name)")
    made = [export.format for export in run.evaluation.exports if not export.error] if run.evaluation else []
    if made:
        yield row("Exported as", ", ".join(printable(name) for name in made))
    for export in run.evaluation.exports if run.evaluation else ():
        if export.error:
            yield row("Not exported", f"{printable(export.format)}: {shortened(export.error, TEXT_LIMIT)}")


def images_used(dataset: DatasetReport) -> str:
    splits = dataset.labels.values()
    train, validation, test = (sum(getattr(s, part) for s in splits) for part in ("train", "validation", "test"))
    labels = "1 label" if len(dataset.labels) == 1 else f"{len(dataset.labels)} labels"
    return (
        f"{dataset.used:,} of {dataset.images:,}, {labels} "
        f"({train:,} for training, {validation:,} for validation, {test:,} for testing)"
    )


def images_left_out(dataset: DatasetReport) -> str:
    refused = len(dataset.refused) + dataset.more_refused
    duplicates = len(dataset.duplicates) + dataset.more_duplicates
    near = len(dataset.near_duplicates) + dataset.more_near_duplicates
    return f"{refused:,} refused, {duplicates:,} duplicates, {near:,} near-duplicates"


def all_left_out(run: Run, dataset: DatasetReport) -> Iterator[str]:
    """The first files of each kind that were left out, and where all of them are named."""
    report = [run.place_of(layout.dataset_report(run.run_id))]
    snapshot = [run.place_of(layout.snapshot(run.run_id))]
    yield from refused(dataset, snapshot + (report if dataset.used else []))
    yield from left_out("Duplicates, each used once", dataset.duplicates, dataset.more_duplicates, report)
    near, more = dataset.near_duplicates, dataset.more_near_duplicates
    yield from left_out("Near-duplicates of images in another split", near, more, report)


def refused(dataset: DatasetReport, named_in: Sequence[str]) -> Iterator[str]:
    """The refused files: how many for each reason, where there are several, and the first of them."""
    lines = left_out("Refused", dataset.refused, dataset.more_refused, named_in)
    yield from islice(lines, 2)
    kinds = list(dataset.refused_kinds.items())
    if len(kinds) > 1:
        yield from (f"- {shortened(kind, NAME_LIMIT)}: {count:,}" for kind, count in kinds[:KINDS_SHOWN])
        if len(kinds) > KINDS_SHOWN:
            yield f"- other reasons: {sum(count for _, count in kinds[KINDS_SHOWN:]):,}"
    yield from lines


def left_out(title: str, names: Sequence[ExcludedFile], more: int, named_in: Sequence[str]) -> Iterator[str]:
    if not names:
        return
    total = len(names) + more
    yield ""
    yield f"{title} ({total:,}):"
    for name in names[:NAMES_SHOWN]:
        yield f"{shortened(name.file, NAME_LIMIT)}: {shortened(name.reason, TEXT_LIMIT)}"
    if total > NAMES_SHOWN:
        yield f"and {total - NAMES_SHOWN:,} more. The bucket names all of them in"
        yield from named_in


def warnings(sentences: Sequence[str]) -> Iterator[str]:
    yield from (shortened(sentence, TEXT_LIMIT) for sentence in sentences[:NAMES_SHOWN])
    if len(sentences) > NAMES_SHOWN:
        yield f"and {len(sentences) - NAMES_SHOWN:,} more such notices"


def row(title: str, text: str) -> str:
    return f"{title}: {text}"
