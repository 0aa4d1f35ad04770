"""Time by the clock and of the processor, child processes aside."""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Times(NamedTuple):
    """Milliseconds: by the clock the median and the 99th percentile, of the processor the median."""

    p50: float
    p99: float
    processor: float


def timed(work: Callable[[int], object], times: int, before: int = 5) -> Times:
    """Do something so many times, with its number; the first ones don't count."""
    wall, processor = [], []
    for number in range(before + times):
        began, used = time.perf_counter(), time.process_time()
        work(number)
        processor.append(time.process_time() - used)
        wall.append(time.perf_counter() - began)
    counted, used_by = np.array(wall[before:]) * 1000, np.array(processor[before:]) * 1000
    return Times(float(np.median(counted)), float(np.percentile(counted, 99)), float(np.median(used_by)))
