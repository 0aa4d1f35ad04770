"""`python -m seedbed.seedlings SHEET.png`: a contact sheet of the twelve species."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from . import SPECIES, draw

COLUMNS, EACH = 6, 2
SIDE, GAP, CAPTION = 150, 6, 22
COLOURS = 256  # a palette keeps a sheet of noisy gravel below 400 KB


def sheet() -> Image.Image:
    """Six species a band, each with its name above its first images."""
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
    parser = argparse.ArgumentParser(prog="python -m seedbed.seedlings", description=__doc__)
    parser.add_argument("file", type=Path, help="where the sheet goes, a .png file")
    file: Path = parser.parse_args(arguments).file
    if file.suffix.lower() != ".png":
        parser.error(f"{file} does not end in .png; name a PNG file.")
    file.parent.mkdir(parents=True, exist_ok=True)
    sheet().save(file, optimize=True)


if __name__ == "__main__":
    main()
