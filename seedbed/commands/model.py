"""The commands that show, use and serve the best model."""

import json
import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from ..errors import SeedbedError, WrongUse
from ..fetch import fetch_report
from ..predict import check_can_label, fetch_best_model, serve_model
from ..predict import predict as predict_files
from ..submission import write_submission
from ..terminal.console import results
from . import show
from .options import AsJson, OnAws, Port, local_home, stack_and_home, stack_for


def best(as_json: AsJson = False, aws: OnAws = "") -> None:
    """Show the best model."""
    with stack_for(aws) as stack:
        answer = stack.get("/models/best")
    if as_json:
        sys.stdout.write(json.dumps(answer, indent=2) + "\n")
    else:
        results().print(show.best_model(answer, local_home(aws)), crop=False)


def report(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="By default the best model's run.")] = "",
    browser: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
    aws: OnAws = "",
) -> None:
    """Fetch the report on a run's evaluation, and print its path."""
    with stack_and_home(aws) as (stack, home):
        path = fetch_report(stack, home, run_id)
    results().print(str(path), soft_wrap=True)
    if browser and not webbrowser.open(path.as_uri()):
        raise SeedbedError(f"No browser could be started. Open this address yourself: {path.as_uri()}")


def predict(
    paths: Annotated[list[Path], typer.Argument(metavar="IMAGES", help="Images, or folders of images.")],
    csv: Annotated[
        Path | None, typer.Option(help="Write file,label,confidence to this file. Standard output by default.")
    ] = None,
    submission: Annotated[
        Path | None, typer.Option(help="Write file,species to this file, as for Kaggle's Plant Seedlings competition.")
    ] = None,
    aws: OnAws = "",
) -> None:
    """Label images with the best model."""
    if csv and submission:
        raise WrongUse("Choose one of --csv and --submission.")
    check_can_label(paths, csv or submission)
    with stack_and_home(aws) as (stack, home):
        model = fetch_best_model(stack, home)
    if not submission:
        predict_files(model, paths, csv)
        return
    results().print(write_submission(model, paths, submission), soft_wrap=True)


def serve(port: Port = 8080, aws: OnAws = "") -> None:
    """Serve the best model over HTTP, like SageMaker hosting, until Ctrl-C."""
    with stack_and_home(aws) as (stack, home):
        model = fetch_best_model(stack, home)
    serve_model(model, port)
