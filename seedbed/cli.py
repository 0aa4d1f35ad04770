"""The command `seedbed`: its subcommands, their extras, and their exit status."""

import functools
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from . import interrupts
from .commands import (
    cost,
    dashboard,
    demo,
    deploy,
    dlq,
    doctor,
    import_pickles,
    logs,
    model,
    runs,
    sagemaker,
    status,
    up,
    upload,
    watch,
)
from .commands.hosting import deploy_model
from .commands.tuning import ranges, trials
from .extras import need, own_version
from .terminal import edge

PROGRAM = "seedbed"
COMMANDS: dict[str, Callable[..., None]] = {
    "demo": demo.demo,
    "up": up.up,
    "sagemaker": sagemaker.sagemaker,
    "upload": upload.upload,
    "ranges": ranges.ranges,
    "run": runs.run,
    "runs": runs.runs,
    "compare": runs.compare,
    "trials": trials.trials,
    "status": status.status,
    "watch": watch.watch,
    "logs": logs.logs,
    "stop": runs.stop,
    "retry": runs.retry,
    "rebuild": runs.rebuild,
    "doctor": doctor.doctor,
    "dashboard": dashboard.dashboard,
    "best": model.best,
    "report": model.report,
    "open": model.open_,
    "model": model.model,
    "predict": model.predict,
    "serve": model.serve,
    "deploy-model": deploy_model.deploy_model,
    "import": import_pickles.import_pickles,
    "deploy": deploy.deploy,
    "undeploy": deploy.undeploy,
    "cost": cost.cost,
}
EXTRAS = {
    "demo": "laptop",
    "up": "laptop",
    "sagemaker": "sagemaker",
    "dashboard": "dashboard",
    "predict": "laptop",
    "serve": "laptop",
    "import": "import",
}
"""The extra of pyproject.toml that a command needs."""

app = typer.Typer(pretty_exceptions_enable=False)


def with_extra(name: str, command: Callable[..., None]) -> Callable[..., None]:
    """The command; running it raises SeedbedError if its extra is not installed."""

    @functools.wraps(command)
    def checked(*arguments: object, **options: object) -> None:
        need(EXTRAS[name], f"{PROGRAM} {name}")
        command(*arguments, **options)

    return checked if name in EXTRAS else command


def print_version(wanted: bool) -> None:
    """Print the version and exit, if it is wanted."""
    if wanted:
        sys.stdout.write(f"{PROGRAM} {own_version()}\n")
        raise typer.Exit


@app.callback(help="Labelled seedling images in, the best model out.", epilog=edge.STATUSES)
def begin(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """The options before any command."""


for name, command in COMMANDS.items():
    app.command(name)(with_extra(name, command))
app.add_typer(dlq.dlq, name="dlq")


def main() -> None:
    """Run a command. Ctrl-C, SIGTERM or a closed terminal also end what it started."""
    interrupts.heed()
    status = 0
    try:
        status = run()
        interrupts.ignore()
    except KeyboardInterrupt:
        interrupts.ignore()
    if interrupts.heeded:
        interrupts.leave(interrupts.heeded)
    sys.exit(status)


def run() -> int:
    """Run the command, and return its exit status."""
    return edge.run(app, PROGRAM)
