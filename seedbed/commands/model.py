"""The commands for the best model: see it, use it, serve it."""

import json
import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from ..errors import SeedbedError
from ..fetch import fetch_report
from ..predict import fetch_best_model, serve_model
from ..predict import predict as predict_files
from ..submission import write_submission
from . import show
from .options import AsJson, OnAws, stack_and_home, stack_for
from .progress import console


def best(as_json: AsJson = False, aws: OnAws = "") -> None:
    """Show the best model."""
    with stack_for(aws) as stack:
        answer = stack.get("/models/best")
    if as_json:
        sys.stdout.write(json.dumps(answer, indent=2) + "\n")
    else:
        console().print(show.best_panel(answer))


def report(
    run_id: Annotated[str, typer.Argument(metavar="[RUN]", help="The best model's run if left out.")] = "",
    browser: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    aws: OnAws = "",
) -> None:
    """Fetch the report of a run's evaluation and print where it is."""
    with stack_and_home(aws) as (stack, home):
        path = fetch_report(stack, home, run_id)
    console().print(str(path), soft_wrap=True, markup=False)
    if browser and not webbrowser.open(path.as_uri()):
        raise SeedbedError(f"No browser could be started. Open {path.as_uri()} in one.")


def predict(
    paths: Annotated[list[Path], typer.Argument(help="Images, or folders of them.")],
    csv: Annotated[
        Path | None, typer.Option(help="Where to write file,label,confidence; standard output if left out.")
    ] = None,
    submission: Annotated[
        Path | None, typer.Option(help="Where to write file,species as the Plant Seedlings competition wants it.")
    ] = None,
    aws: OnAws = "",
) -> None:
    """Label images with the best model."""
    if csv and submission:
        raise SeedbedError("Choose one of --csv and --submission.")
    with stack_and_home(aws) as (stack, home):
        model = fetch_best_model(stack, home)
    if not submission:
        predict_files(model, paths, csv)
        return
    console().print(write_submission(model, paths, submission), soft_wrap=True, markup=False)


def serve(port: Annotated[int, typer.Option(help="Where to listen on 127.0.0.1.")] = 8080, aws: OnAws = "") -> None:
    """Serve the best model over HTTP, as SageMaker hosting would, until Ctrl-C."""
    with stack_and_home(aws) as (stack, home):
        model = fetch_best_model(stack, home)
    serve_model(model, port)
