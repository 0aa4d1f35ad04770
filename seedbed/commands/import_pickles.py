"""The command `import`."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from .progress import console


def import_pickles(
    images: Annotated[Path, typer.Argument(metavar="X.pkl", help="Images as an array (n, height, width, 3).")],
    labels: Annotated[Path, typer.Argument(metavar="Y.pkl", help="Their labels as one-hot rows.")],
    folder: Annotated[Path, typer.Argument(help="A new folder for them.")] = Path("imported"),
    names: Annotated[
        str, typer.Option("--labels", metavar="A,B,...", help="The labels in the order of the columns.")
    ] = "",
    bgr: Annotated[bool, typer.Option("--bgr", help="Blue comes first, as OpenCV reads images.")] = False,
) -> None:
    """Make a folder of images out of pickled NumPy arrays, without running what is in the pickles."""
    from ..pickles.images import read_pickles, write_images  # noqa: PLC0415  only this needs NumPy and Pillow

    terminal = console()
    found = read_pickles(images, labels, [name.strip() for name in names.split(",")] if names else ())
    with closing(write_images(found, folder, blue_first=bgr)) as written:
        count = sum(1 for _ in track(written, "Import", len(found.images), console=terminal))
    said = f"{count:,} images of {len(found.names)} labels are in {folder}, for: seedbed upload {folder}"
    advice = "" if bgr else "\nLook at a few: if their reds are blue, import them anew with --bgr."
    terminal.print(said + advice, soft_wrap=True, markup=False)
