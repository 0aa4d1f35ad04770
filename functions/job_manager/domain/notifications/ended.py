"""The notification about a run that has ended, however it did."""

from collections.abc import Iterator

from ..cost import upper_bound
from ..run import Run, RunState
from .comparison import better, headline, outcome_of, verdict
from .details import how_found, time_and_cost
from .images import counts_of, image_lines, left_out
from .lines import address, sections
from .next_steps import another_attempt, better_next_time, commands
from .notification import Kind, Notification, Section
from .scores import score_lines, scores_of
from .wording import sentence, subject_of

KINDS = {
    RunState.COMPLETED: Kind.FINISHED,
    RunState.FAILED: Kind.FAILED,
    RunState.STOPPED: Kind.STOPPED,
    RunState.REFUSED: Kind.REFUSED,
}
ENDINGS = {
    RunState.COMPLETED: "completed",
    RunState.FAILED: "failed",
    RunState.STOPPED: "was stopped",
    RunState.REFUSED: "was refused",
}


def of_ended(run: Run, stack: str) -> Notification:
    """What to tell of a run that has ended; the commands in it are for the stack of this name."""
    duration = (run.ended_at - run.created_at).total_seconds() if run.ended_at else None
    return Notification(
        kind=KINDS[run.state],
        outcome=outcome_of(run),
        better=better(run),
        run_id=run.run_id,
        stack=stack,
        state=run.state.value,
        subject=subject_of(f"Seedbed: {told_shortly(run)}"),
        summary=tuple(summary(run)),
        created_at=run.created_at,
        ended_at=run.ended_at,
        duration_seconds=None if duration is None else round(max(duration, 0.0)),
        cost_usd=round(run.cost_usd, 4),
        upper_bound_usd=round(upper_bound(run.plan), 4),
        expected_usd=run.expected_usd,
        champion_before=run.champion_before,
        reason=run.reason and sentence(run.reason),
        notice=run.notice and sentence(run.notice),
        scores=scores_of(run),
        images=counts_of(run.dataset) if run.dataset else None,
        sections=tuple(all_sections(run, stack)),
    )


def told_shortly(run: Run) -> str:
    if run.evaluation and run.state is RunState.COMPLETED:
        return headline(run, run.evaluation)
    return f"the run {ENDINGS[run.state]}: {run.reason or 'no reason given'}"


def summary(run: Run) -> Iterator[str]:
    if run.evaluation and run.state is RunState.COMPLETED:
        yield verdict(run, run.evaluation)
    else:
        yield f"The run {ENDINGS[run.state]}. {sentence(run.reason or '')}".rstrip()
    if run.notice:
        yield sentence(run.notice)


def all_sections(run: Run, stack: str) -> Iterator[Section]:
    evaluation, dataset = run.evaluation, run.dataset
    yield from sections(
        (
            ("", score_lines(run, evaluation) if evaluation else ()),
            ("What to do next", another_attempt(run, stack)),
            ("What would make the next model better", better_next_time(run, stack)),
            ("The model", commands(run, stack)),
            ("Images", image_lines(dataset) if dataset else ()),
            ("Time and money", time_and_cost(run)),
            ("How it was found" if evaluation else "Details", how_found(run)),
            ("The report is kept at", [address(run.report_uri)] if run.report_uri else ()),
            *(left_out(run, dataset) if dataset else ()),
        )
    )
