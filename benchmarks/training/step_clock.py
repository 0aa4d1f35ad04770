"""Times the steps of a Keras training from outside, with everything that a step waits for."""

import json
import statistics
import sys
import time
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import keras

from .results import Training


class StepClock:
    """Records the end of each step by its `callback`. The rate leaves out the first step, which builds the graph."""

    def __init__(self) -> None:
        self._moments: list[float] = []
        self.callback = keras.callbacks.LambdaCallback(on_train_begin=self._note, on_train_batch_end=self._note)

    def print_result(self, network: str, batch_size: int) -> None:
        """Prints the Training as one line of JSON, for the parent process."""
        steps = [after - before for before, after in pairwise(self._moments)]
        if len(steps) < 2:
            raise SystemExit(f"At least two steps of {batch_size} images are needed: give more images.")
        rate = batch_size / statistics.median(steps[1:])
        training = Training(network, batch_size * len(steps), self._moments[-1] - self._moments[0], rate)
        sys.stdout.write(json.dumps(asdict(training)) + "\n")

    def _note(self, *_: Any, **__: Any) -> None:
        self._moments.append(time.perf_counter())
