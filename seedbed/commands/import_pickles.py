"""`seedbed import`: arrays of NumPy into a folder of images."""

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from ..errors import writing
from ..terminal.console import notes, results, say
from ..terminal.hints import quoted, seedbed
from ..terminal.text import printable


def import_pickles(  # noqa: PLR0913, PLR0917  each is an argument or option of the command
    images: Annotated[
        Path, typer.Argument(metavar="X", help="The images: .npy, .npz or .pkl, also in .gz, .bz2 or .xz.")
    ],
    labels: Annotated[
        Path | None,
        typer.Argument(metavar="Y", help="Their labels: one-hot rows, numbers or names. Leave it out if X holds both."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="A new folder for the images, otherwise called imported.")
    ] = None,
    names: Annotated[
        str,
        typer.Option("--labels", metavar="A,B,...", help="The labels' names, in the order of the columns or numbers."),
    ] = "",
    arrays: Annotated[
        str,
        typer.Option(
            "--arrays", metavar="X,Y", help="The names of both arrays in a file of more, such as x_train,y_train."
        ),
    ] = "",
    bgr: Annotated[bool, typer.Option("--bgr", help="Blue comes first, as in OpenCV.")] = False,
) -> None:
    """Turn NumPy's arrays of images into a folder of images. No code in the files runs.

    Images have the shape (n, height, width, 3), with values from 0 to 255 or from 0 to 1.

    Grey images, a fourth colour for opacity, colours first and 10 to 16 bits are taken too.
    """
    from ..pickles.images import check_new, read_pickles, write_images  # noqa: PLC0415  only this needs NumPy and Pillow

    if folder is None and labels and (labels.is_dir() or not (labels.exists() or labels.suffix)):
        labels, folder = None, labels
    folder = folder or Path("imported")
    with writing(folder):
        check_new(folder)
    found = read_pickles(images, labels, _split(names), _split(arrays))
    terminal = notes()
    bar = partial(track, disable=not terminal.is_terminal)
    with writing(folder), closing(write_images(found, folder, blue_first=bgr)) as written:
        count = sum(1 for _ in bar(written, "Import", len(found.images), console=terminal))
    say(*map(printable, found.notices))
    summary = f"{count:,} images of {len(set(found.names))} labels are in {folder.absolute()}."
    results().print(printable(summary), soft_wrap=True)
    say(f"Upload them with: {seedbed('upload', quoted(folder))}")
    if not bgr:
        say("Look at a few: if red and blue are swapped, import them again with --bgr.")


def _split(names: str) -> list[str]:
    return [name.strip() for name in names.split(",")] if names else []
