"""`seedbed demo`: the whole flow on this machine, shown live, from images to the best model and the e-mail."""

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from ..answers import answers_kept, last_answers
from ..errors import NoModel, SeedbedError
from ..fetch import fetch_mosaic, fetch_report
from ..local_cloud.home.demo import demo_home, hold_for_demo, home_to_query
from ..local_cloud.home.folder import Home, default_home
from ..local_cloud.home.mark import write_mark
from ..local_cloud.notifications.kept import kept
from ..local_cloud.parameters import PlanName, parameters
from ..local_cloud.process import local_cloud
from ..stack import Stack, local_stack
from ..terminal.console import results, say
from ..terminal.hints import HOME, seedbed
from ..terminal.text import printable
from ..upload import files_of, upload
from ..watch.stage import StageProgress
from .dashboard import ServedPage, is_interactive, serving, wait_for_enter
from .left_out import LeftOut
from .options import Plan, Trials
from .progress import StageBars
from .show import best_model, champion_note, mail_text, refused_note, report_note
from .tables.labels import labels_table
from .tables.trials import TrialsTable
from .upload import NOTHING
from .watch import wait_for_run

IMAGES_PER_SPECIES = 60
PROCEDURAL = {"ImageSize": "224"}
MAIL_TIMEOUT = 120
NO_RUN = "No run has begun; {} says why."


def demo(
    images: Annotated[
        Path | None, typer.Option(help="Images, with one sub-folder per label. Drawn ones by default.")
    ] = None,
    trials: Trials = None,
    plan: Plan = PlanName.quick,
) -> None:
    """Run the whole flow on this machine, and show it live."""
    run_demo(default_home(), images, parameters(plan, trials))


def run_demo(own: Home, images: Path | None, parameters: Mapping[str, str]) -> None:
    """Run the flow on the folder `images`, or else on drawn seedlings, with the template's `parameters`.

    The demo keeps its state beside the user's home `own`, and ends all that it starts.
    """
    if images:
        check_folder(images)
    started = time.monotonic()
    home = demo_home(own)
    with hold_for_demo(home) as (lock, moved_to):
        if moved_to:
            say(f"The state of an earlier demo holds images of your own, so it was moved to {moved_to}.")
        parameters = parameters if images else {**PROCEDURAL, **parameters}
        say("Starting the local cloud …")
        with (
            tempfile.TemporaryDirectory() as scratch,
            answers_kept(home) as keep_answers,
            local_cloud(home, parameters, lock=lock) as cloud,
        ):
            stack = local_stack(cloud)
            say("It is running, with template.yaml deployed.")
            with page_for_person(stack, home) as page:
                run_id = run_once(stack, images or Path(scratch), home, draw=images is None)
                report(stack, run_id, home, named_home(own, home))
                say(f"\nThe demo took {time.monotonic() - started:.0f} seconds.")
                if page:
                    page.open()
                    say(f"See it all in a browser: {page.address}")
                    wait_for_enter("Press Enter to stop the local cloud. ", page)
            keep_answers(last_answers(stack))
    say("The local cloud has stopped.")
    print_next_steps(own, home)


@contextmanager
def page_for_person(stack: Stack, home: Home) -> Iterator[ServedPage | None]:
    """The page while the demo runs, if a person is there to open it; None for a pipe or a build server."""
    if not is_interactive():
        say("")
        yield None
        return
    with serving(lambda: stack, 0, home=home) as page:
        say(f"Watch it in a browser: {page.address}\n")
        yield page


def check_folder(images: Path) -> None:
    """Name what the upload will leave out. Raises SeedbedError if nothing can be uploaded."""
    left_out = LeftOut()
    try:
        files_of(images, left_out.add)
    finally:
        left_out.tell()


def run_once(stack: Stack, folder: Path, home: Home, *, draw: bool) -> str:
    """One run, from images to the e-mail, with a bar per stage. Returns its id."""
    with DemoBars() as stages:
        if draw:
            draw_seedlings(folder, stages)
        files = files_of(folder)
        if draw:
            write_mark(home.path, "demo", drawn=(key for _, key in files))
        upload_all(stack, files, stages)
        run = wait_for_run(stack, (), stages)
        if run is None:
            raise SeedbedError(NO_RUN.format(home.log))
        stages.show(StageProgress("notify"))
        wait_for_mail(home)
    return str(run["run_id"])


class DemoBars(StageBars):
    """The bars, and above them what a run waits for; its trials are listed once it has ended."""

    def tell(self, line: str, **event: Any) -> None:
        """Print the line if it is what the run waits for."""
        if event["event"] == "notice":
            super().tell(line)


def upload_all(stack: Stack, files: list[tuple[Path, str]], stages: StageBars) -> None:
    """Upload the files. Raises SeedbedError if no file could be read any more."""
    done, left_out = 0, LeftOut()
    for done, _ in enumerate(upload(stack, files, left_out.add), start=1):
        stages.show(StageProgress("upload", done, len(files)))
    left_out.tell()
    if not done:
        raise SeedbedError(NOTHING)


def draw_seedlings(folder: Path, stages: StageBars) -> None:
    from ..seedlings import SPECIES, write  # noqa: PLC0415  only drawing needs NumPy and Pillow

    total = IMAGES_PER_SPECIES * len(SPECIES)
    for done, _ in enumerate(write(folder, IMAGES_PER_SPECIES), start=1):
        stages.show(StageProgress("draw", done, total))


def wait_for_mail(home: Home) -> None:
    deadline = time.monotonic() + MAIL_TIMEOUT
    while not kept(home.mail):
        if time.monotonic() > deadline:
            raise SeedbedError(f"The run has ended, but no e-mail came within {MAIL_TIMEOUT} seconds; see {home.log}.")
        time.sleep(0.1)


def report(stack: Stack, run_id: str, home: Home, named: Path | None) -> None:
    """Show the results. Raises SeedbedError with the run's reason if it did not complete."""
    run, console = stack.get(f"/runs/{run_id}"), results()
    if run["state"] != "Completed":
        console.print(mail_text(kept(home.mail)[-1]), crop=False)
        raise NoModel(f"The run {run['state'].lower()}: {run['reason']}")
    console.print(TrialsTable(run), crop=False)
    console.print(labels_table(run["evaluation"]), crop=False)
    console.print(best_model(stack.get("/models/best"), seedbed("model", home=named)), crop=False)
    console.print(champion_note(run))
    if run["notice"]:
        console.print(printable(run["notice"]))
    console.print(mail_text(kept(home.mail)[-1]), crop=False)
    note = refused_note(run["dataset"])
    if note:
        console.print(note)
    console.print(report_note(fetch_report(stack, home, run_id), fetch_mosaic(stack, home, run_id)), soft_wrap=True)


def named_home(own: Home, home: Home) -> Path | None:
    """The demo's home, where a command that does not name it would query another one."""
    return home.path if os.environ.get(HOME) or home_to_query(own) != home else None


def print_next_steps(own: Home, home: Home) -> None:
    """What to type next."""
    named = named_home(own, home)
    steps = {
        seedbed("best", home=named): "the best model (--json for programs)",
        seedbed("runs", home=named): "all runs",
        seedbed("dashboard", home=named): "the page in a browser again",
        seedbed("report --open", home=named): "the best model's report in a browser",
        seedbed("model", home=named): "takes the best model, as ONNX",
        seedbed("predict IMAGES", home=named): "the best model's labels for images",
    }
    width = max(map(len, steps))
    say(f"The results stay in {home.path}. See them with:")
    say(*(f"  {command:<{width}}  {meaning}" for command, meaning in steps.items()))
    say(f"Run a local cloud for your own images with:\n  {seedbed('up')}")
