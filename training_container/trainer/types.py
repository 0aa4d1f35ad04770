"""Types that several rooms share."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
"""RGB images, 0 to 255, channels last."""
Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Labels = npt.NDArray[np.int32]
"""Label numbers (n,): each is an index into the list of labels."""
Places = npt.NDArray[np.int64]
"""Where rows are, (n, 2): the number of a shard, and the row in it."""

Engine = Callable[[Pixels], Floats]
"""Images (n, size, size, 3), RGB 0 to 255 → features or probabilities (n, d)."""
Say = Callable[[str], None]
"""Prints one line of a job's log."""
