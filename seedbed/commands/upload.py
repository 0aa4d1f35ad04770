"""`seedbed upload`: uploads a folder of images to the bucket."""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import SeedbedError
from ..local_cloud.home.folder import default_home
from ..stack import aws_stack, local_stack
from ..terminal.console import results, say
from ..terminal.hints import seedbed
from ..upload import files_of
from ..upload import upload as upload_files
from ..watch import StageProgress
from .left_out import LeftOut
from .options import OnAws
from .progress import StageBars

NOTHING = "Nothing was uploaded; the lines above say why."


def upload(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Images, with one sub-folder per label.")],
    aws: OnAws = "",
) -> None:
    """Upload a folder of images. A run starts when the uploads have ended."""
    cloud = default_home().running()
    if not aws and not cloud:
        raise SeedbedError(f"No local cloud is running. Start one in another terminal: {seedbed('up')}")
    stack = aws_stack(aws) if aws else local_stack(cloud or {})
    done, left_out = 0, LeftOut()
    try:
        files = files_of(folder, left_out.add)
        with StageBars() as stages:
            for done, _ in enumerate(upload_files(stack, files, left_out.add), start=1):
                stages.show(StageProgress("upload", done, len(files)))
    finally:
        left_out.tell()
    if not done:
        raise SeedbedError(NOTHING)
    results().print(f"Uploaded {done:,} files. A run starts once no further images arrive.")
    say(f"See it with: {seedbed('runs', aws=aws)}")
