"""The commands that list and compare runs, ask for one, stop one, repeat one, and rebuild their table."""

import json
import sys
from typing import Annotated, Any
from uuid import uuid4

import typer

from ..errors import SeedbedError, WrongUse
from ..local_cloud.home.folder import default_home
from ..local_cloud.parameters import PlanName
from ..rebuild import rebuild as rebuild_table
from ..terminal.console import results
from ..terminal.hints import seedbed
from ..watch.stage import ENDED
from ..watch.status import Status
from . import show
from .options import AsJson, OnAws, Trials, api_for, stack_for
from .status import NEXT, PENDING, note_at_rest, print_status, stage_object, where
from .tables import comparison
from .tables.runs import runs_table

Id = Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")]


def runs(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="Show this run, with its trials.")] = "",
    as_json: AsJson = False,
    aws: OnAws = "",
) -> None:
    """List the runs, what waits and where the run in progress is, or show one run."""
    if run_id:
        show_run(run_id, aws, as_json=as_json)
        return
    with api_for(aws) as api:
        answer = api.get("/runs")
        open_run = next((run["run_id"] for run in answer["runs"] if run["state"] not in ENDED), None)
        now = Status(api.get(f"/runs/{open_run}") if open_run else None, bool(answer["pending"]))
    if as_json:
        print_json({**answer, "stage": stage_object(now)})
        return
    if not answer["runs"]:
        print_status(now, aws)
        return
    results().print(runs_table(answer["runs"], now), crop=False)
    if now.in_progress:
        results().print(where(now), soft_wrap=True)
    if now.pending:
        results().print(NEXT if now.in_progress else PENDING, soft_wrap=True)
    note_at_rest(now, aws)


def show_run(run_id: str, aws: str, *, as_json: bool) -> None:
    """Print one run, with its trials."""
    with api_for(aws) as api:
        answer = api.get(f"/runs/{run_id}")
    if as_json:
        print_json(answer)
        return
    results().print(show.run_details(answer, seedbed("model", run_id, aws=aws)), crop=False)


def compare(
    one: Annotated[str, typer.Argument(metavar="RUN", help="A run's id.")],
    other: Annotated[str, typer.Argument(metavar="RUN", help="Another run's id.")],
    as_json: AsJson = False,
    aws: OnAws = "",
) -> None:
    """Show two runs side by side: their figures, and the hyperparameters that differ."""
    if one == other:
        raise WrongUse("Name two different runs. List those that there are: " + seedbed("runs", aws=aws))
    with api_for(aws) as api:
        both = [api.get(f"/runs/{run_id}") for run_id in (one, other)]
    if as_json:
        print_json({"runs": both, "remarks": list(comparison.verdict(*both))})
        return
    tables = (comparison.figures(*both), comparison.hyperparameters(*both), comparison.changes(*both))
    for table in filter(None, tables):
        results().print(table, crop=False)
    for sentence in comparison.verdict(*both):
        results().print(sentence, soft_wrap=True)


def run(
    plan: Annotated[PlanName | None, typer.Option(help="The plan of this run, if it differs from the stack's.")] = None,
    trials: Trials = None,
    again: Annotated[bool, typer.Option("--again", help="Even if a run with this plan had the same images.")] = False,
    aws: OnAws = "",
) -> None:
    """Start a run now, of the images in the bucket."""
    if not aws and not default_home().running():
        raise SeedbedError(f"No local cloud is running. Start one in another terminal: {seedbed('up')}")
    wanted = {"plan": plan and plan.value, "trials": trials, "again": again}
    with stack_for(aws) as stack:
        answer = stack.post("/runs", wanted, **{"Idempotency-Key": str(uuid4())})
    results().print(answer["message"], soft_wrap=True)


def stop(run_id: Id, as_json: AsJson = False, aws: OnAws = "") -> None:
    """Stop the run in progress. Images uploaded since it started get the next run."""
    ask(f"/runs/{run_id}/stop", aws, as_json=as_json)


def retry(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The id of a run that failed or was stopped.")],
    as_json: AsJson = False,
    aws: OnAws = "",
) -> None:
    """Give the images of a run that failed or was stopped another attempt."""
    ask(f"/runs/{run_id}/retry", aws, as_json=as_json)


def ask(path: str, aws: str, *, as_json: bool) -> None:
    """POST to a path of the API, and print what it says will happen."""
    with stack_for(aws) as stack:
        answer = stack.post(path)
    if as_json:
        print_json(answer)
    else:
        results().print(answer["message"], soft_wrap=True)


def rebuild(as_json: AsJson = False, aws: OnAws = "") -> None:
    """Add missing runs to the table, from the bucket and SageMaker."""
    with stack_for(aws) as stack:
        rebuilt = rebuild_table(stack)
    if as_json:
        print_json({"rebuilt": rebuilt})
    else:
        results().print("\n".join(rebuilt) or "No run is missing from the table.")


def print_json(answer: Any) -> None:
    """Print JSON to standard output."""
    sys.stdout.write(json.dumps(answer, indent=2) + "\n")
