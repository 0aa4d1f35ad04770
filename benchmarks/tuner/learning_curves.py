"""Compares Hyperband with Random on recorded learning curves, with the endpoint's own search and stopping rule."""

import numpy as np
from numpy.typing import NDArray

from seedbed.local_cloud.sagemaker.search.hyperband import Hyperband
from seedbed.local_cloud.sagemaker.search.ranges import read_ranges
from seedbed.local_cloud.sagemaker.search.strategies import Search

from .record_curves import CONFIGURATIONS, EPOCHS, RECORD

Curves = NDArray[np.float64]

JOBS = 40


def load() -> dict[str, Curves]:
    """The losses (configurations, epochs) of each data set."""
    with np.load(RECORD) as record:
        return {name: record[name].astype(np.float64) for name in record.files}


def progress(curves: Curves, strategy: str, seed: int) -> NDArray[np.float64]:
    """The regret of the best finished job after each epoch, (JOBS * EPOCHS,): 0 for the best of all, 1 for the median.

    Random runs JOBS jobs to their end; Hyperband starts jobs as long as epochs are left. One runs at a time.
    """
    hyperband = Hyperband(1, EPOCHS, maximize=False)
    best = np.full(JOBS * EPOCHS, np.inf)
    spent = 0
    for number, place in enumerate(_order(strategy, seed, CONFIGURATIONS), 1):
        epochs = _epochs(hyperband, number, curves[place]) if strategy == "Hyperband" else EPOCHS
        spent += epochs
        if spent > len(best):
            break
        best[spent - 1 :] = np.minimum(best[spent - 1 :], curves[place, epochs - 1])
    finals = curves[:, -1]
    return np.asarray((best - finals.min()) / (np.median(finals) - finals.min()))


def _order(strategy: str, seed: int, jobs: int) -> list[int]:
    """The configurations in the order in which the search suggests them."""
    ranges = {"IntegerParameterRanges": [{"Name": "place", "MinValue": "0", "MaxValue": str(CONFIGURATIONS - 1)}]}
    search = Search(read_ranges(ranges), strategy, maximize=False, seed=seed)
    return [int(search.ask(number)["place"]) for number in range(1, jobs + 1)]


def _epochs(hyperband: Hyperband, number: int, curve: NDArray[np.float64]) -> int:
    """The number of epochs that the job runs, if jobs run one after the other."""
    for epoch in range(1, EPOCHS):
        if hyperband.should_stop(number, [float(value) for value in curve[:epoch]]):
            return epoch
    hyperband.ended(number, [float(value) for value in curve])
    return EPOCHS
