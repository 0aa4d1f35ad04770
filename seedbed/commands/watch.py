"""`seedbed watch`: follows a run until it has ended. `upload --wait` and `demo` follow their runs in the same way."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from ..errors import NoModel, SeedbedError
from ..stack import Stack
from ..terminal.console import notes, results, say
from ..terminal.hints import seedbed
from ..terminal.text import printable
from ..watch.jobs import JobsProgress
from ..watch.stage import ENDED, StageProgress
from ..watch.status import TRIAL_ENDED, Status, current, follow, next_run, stage_of
from .options import AsJsonLines, OnAws, api_for, is_at_rest, stack_for
from .progress import EventLines, JsonLines, Screen, StageBars, is_live
from .status import NOT_RUNNING, ended, ending, print_status
from .tables.values import percent

CONTINUES = "{} continues. Watch it again with: {}"
NOTHING = "There is no run to watch. Upload a folder of images with: {}"
NOT_NEEDED = "No run has begun: these images had one already. See it with: {}"


def watch(
    run_id: Annotated[
        str, typer.Argument(metavar="RUN", help="By default the run in progress, or the one that uploads wait for.")
    ] = "",
    as_json: AsJsonLines = False,
    aws: OnAws = "",
) -> None:
    """Follow a run until it has ended: its stages, its trials, and what it waits for. Ctrl-C leaves it running."""
    if is_at_rest(aws):
        tell_at_rest(run_id, as_json=as_json)
        return
    with stack_for(aws) as stack, leaving(aws, run_id), screen_for(as_json=as_json) as screen:
        run = watch_run(stack, follow(stack, run_id), screen, run_id)
        if run is None:
            raise SeedbedError(NOTHING.format(seedbed("upload", "FOLDER", aws=aws)))
    conclude(run, aws, as_json=as_json)


def tell_at_rest(run_id: str, *, as_json: bool) -> None:
    """How the run ended, by a local cloud that is not running. Raises SeedbedError if there is none or it has not."""
    with api_for("") as api:
        status = Status(api.get(f"/runs/{run_id}")) if run_id else current(api)
    if status.in_progress or status.pending:
        if not as_json:
            print_status(status, "")
        raise SeedbedError(NOT_RUNNING.format(seedbed("up")))
    if status.run is None:
        raise SeedbedError(NOTHING.format(seedbed("upload", "FOLDER")))
    conclude(status.run, "", as_json=as_json)


@contextmanager
def screen_for(*, as_json: bool) -> Iterator[Screen]:
    """Bars for somebody at a terminal, else one line an event on standard output."""
    if as_json:
        yield JsonLines()
    elif is_live(notes()) and is_live(results()):
        with StageBars() as bars:
            yield bars
    else:
        yield EventLines()


@contextmanager
def leaving(aws: str, run_id: str = "") -> Iterator[None]:
    """Ctrl-C in the block says that the run continues."""
    try:
        yield
    except KeyboardInterrupt:
        words = ["watch", run_id] if run_id else ["watch"]
        say(CONTINUES.format("The run", seedbed(*words, aws=aws)))
        raise


def watch_run(stack: Stack, looks: Iterable[Status], screen: Screen, run_id: str = "") -> dict[str, Any] | None:
    """Show the stages and events of the run as they come. Returns the run as it ended; None if there is none.

    Without a `run_id`, a run that had ended before is shown no events of.
    """
    jobs, shown, followed, run = JobsProgress(stack), Shown(), bool(run_id), None
    for status in looks:
        run = status.run
        followed = followed or status.in_progress
        if run and followed:
            shown.tell(run, screen)
        if run and status.in_progress:
            screen.show(jobs.of(run) or stage_of(status))
        elif status.pending and not followed:
            screen.show(stage_of(status))
    return run


def wait_for_run(stack: Stack, known: Collection[str], screen: Screen) -> dict[str, Any] | None:
    """Follow the next run that is not among `known` until it has ended, which it returns; None if none is needed."""
    fresh = ""
    for status in next_run(stack, known):
        if status.run and status.run["run_id"] not in known:
            fresh = status.run["run_id"]
        else:
            screen.show(settling(status))
    return watch_run(stack, follow(stack, fresh), screen, fresh) if fresh else None


def settling(status: Status) -> StageProgress:
    """What uploads wait for: their end, or that of the run in progress."""
    if status.run and status.in_progress:
        return StageProgress("settle", note=f"waiting for {printable(status.run['run_id'])} to end")
    return stage_of(Status(None))


def conclude(run: Mapping[str, Any], aws: str, *, as_json: bool = False) -> None:
    """Print how the run ended. Raises NoModel if it has no model."""
    if as_json:
        JsonLines().tell("", **end_of(run))
    if run["state"] != "Completed":
        raise NoModel(ending(run, aws))
    for line in [] if as_json else ended(run, aws):
        results().print(line, soft_wrap=True)


class Shown:
    """The trials and the notice of a run that were shown already."""

    def __init__(self) -> None:
        self._trials: set[str] = set()
        self._notice: str | None = None

    def tell(self, run: Mapping[str, Any], screen: Screen) -> None:
        """Tell of each trial that has ended since, and of what the run waits for now."""
        for trial in run["trials"]:
            if trial["status"] in TRIAL_ENDED and trial["name"] not in self._trials:
                self._trials.add(trial["name"])
                screen.tell(trial_line(run["run_id"], trial), event="trial", run_id=run["run_id"], trial=dict(trial))
        if run["notice"] and run["notice"] != self._notice and run["state"] not in ENDED:
            screen.tell(printable(run["notice"]), event="notice", run_id=run["run_id"], notice=run["notice"])
        self._notice = run["notice"]


def trial_line(run_id: str, trial: Mapping[str, Any]) -> str:
    """One sentence on a trial that has ended."""
    name = printable(trial["name"].removeprefix(f"{run_id}-"))
    if trial["objective"] is not None:
        return f"Trial {name}: {percent(trial['objective'])} on validation."
    why = f": {printable(trial['reason']).rstrip('.')}" if trial["reason"] else ""
    return f"Trial {name} {trial['status'].lower()}{why}."


def end_of(run: Mapping[str, Any]) -> dict[str, Any]:
    """The event of a run's end, for programs."""
    kept = ("run_id", "state", "reason", "test_accuracy", "won", "cost_usd")
    return {"event": "ended", **{name: run[name] for name in kept}}
