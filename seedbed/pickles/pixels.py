"""Brings the pixels of arrays to what a PNG holds: 8 bits, colours last, red first."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import SeedbedError
from .array import Array
from .pair import Part

COLOURS = {1, 3, 4}
"""Grey; red, green, blue; and these with a fourth for how opaque a pixel is."""
BITS = (10, 12, 14, 16)
"""Of cameras whose pixels have more than 8 bits."""
TOLERANCE = 0.001
"""How far resizing and rounding take values beyond 0 and 1."""
LEAST_BRIGHT = 2
"""Fractions above 1 and below this are neither images from 0 to 1 nor from 0 to 255."""
SHAPE = "(images, height, width, 3)"


@dataclass(frozen=True)
class Scale:
    """The factor that brings values to 0 to 255, and something to tell people, or nothing."""

    factor: float
    notice: str = ""


def check_shapes(part: Part, count: int) -> None:
    """Raises SeedbedError if the images can't be told apart from their shape; `count` is how many labels there are."""
    images = part.value
    if isinstance(images, list):
        wrong = [image.shape for image in images if not _is_picture(image.shape)]
        if wrong:
            raise SeedbedError(f"{part.source} has an image of the shape {wrong[0]}, not (height, width, 3).")
        return
    shape: tuple[int, ...] = images.shape
    if _is_picture(shape) and len(shape) == 3 and shape[2] in COLOURS and len(images) != count:
        raise SeedbedError(f"{part.source} has the shape {shape}, that of one image, not the shape {SHAPE}.")
    if len(shape) == 4 and shape[3] == count != len(images) and shape[2] in COLOURS:
        raise SeedbedError(
            f"{part.source} has the shape {shape}, with the images last: save numpy.moveaxis(images, -1, 0), which has "
            f"the shape {SHAPE}."
        )
    if not _is_picture(shape[1:]):
        raise SeedbedError(f"{part.source} has the shape {shape}, not the shape {SHAPE}.")


def scale_of(part: Part) -> Scale:
    """How to bring the images to values from 0 to 255. Raises SeedbedError if their values are not those of images."""
    images: list[Array] = part.value if isinstance(part.value, list) else [part.value]
    low, high = float(np.min([image.min() for image in images])), float(np.max([image.max() for image in images]))
    fractions = any(image.dtype.kind == "f" for image in images)
    if np.isnan(low):
        raise SeedbedError(f"{part.source} has pixels without a value (NaN): give the images as they were before.")
    if fractions and low >= -TOLERANCE and high <= 1 + TOLERANCE:
        return Scale(255.0)
    if not (low >= 0 and high <= (255 if fractions else 65535)) or (fractions and high < LEAST_BRIGHT):
        raise SeedbedError(
            f"{part.source} has values from {low:g} to {high:g}: give the images as they were before they were "
            "normalised, from 0 to 255 or from 0 to 1."
        )
    if high <= 255:
        return Scale(255.0 if high == 1 else 1.0)
    bits = next(bits for bits in BITS if high < 2**bits)
    notice = f"{part.source} has values up to {high:,.0f}: they were taken for {bits} bits, and made 8."
    return Scale(255 / (2**bits - 1), notice)


def picture(image: Array, scale: Scale, *, blue_first: bool) -> npt.NDArray[np.uint8]:
    """The pixels (height, width), or (height, width, colours) with red first."""
    if image.ndim == 3 and image.shape[2] not in COLOURS:
        image = np.moveaxis(image, 0, 2)
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[:, :, 0]
    if image.ndim == 3 and blue_first:
        image = image[:, :, [2, 1, 0, 3][: image.shape[2]]]
    values = np.clip(np.rint(image * np.float32(scale.factor)), 0, 255)
    return np.ascontiguousarray(values.astype(np.uint8))


def _is_picture(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 or (len(shape) == 3 and bool({shape[0], shape[2]} & COLOURS))
