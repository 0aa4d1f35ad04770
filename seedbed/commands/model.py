"""The commands that show, use and serve the best model."""

import json
import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from ..errors import SeedbedError, WrongUse
from ..extras import need
from ..fetch import fetch_report
from ..model_files import CARD, FILE_NAMES, Format, check_target, source_of, take, write_to
from ..predict import check_can_label, fetch_best_model, serve_model
from ..predict import predict as predict_files
from ..submission import write_submission
from ..terminal.console import results, say
from ..terminal.hints import seedbed
from . import show
from .dashboard import dashboard
from .options import AsJson, OnAws, Port, api_for, stack_and_home, stack_for


def best(as_json: AsJson = False, aws: OnAws = "") -> None:
    """Show the best model."""
    with api_for(aws) as api:
        answer = api.get("/models/best")
    if as_json:
        sys.stdout.write(json.dumps(answer, indent=2) + "\n")
    else:
        results().print(show.best_model(answer, seedbed("model", aws=aws)), crop=False)


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


def model(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="By default the best model's run.")] = "",
    format_: Annotated[Format, typer.Option("--format", help="The format to take it in.")] = Format.onnx,
    out: Annotated[
        Path | None, typer.Option(help="Where to write it, - for standard output. Its format's name by default.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there already.")] = False,
    aws: OnAws = "",
) -> None:
    """Take the best model, or a run's, with model.json and the model card beside it."""
    path = out or Path(FILE_NAMES[format_])
    to_output = str(path) == "-"
    check_output(format_) if to_output else check_target(path, format_, force=force)
    with stack_for(aws) as stack:
        source = source_of(stack, run_id, format_)
        if to_output:
            write_to(sys.stdout.buffer, stack, source)
            return
        beside = take(stack, source, path, force=force)
    results().print(str(path), soft_wrap=True)
    names = " and ".join(each.name for each in beside)
    how = ", which says how to use it" if CARD in names else ""
    say(f"The model of run {source.run_id} as {format_}. Beside it: {names}{how}.")


def check_output(format_: Format) -> None:
    """Raises WrongUse if standard output can't take a model."""
    if format_ is Format.saved_model:
        raise WrongUse("A SavedModel is a folder, so it can't go to standard output. Name one with --out.")
    if sys.stdout.isatty():
        raise WrongUse("A model is not text for a terminal: redirect standard output, or name a file with --out.")


def predict(
    paths: Annotated[list[Path], typer.Argument(metavar="IMAGES", help="Images, or folders of images.")],
    csv: Annotated[
        Path | None, typer.Option(help="Write file,label,confidence,sure to this file. Standard output by default.")
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


def open_(
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="report, dashboard, or the id of a run whose report to open.")
    ] = "report",
    aws: OnAws = "",
) -> None:
    """Open a report or the dashboard in a browser: by default the report on the best model."""
    if what == "dashboard":
        need("dashboard", "seedbed open dashboard")
        dashboard(aws=aws)
    else:
        report("" if what == "report" else what, browser=True, aws=aws)
