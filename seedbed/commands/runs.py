"""The commands for runs: list them, stop one, rebuild their table."""

import json
import sys
from typing import Annotated

import typer

from ..rebuild import rebuild as rebuild_table
from . import show
from .options import AsJson, OnAws, stack_for
from .progress import console


def runs(
    run_id: Annotated[str, typer.Argument(help="Show this run with its trials.")] = "",
    as_json: AsJson = False,
    aws: OnAws = "",
) -> None:
    """List the runs, or show one."""
    with stack_for(aws) as stack:
        answer = stack.get(f"/runs/{run_id}" if run_id else "/runs")
    if as_json:
        sys.stdout.write(json.dumps(answer, indent=2) + "\n")
    elif run_id:
        console().print(show.run_details(answer))
    else:
        console().print(show.runs_table(answer["runs"]))


def stop(run_id: Annotated[str, typer.Argument(metavar="RUN")], aws: OnAws = "") -> None:
    """Stop a run that goes on; it ends within seconds, and what was uploaded since gets the next one."""
    with stack_for(aws) as stack:
        console().print(stack.post(f"/runs/{run_id}/stop")["message"], markup=False, soft_wrap=True)


def rebuild(aws: OnAws = "") -> None:
    """Fill a lost or emptied table anew, from the bucket and from SageMaker; what is in it stays."""
    with stack_for(aws) as stack:
        rebuilt = rebuild_table(stack)
    console().print("\n".join(rebuilt) or "The table lacks no run.")
