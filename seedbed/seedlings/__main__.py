"""`python -m seedbed.seedlings SHEET.png` draws a contact sheet of the twelve species."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image, ImageDraw, ImageFont

from ..errors import writing
from ..terminal import edge
from . import SPECIES, draw

PURPOSE = "Draw a contact sheet of the twelve species."
COLUMNS, EACH = 6, 2
SIDE, GAP, CAPTION = 150, 6, 22
COLOURS = 256  # a palette keeps a sheet of noisy gravel below 400 KB


def sheet() -> Image.Image:
    """The sheet, with six species per row, and each name above the species' first images."""
    band = CAPTION + EACH * (SIDE + GAP)
    bands = -(-len(SPECIES) // COLUMNS)
    image = Image.new("RGB", (COLUMNS * (SIDE + GAP) + GAP, bands * band + GAP), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(12)
    for index, species in enumerate(SPECIES):
        left, top = GAP + index % COLUMNS * (SIDE + GAP), index // COLUMNS * band + GAP
        pen.text((left, top), species, fill="black", font=font)
        for seed in range(EACH):
            image.paste(draw(species, seed, SIDE), (left, top + CAPTION - GAP + seed * (SIDE + GAP)))
    return image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)


app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command(help=PURPOSE)
def draw_sheet(file: Annotated[Path, typer.Argument(metavar="SHEET.png", help="The sheet, a PNG file.")]) -> None:
    """Write the sheet."""
    if file.suffix.lower() != ".png":
        raise typer.BadParameter(f"{file} does not end in .png: choose a PNG file", param_hint="SHEET.png")
    with writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        sheet().save(file, optimize=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command. Exits with its status if it fails."""
    status = edge.run(partial(app, arguments), "python -m seedbed.seedlings")
    if status:
        sys.exit(status)


if __name__ == "__main__":
    main()
