"""An overview of the dataset: a row of photographs for each label, with its name and counts."""

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from trainer.names import JOINERS
from trainer.preparation.dataset import SPLITS, CheckedImage, Dataset, SplitName
from trainer.preparation.survey import Survey
from trainer.types import Pixels

MAX_BYTES = 400_000
MAX_LABELS = 30
COLUMNS = 12
THUMBNAIL, GAP, MARGIN = 88, 6, 24
NAMES_WIDTH, TITLE_HEIGHT, FOOT_HEIGHT = 232, 56, 28
CORNER = 7
QUALITIES = (88, 80, 70, 60, 45, 30, 15, 5)
PAPER, INK, PALE_INK = (250, 249, 245), (38, 50, 38), (126, 134, 122)

Font = ImageFont.FreeTypeFont


def write_mosaic(path: Path, dataset: Dataset, found: Survey) -> None:
    """Writes a JPEG of at most 400,000 bytes, with up to thirty labels and the number of further ones."""
    image = _mosaic(dataset, found)
    for quality in QUALITIES:
        content = BytesIO()
        image.save(content, "JPEG", quality=quality, optimize=True)
        if content.tell() <= MAX_BYTES:
            break
    path.write_bytes(content.getvalue())


def _mosaic(dataset: Dataset, found: Survey) -> Image.Image:
    shown = dataset.labels[:MAX_LABELS]
    width = 2 * MARGIN + NAMES_WIDTH + COLUMNS * (THUMBNAIL + GAP) - GAP
    more = len(dataset.labels) - len(shown)
    height = MARGIN + TITLE_HEIGHT + len(shown) * (THUMBNAIL + GAP) + (FOOT_HEIGHT if more else 0) + MARGIN - GAP
    image = Image.new("RGB", (width, height), PAPER)
    title = f"{len(dataset.used):,} images of {len(dataset.labels)} labels"
    ImageDraw.Draw(image).text((MARGIN, MARGIN), title, INK, _font(24, bold=True))
    counts, images = dataset.counts(), _by_label(dataset)
    row_of = {checked.file: row for row, checked in enumerate(found.checked)}
    for place, label in enumerate(shown):
        top = MARGIN + TITLE_HEIGHT + place * (THUMBNAIL + GAP)
        _draw_label(image, top, label, counts[label])
        _paste_photographs(image, top, [found.picture(row_of[checked.file]) for checked in images[label]])
    if more:
        foot = (MARGIN, height - MARGIN - FOOT_HEIGHT + GAP)
        ImageDraw.Draw(image).text(foot, f"and {more:,} more labels", PALE_INK, _font(14))
    return image


def _by_label(dataset: Dataset) -> dict[str, list[CheckedImage]]:
    """Up to twelve images of each label, ordered by digest: arbitrary ones, but always the same."""
    images: dict[str, list[CheckedImage]] = {label: [] for label in dataset.labels}
    for image in sorted(dataset.used, key=lambda image: image.digest):
        if len(images[image.label]) < COLUMNS:
            images[image.label].append(image)
    return images


def _draw_label(image: Image.Image, top: int, label: str, counts: dict[SplitName, int]) -> None:
    draw, name, small = ImageDraw.Draw(image), _font(15, bold=True), _font(11)
    splits = " · ".join(f"{counts[split]:,} {split}" for split in SPLITS)
    draw.text((MARGIN, top + 18), _fitting(label, name, NAMES_WIDTH - 2 * GAP), INK, name)
    draw.text((MARGIN, top + 42), f"{sum(counts.values()):,} images", INK, small)
    draw.text((MARGIN, top + 58), _fitting(splits, small, NAMES_WIDTH - GAP), PALE_INK, small)


def _paste_photographs(image: Image.Image, top: int, photographs: Iterable[Pixels]) -> None:
    mask = Image.new("L", (THUMBNAIL * 4, THUMBNAIL * 4))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, *(side - 1 for side in mask.size)), CORNER * 4, fill=255)
    mask = mask.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    for column, pixels in enumerate(photographs):
        image.paste(_thumbnail(pixels), (MARGIN + NAMES_WIDTH + column * (THUMBNAIL + GAP), top), mask)


def _thumbnail(pixels: Pixels) -> Image.Image:
    return Image.fromarray(np.asarray(pixels)).resize((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)


def _fitting(text: str, font: Font, width: int) -> str:
    """The text in one line, cut to the width in pixels, with a dot for each character that can't be drawn.

    The font joins no letters, so joiners are left out.
    """
    text = "".join(letter if letter.isprintable() else "·" for letter in text[:80] if letter not in JOINERS)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"


def _font(size: int, *, bold: bool = False) -> Font:
    """Matplotlib's font, as Pillow's own covers few scripts."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(mpl.get_data_path(), "fonts/ttf", name), size)
