"""The eight views of a square image: turned and mirrored, in the order in which predictions are averaged over them."""

import numpy as np

from trainer.types import Pixels

MAX_VIEWS = 8
_QUARTER_TURNS = (0, 2, 0, 2, 1, 3, 1, 3)


def apply_view(images: Pixels, view: int) -> Pixels:
    """Images (n, size, size, channels) in one view: 0 unchanged, 1 upside down, 2 and 3 the same mirrored…"""
    rotated = np.rot90(images, _QUARTER_TURNS[view], axes=(1, 2))
    return rotated[:, :, ::-1] if view // 2 % 2 else rotated
