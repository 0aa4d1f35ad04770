"""`seedbed import`: pickled arrays into a folder of images."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from ..errors import writing
from ..terminal.console import notes, results, say
from ..terminal.hints import quoted, seedbed
from ..terminal.text import printable


def import_pickles(
    images: Annotated[Path, typer.Argument(metavar="X.pkl", help="The images, an array (n, height, width, 3).")],
    labels: Annotated[Path, typer.Argument(metavar="Y.pkl", help="Their labels, as one-hot rows.")],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder for the images.")] = Path("imported"),
    names: Annotated[
        str, typer.Option("--labels", metavar="A,B,...", help="The labels' names, in the order of the columns.")
    ] = "",
    bgr: Annotated[bool, typer.Option("--bgr", help="Blue comes first, as in OpenCV.")] = False,
) -> None:
    """Turn pickled NumPy arrays into a folder of images. No code in the pickles runs."""
    from ..pickles.images import read_pickles, write_images  # noqa: PLC0415  only this needs NumPy and Pillow

    found = read_pickles(images, labels, [name.strip() for name in names.split(",")] if names else ())
    with writing(folder), closing(write_images(found, folder, blue_first=bgr)) as written:
        count = sum(1 for _ in track(written, "Import", len(found.images), console=notes()))
    say(*found.notices)
    summary = f"{count:,} images of {len(set(found.names))} labels are in {folder.absolute()}."
    results().print(printable(summary), soft_wrap=True)
    say(f"Upload them with: {seedbed('upload', quoted(folder))}")
    if not bgr:
        say("Look at a few: if red and blue are swapped, import them again with --bgr.")
