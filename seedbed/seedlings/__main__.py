"""`python -m seedbed.seedlings SHEET.png` draws a contact sheet of the twelve species."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

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


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m seedbed.seedlings", description="Draw a contact sheet of the twelve species."
    )
    parser.add_argument("file", type=Path, help="the sheet, a .png file")
    file: Path = parser.parse_args(arguments).file
    if file.suffix.lower() != ".png":
        parser.error(f"{file} does not end in .png: choose a PNG file.")
    file.parent.mkdir(parents=True, exist_ok=True)
    sheet().save(file, optimize=True)


if __name__ == "__main__":
    main()
