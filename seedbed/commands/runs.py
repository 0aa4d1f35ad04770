"""The commands that list runs, ask for one, stop one, repeat one, and rebuild their table."""

import json
import sys
from typing import Annotated
from uuid import uuid4

import typer

from ..errors import SeedbedError
from ..local_cloud.home.folder import default_home
from ..local_cloud.parameters import PlanName
from ..rebuild import rebuild as rebuild_table
from ..terminal.console import results
from ..terminal.hints import seedbed
from . import show
from .options import AsJson, OnAws, Trials, stack_for


def runs(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="Show this run, with its trials.")] = "",
    as_json: AsJson = False,
    aws: OnAws = "",
) -> None:
    """List the runs, or show one run."""
    with stack_for(aws) as stack:
        answer = stack.get(f"/runs/{run_id}" if run_id else "/runs")
    if as_json:
        sys.stdout.write(json.dumps(answer, indent=2) + "\n")
    elif run_id:
        results().print(show.run_details(answer, seedbed("model", run_id, aws=aws)), crop=False)
    else:
        results().print(show.runs_table(answer["runs"]))


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


def stop(run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")], aws: OnAws = "") -> None:
    """Stop the run in progress. Images uploaded since it started get the next run."""
    with stack_for(aws) as stack:
        results().print(stack.post(f"/runs/{run_id}/stop")["message"], soft_wrap=True)


def retry(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The id of a run that failed or was stopped.")],
    aws: OnAws = "",
) -> None:
    """Give the images of a run that failed or was stopped another attempt."""
    with stack_for(aws) as stack:
        results().print(stack.post(f"/runs/{run_id}/retry")["message"], soft_wrap=True)


def rebuild(aws: OnAws = "") -> None:
    """Add missing runs to the table, from the bucket and SageMaker."""
    with stack_for(aws) as stack:
        rebuilt = rebuild_table(stack)
    results().print("\n".join(rebuilt) or "No run is missing from the table.")
