"""Whether two thumbnails show the same picture: saved again, resized, brightened, or cropped or turned a little.

After one picture has been laid over the other, they may differ nowhere by more than edges that lie half a pixel apart
would; so two plants in front of the same background are two pictures. docs/decisions/0008 has the measurements.
"""

import cv2
import numpy as np

from trainer.decoding.thumbnail import GREY_SIDE, Thumbnail
from trainer.types import Floats

MIN_COLOUR_CORRELATION = 0.88
# Below it, no small shift makes the pictures alike.
MIN_CORRELATION = 0.4
# A photograph whose channels differ by less than this on average has lost its colours.
GREY_SPREAD = 3.0
EDGE, CONTRAST = 0.5, 0.15
# What a crop by a tenth or a turn by a few degrees moves out of the picture.
MARGIN = 5
_INNER = (slice(MARGIN, GREY_SIDE - MARGIN),) * 2
_WHOLE = np.ones((GREY_SIDE, GREY_SIDE), np.uint8)
_STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 1e-4)


def is_same_picture(one: Thumbnail, other: Thumbnail, max_difference: float) -> bool:
    """Whether both, which are in the same view, show the same picture; False for pictures of a single colour.

    `max_difference` is in units of the difference that is usual in that place.
    """
    if _correlation(one.grey, other.grey) < MIN_CORRELATION or not _same_colours(one.colour, other.colour):
        return False
    return _difference(one.grey, other.grey) <= max_difference or _difference_once_aligned(one, other) <= max_difference


def _same_colours(one: Floats, other: Floats) -> bool:
    is_grey = min(np.ptp(one, axis=2).mean(), np.ptp(other, axis=2).mean()) < GREY_SPREAD
    return is_grey or _correlation(one, other) >= MIN_COLOUR_CORRELATION


def _difference_once_aligned(one: Thumbnail, other: Thumbnail) -> float:
    unmoved = np.eye(2, 3, dtype=np.float32)
    try:
        _, moved = cv2.findTransformECC(one.grey, other.grey, unmoved, cv2.MOTION_AFFINE, _STEPS, _WHOLE, 5)
    except cv2.error:  # no small movement lays one over the other
        return np.inf
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (GREY_SIDE, GREY_SIDE)
    aligned = cv2.warpAffine(other.grey, moved, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return _difference(one.grey[_INNER], np.asarray(aligned, np.float32)[_INNER])


def _difference(one: Floats, other: Floats) -> float:
    """The largest difference of two pixels, whatever brightness and contrast, in units of what is usual there."""
    contrast = float(one.std())
    rest = one - one.mean() - (other - other.mean()) * (contrast / max(float(other.std()), 1e-6))
    edges = np.hypot(*np.gradient(one))
    return float((np.abs(rest) / (EDGE * edges + CONTRAST * contrast + 1e-6)).max())


def _correlation(one: Floats, other: Floats) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float((one * other).sum() / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-6))
