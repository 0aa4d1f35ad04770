"""How large images are, as a histogram; and how many of a label are in each split, as a bar."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

from markupsafe import Markup

from ..answers.dataset import SizeRange
from ..words import count
from .drawing import chart, tag, text

WIDTH, HEIGHT, FOOT, HEAD = 640, 190, 44, 18
SPLIT_WIDTH, SPLIT_HEIGHT = 100, 8


def histogram(sizes: Sequence[SizeRange]) -> Markup:
    """How many images there are in each range of sizes; the ranges are written below, in pixels."""
    most, step = max(size.images for size in sizes), WIDTH / len(sizes)
    parts = [tag("line", class_="axis", x1=0, x2=WIDTH, y1=HEIGHT - FOOT, y2=HEIGHT - FOOT)]
    for place, size in enumerate(sizes):
        tall = (HEIGHT - FOOT - HEAD) * size.images / most
        middle, wide = (place + 0.5) * step, min(step - 4, 120)
        parts += [
            tag("rect", class_="bar", x=middle - wide / 2, y=HEIGHT - FOOT - tall, width=wide, height=tall),
            text(str(size.least), middle, HEIGHT - FOOT + 17, "middle"),
        ]
        if size.most > size.least:
            parts.append(text(f"to {size.most}", middle, HEIGHT - FOOT + 33, "middle"))
        if size.images:
            parts.append(text(count(size.images), middle, HEIGHT - FOOT - tall - 5, "middle"))
    about = "; ".join(f"{size.least} to {size.most} pixels: {count(size.images)}" for size in sizes if size.images)
    return chart("Images by the length of their longer side", about, (WIDTH, HEIGHT), *parts, kind="sizes")


def split_bar(splits: Sequence[int], most: int) -> Markup:
    """Images in training, validation and test, end to end, on a scale up to `most`; a table beside it says the same."""
    ends = [0, *accumulate(splits)]
    parts = [
        tag("rect", class_=f"f{series}", x=_at(start, most), width=_at(end - start, most), height=SPLIT_HEIGHT)
        for series, (start, end) in enumerate(pairwise(ends), start=1)
    ]
    box = f"0 0 {SPLIT_WIDTH} {SPLIT_HEIGHT}"
    return tag("svg", *parts, class_="splits", viewBox=box, preserveAspectRatio="none", aria_hidden="true")


def _at(images: int, most: int) -> float:
    return SPLIT_WIDTH * images / max(most, 1)
