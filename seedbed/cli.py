"""The command `seedbed`: its subcommands, and how each of them ends."""

import sys
from collections.abc import Callable

import typer

from . import interrupts
from .commands import demo, dlq, import_pickles, model, progress, runs, sagemaker, up, upload
from .errors import SeedbedError

COMMANDS: dict[str, Callable[..., None]] = {
    "demo": demo.demo,
    "up": up.up,
    "sagemaker": sagemaker.sagemaker,
    "upload": upload.upload,
    "runs": runs.runs,
    "stop": runs.stop,
    "rebuild": runs.rebuild,
    "best": model.best,
    "report": model.report,
    "predict": model.predict,
    "serve": model.serve,
    "import": import_pickles.import_pickles,
}

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Labelled seedling images in, the best model out.",
)
for name, command in COMMANDS.items():
    app.command(name)(command)
app.add_typer(dlq.dlq, name="dlq")
console = progress.console()


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
