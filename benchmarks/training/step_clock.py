"""Times the steps of a Keras training from outside: whatever a step waits for counts."""

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
    """Its `callback` notes when each step ends. The first builds the graph and doesn't count for the rate."""

    def __init__(self) -> None:
        self._moments: list[float] = []
        self.callback = keras.callbacks.LambdaCallback(on_train_begin=self._note, on_train_batch_end=self._note)

    def tell(self, network: str, batch_size: int) -> None:
        """The Training as one line of JSON, for the process that asked."""
        steps = [after - before for before, after in pairwise(self._moments)]
        if len(steps) < 2:
            raise SystemExit(f"Two steps of {batch_size} images are the fewest that can be timed: give more images.")
        rate = batch_size / statistics.median(steps[1:])
        training = Training(network, batch_size * len(steps), self._moments[-1] - self._moments[0], rate)
        sys.stdout.write(json.dumps(asdict(training)) + "\n")

    def _note(self, *_: Any, **__: Any) -> None:
        self._moments.append(time.perf_counter())
