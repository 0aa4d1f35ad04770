"""`seedbed upload`: uploads a folder of images to the bucket, and follows the run that they get."""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import SeedbedError
from ..local_cloud.home.folder import default_home
from ..stack import Stack, aws_stack, local_stack
from ..terminal.console import results, say
from ..terminal.hints import seedbed
from ..upload import files_of
from ..upload import upload as upload_files
from ..watch.stage import StageProgress
from .left_out import LeftOut
from .options import AsJsonLines, OnAws
from .progress import JsonLines, Screen, StageBars
from .watch import NOT_NEEDED, conclude, leaving, screen_for, wait_for_run

NOTHING = "Nothing was uploaded; the lines above say why."
Wait = Annotated[
    bool, typer.Option("--wait", help="Follow the run that the images get, until it has ended. Ctrl-C leaves it.")
]


def upload(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Images, with one sub-folder per label.")],
    wait: Wait = False,
    as_json: AsJsonLines = False,
    aws: OnAws = "",
) -> None:
    """Upload a folder of images. A run starts when the uploads have ended."""
    cloud = default_home().running()
    if not aws and not cloud:
        raise SeedbedError(f"No local cloud is running. Start one in another terminal: {seedbed('up')}")
    stack = aws_stack(aws) if aws else local_stack(cloud or {})
    if wait:
        stack.get("/runs")  # who may not ask is told before the upload, not after it
    done, left_out = upload_folder(stack, folder, as_json=as_json)
    if as_json:
        JsonLines().tell("", event="uploaded", uploaded=done, left_out=left_out.as_json())
    else:
        results().print(f"Uploaded {done:,} files. A run starts once no further images arrive.")
    if wait:
        follow_next(stack, aws, as_json=as_json)
    elif not as_json:
        say(f"Follow it with: {seedbed('watch', aws=aws)}")


def upload_folder(stack: Stack, folder: Path, *, as_json: bool) -> tuple[int, LeftOut]:
    """How many files were uploaded, and what was left out. Raises SeedbedError if none were."""
    done, left_out = 0, LeftOut()
    try:
        files = files_of(folder, left_out.add)
        with StageBars() as stages:
            for done, _ in enumerate(upload_files(stack, files, left_out.add), start=1):
                stages.show(StageProgress("upload", done, len(files)))
    finally:
        if not as_json or not done:
            left_out.tell()
    if not done:
        raise SeedbedError(NOTHING)
    return done, left_out


def follow_next(stack: Stack, aws: str, *, as_json: bool) -> None:
    """Follow the run of what has been uploaded. Raises NoModel if it ends without a model."""
    with leaving(aws), screen_for(as_json=as_json) as screen:
        known = {run["run_id"] for run in stack.get("/runs")["runs"]}
        run = wait_for_run(stack, known, screen)
        if run is None:
            tell_not_needed(screen, aws)
    if run is not None:
        conclude(run, aws, as_json=as_json)


def tell_not_needed(screen: Screen, aws: str) -> None:
    """Say that the images had a run already."""
    sentence = NOT_NEEDED.format(seedbed("runs", aws=aws))
    screen.tell(sentence, event="no_run", reason=sentence)
