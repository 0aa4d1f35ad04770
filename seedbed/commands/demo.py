"""`seedbed demo`: the whole flow on this machine, shown live: images in, best model out, e-mail sent."""

import shlex
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ..errors import SeedbedError
from ..fetch import fetch_mosaic, fetch_report
from ..local_cloud.home.demo import demo_home, hold_for_demo, home_to_query
from ..local_cloud.home.folder import Home, default_home
from ..local_cloud.home.mark import write_mark
from ..local_cloud.notifications.kept import kept
from ..local_cloud.parameters import PlanName, parameters
from ..local_cloud.process import local_cloud
from ..stack import Stack, local_stack
from ..upload import files_of, upload
from ..watch import StageProgress, follow, new_run
from .options import Plan, Trials
from .progress import StageBars, console
from .show import (
    best_panel,
    champion_note,
    labels_table,
    mail_panel,
    refused_note,
    report_note,
    trials_table,
)

IMAGES_PER_SPECIES = 60
PROCEDURAL = {"ImageSize": "224"}
MAIL_TIMEOUT = 120


def demo(
    images: Annotated[Path | None, typer.Option(help="A folder of images, one sub-folder a label.")] = None,
    trials: Trials = None,
    plan: Plan = PlanName.quick,
) -> None:
    """Run the whole flow on this machine and show it."""
    run_demo(default_home(), images, parameters(plan, trials), console())


def run_demo(own: Home, images: Path | None, parameters: Mapping[str, str], console: Console) -> None:
    """Run it: on the folder `images`, or on procedural seedlings, with the template's `parameters`.

    Its state is kept beside the person's own home. Everything that is started ends with it.
    """
    if images:
        files_of(images)
    started = time.monotonic()
    home = demo_home(own)
    with hold_for_demo(home) as (lock, aside):
        if aside:
            console.print(f"An earlier demo's state has images of your own and was moved to {aside}.", soft_wrap=True)
        parameters = parameters if images else {**PROCEDURAL, **parameters}
        console.print("Starting the local cloud …")
        with tempfile.TemporaryDirectory() as scratch, local_cloud(home, parameters, lock=lock) as cloud:
            stack = local_stack(cloud)
            console.print(f"It is up at {stack.endpoint}, with template.yaml deployed to it.\n")
            run_id = run_once(stack, images or Path(scratch), home, console, draw=images is None)
            report(stack, run_id, home, console)
    console.print(f"\nAll of it took {time.monotonic() - started:.0f} seconds, and the local cloud has ended.")
    farewell(own, home, console)


def run_once(stack: Stack, folder: Path, home: Home, console: Console, *, draw: bool) -> str:
    """One run, from images to the e-mail, with a bar a stage; its id."""
    with StageBars(console) as stages:
        if draw:
            draw_seedlings(folder, stages)
        files = files_of(folder)
        if draw:
            write_mark(home.path, "demo", drawn=(key for _, key in files))
        for done, _ in enumerate(upload(stack, files), start=1):
            stages.show(StageProgress("upload", done, len(files)))
        run_id = ""
        for step in new_run(stack, known=set()):
            if isinstance(step, str):
                run_id = step
            else:
                stages.show(step)
        for step in follow(stack, run_id):
            stages.show(step)
        stages.show(StageProgress("notify"))
        wait_for_mail(home)
    return run_id


def draw_seedlings(folder: Path, stages: StageBars) -> None:
    from ..seedlings import SPECIES, write  # noqa: PLC0415  only drawing needs NumPy and Pillow

    total = IMAGES_PER_SPECIES * len(SPECIES)
    for done, _ in enumerate(write(folder, IMAGES_PER_SPECIES), start=1):
        stages.show(StageProgress("draw", done, total))


def wait_for_mail(home: Home) -> None:
    deadline = time.monotonic() + MAIL_TIMEOUT
    while not kept(home.mail):
        if time.monotonic() > deadline:
            raise SeedbedError(f"The run ended but no e-mail came within {MAIL_TIMEOUT} seconds; see {home.log}.")
        time.sleep(0.1)


def report(stack: Stack, run_id: str, home: Home, console: Console) -> None:
    """Show what came out. Raises SeedbedError with the run's reason if it did not complete."""
    run = stack.get(f"/runs/{run_id}")
    if run["state"] != "Completed":
        console.print(mail_panel(kept(home.mail)[-1]))
        raise SeedbedError(f"The run {run['state'].lower()}: {run['reason']}")
    console.print(trials_table(run))
    console.print(labels_table(run["evaluation"]))
    console.print(best_panel(stack.get("/models/best")))
    console.print(champion_note(run))
    if run["notice"]:
        console.print(run["notice"], markup=False)
    console.print(mail_panel(kept(home.mail)[-1]))
    note = refused_note(run["dataset"])
    if note:
        console.print(note)
    console.print(report_note(fetch_report(stack, home, run_id), fetch_mosaic(stack, home, run_id)), soft_wrap=True)


def farewell(own: Home, home: Home, console: Console) -> None:
    console.print(f"What it left in {home.path} still answers:", soft_wrap=True)
    named = f"SEEDBED_HOME={shlex.quote(str(home.path))} " if home_to_query(own) != home else ""
    program = "" if shutil.which("seedbed") else ".venv/bin/"
    for command, meaning in (
        ("seedbed best", "the best model (--json for programs)"),
        ("seedbed runs", "all runs"),
        ("seedbed report --open", "the best model's report in a browser"),
        ("seedbed predict FILE_OR_FOLDER --csv labels.csv", "label images with the best model"),
    ):
        console.print(f"  {named}{program}{command:<50} {meaning}", soft_wrap=True)
    console.print("A local cloud for images of your own, until you stop it:")
    console.print(f"  {program}seedbed up")
