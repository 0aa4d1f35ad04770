"""The commands."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from . import interrupts
from .commands import progress, show
from .commands.demo import demo as run_demo
from .commands.dlq import dlq
from .commands.import_pickles import import_pickles
from .commands.model import best, predict, report, serve
from .commands.options import AsJson, OnAws, stack_for
from .errors import SeedbedError
from .local_cloud.home.demo import keep
from .local_cloud.home.folder import default_home
from .local_cloud.parameters import PlanName, parameters
from .local_cloud.process import local_cloud
from .stack import aws_stack, local_stack
from .upload import files_of
from .upload import upload as upload_files
from .watch import Step

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Labelled seedling images in, the best model out.",
)
console = progress.console()

Trials = Annotated[int | None, typer.Option(min=1, max=750, help="How many heads a run tries.")]
Plan = Annotated[PlanName, typer.Option(help="Train heads alone, or the whole network too and export it.")]


class Containers(StrEnum):
    """How an image is run."""

    auto = "auto"
    process = "process"
    docker = "docker"


@app.command()
def demo(
    images: Annotated[Path | None, typer.Option(help="A folder of images, one sub-folder a label.")] = None,
    trials: Trials = None,
    plan: Plan = PlanName.quick,
) -> None:
    """Run the whole flow on this machine and show it."""
    run_demo(default_home(), images, parameters(plan, trials), console)


@app.command()
def up(
    port: Annotated[int, typer.Option(help="Where to listen on 127.0.0.1.")] = 4566,
    trials: Trials = None,
    plan: Plan = PlanName.quick,
) -> None:
    """Keep the local cloud up until Ctrl-C; it goes on where it was stopped."""
    home = default_home()
    with local_cloud(home, parameters(plan, trials), port=port) as cloud:
        keep(home)
        stack = local_stack(cloud)
        for line in (
            f"The local cloud is up at {stack.endpoint}; it answers programs that sign with this home's key alone.",
            f"Bucket {stack.bucket}, state in {home.path}, e-mails in {home.mail}.",
            "Upload a folder of images with: seedbed upload DIR",
            f"Ask for the best model with:\n  {show.ask_for_best(stack, home)}",
            f"For the AWS CLI, boto3 and other S3 clients:\n  {show.exports(cloud['endpoint'], cloud['credentials'])}",
            "Stop with Ctrl-C.",
        ):
            console.print(line, soft_wrap=True, markup=False, highlight=False)
        progress.print_states(stack, console)


@app.command()
def sagemaker(
    image: Annotated[
        list[str], typer.Option(metavar="NAME=FOLDER", help="An image's repository and the folder of its Dockerfile.")
    ],
    port: Annotated[int, typer.Option(help="Where to listen on 127.0.0.1.")] = 4566,
    data: Annotated[Path, typer.Option(help="Where its state is kept.")] = Path(".seedbed-sagemaker"),
    containers: Annotated[
        Containers, typer.Option(help="Run images as processes here, in Docker, or in Docker where it answers.")
    ] = Containers.auto,
) -> None:
    """Serve a SageMaker endpoint for your own containers until Ctrl-C; it goes on where it was stopped."""
    from .commands.sagemaker import serve_sagemaker  # noqa: PLC0415  the other commands need none of it

    serve_sagemaker(port, data, image, containers.value, console)


@app.command()
def upload(folder: Annotated[Path, typer.Argument(help="One sub-folder a label.")], aws: OnAws = "") -> None:
    """Put a folder of images into the bucket; a run starts when the uploads end."""
    cloud = default_home().running()
    if not aws and not cloud:
        raise SeedbedError("No local cloud is up. Start one in another terminal: seedbed up")
    stack = aws_stack(aws) if aws else local_stack(cloud or {})
    files = files_of(folder)
    with progress.Stages(console) as stages:
        for done, _ in enumerate(upload_files(stack, files), start=1):
            stages.show(Step("upload", done, len(files)))
    console.print("Uploaded. The run starts when the bucket has been quiet for a while: seedbed runs shows it.")


@app.command()
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
        console.print(show.run_details(answer))
    else:
        console.print(show.runs_table(answer["runs"]))


@app.command()
def stop(run_id: Annotated[str, typer.Argument(metavar="RUN")], aws: OnAws = "") -> None:
    """Stop a run that goes on; it ends within seconds, and what was uploaded since gets the next one."""
    with stack_for(aws) as stack:
        console.print(stack.post(f"/runs/{run_id}/stop")["message"], markup=False, soft_wrap=True)


@app.command("rebuild")
def rebuild_table(aws: OnAws = "") -> None:
    """Fill a lost or emptied table anew, from the bucket and from SageMaker; what is in it stays."""
    from .rebuild import rebuild  # noqa: PLC0415  reads the template, with a library that takes a second to load

    with stack_for(aws) as stack:
        rebuilt = rebuild(stack)
    console.print("\n".join(rebuilt) or "The table lacks no run.")


for command in (best, report, predict, serve):
    app.command()(command)
app.command("import")(import_pickles)
app.add_typer(dlq, name="dlq")


def main() -> None:
    """Run a command; an error is a sentence, and Ctrl-C, SIGTERM or a closed terminal end all that was started."""
    interrupts.heed()
    status: int | str | None = None
    try:
        status = run()
        interrupts.ignore()
    except KeyboardInterrupt:
        interrupts.ignore()
    if interrupts.heeded:
        interrupts.leave(interrupts.heeded)
    sys.exit(status)


def run() -> int | str | None:
    """The command's exit status."""
    try:
        app()
    except SeedbedError as error:
        console.print(f"[bold red]Not done.[/] {error}", soft_wrap=True)
        return 1
    except SystemExit as end:
        return end.code
    return 0
