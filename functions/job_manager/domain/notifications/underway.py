"""The notifications about a run in progress: it has started, or it waits."""

from collections.abc import Iterator
from dataclasses import replace

from ..cost import upper_bound
from ..refusal import Delay
from ..run import Run
from .details import expected, trials
from .lines import command, fact, said, sections
from .notification import Kind, Line, Notification, Outcome
from .wording import counted, sentence, subject_of

TURN_OFF = "The stack's parameter NotifyStart=false turns off those about a start."


def of_start(run: Run, stack: str) -> Notification:
    """What to tell of a run that has just started: on what, and what it may cost."""
    on = f" on {counted(run.given.images, 'image')}" if run.given else ""
    attempt = f", attempt {run.attempt}" if run.attempt > 1 else ""
    cost = f"{expected(run)}at most ${upper_bound(run.plan):.2f}" if upper_bound(run.plan) else "$0.00"
    facts = [fact("Cost", cost), fact("Plan", plan_of(run)), fact("Run", run.run_id)]
    if run.champion_before:
        facts.append(fact("It has to beat", f"run {run.champion_before}"))
    return replace(
        underway(run, stack, Kind.STARTED),
        subject=subject_of(f"Seedbed: a run has started{on}{attempt}, cost: {cost}"),
        summary=(f"A run has started{on}{attempt}. An e-mail comes when it ends.",),
        sections=tuple(
            sections((("", facts), ("Meanwhile", following(run, stack)), ("About these e-mails", [said(TURN_OFF)])))
        ),
    )


def of_delay(run: Run, delay: Delay, stack: str) -> Notification:
    """What to tell of a run whose job SageMaker refuses to create for now."""
    why = sentence(run.waits_for or "")
    again = f"It is tried again every few minutes, for {delay.hours} since {delay.since:%Y-%m-%d %H:%M} UTC."
    return replace(
        underway(run, stack, Kind.WAITING),
        subject=subject_of(f"Seedbed: the run waits: {why}"),
        summary=(why, f"{again} Then the run ends, and later images get theirs."),
        reason=why,
        sections=tuple(sections((("", [fact("Run", run.run_id)]), ("Meanwhile", following(run, stack))))),
    )


def following(run: Run, stack: str) -> Iterator[Line]:
    yield said("See how far it is:")
    yield command(stack, "status")
    yield said("Stop it:")
    yield command(stack, "stop", run.run_id)


def plan_of(run: Run) -> str:
    """What the run does, for people."""
    whole = "heads and then the whole network" if run.plan.fine_tuning else "heads on features of a pretrained network"
    return f"{trials(run)}: {whole}"


def underway(run: Run, stack: str, kind: Kind) -> Notification:
    """The facts about a run in progress, without words."""
    return Notification(
        kind=kind,
        outcome=Outcome.OPEN,
        run_id=run.run_id,
        stack=stack,
        state=run.state.value,
        subject="",
        summary=(),
        created_at=run.created_at,
        cost_usd=round(run.cost_usd, 4),
        upper_bound_usd=round(upper_bound(run.plan), 4),
        expected_usd=run.expected_usd,
        champion_before=run.champion_before,
    )
