"""Compares Hyperband with other libraries' on recorded learning curves."""

import time
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.pruners import HyperbandPruner
from optuna.trial import TrialState

from seedbed.local_cloud.sagemaker.search.hyperband import Hyperband
from seedbed.local_cloud.sagemaker.search.ranges import read_ranges
from seedbed.local_cloud.sagemaker.search.strategies import Search

from .elsewhere import SMAC_HYPERBAND as SMAC
from .elsewhere import Elsewhere
from .problems import Trial
from .record_curves import CONFIGURATIONS, EPOCHS, RECORD

Curves = NDArray[np.float64]
Regrets = NDArray[np.float64]

JOBS = 40
BUDGET = JOBS * EPOCHS
RANGES = {"IntegerParameterRanges": [{"Name": "place", "MinValue": "0", "MaxValue": str(CONFIGURATIONS - 1)}]}
SMAC_TRIALS = 1000  # never reached: SMAC3 sizes its first trials by it


@cache
def load() -> dict[str, Curves]:
    """The losses (configurations, epochs) of each data set."""
    with np.load(RECORD) as record:
        return {name: record[name].astype(np.float64) for name in record.files}


def play(contestant: str, data: str, seed: int) -> list[Trial]:
    """The jobs of one search, one after the other, with their losses: until BUDGET epochs have run."""
    return HYPERBANDS[contestant](load()[data], seed)


def progress(trials: list[Trial], curves: Curves) -> Regrets:
    """The regret of the best job after each epoch, (BUDGET,): 0 for the best of all, 1 for the median.

    Epochs that a configuration ran before are not counted again: SMAC3 resumes jobs.
    """
    best = np.full(BUDGET, np.inf)
    ran: dict[int, int] = {}
    spent = 0
    for trial in trials:
        place, epochs = int(trial.values["place"]), int(trial.values["epochs"])
        spent += max(0, epochs - ran.get(place, 0))
        ran[place] = max(epochs, ran.get(place, 0))
        best[max(spent - 1, 0) :] = np.minimum(best[max(spent - 1, 0) :], curves[place, epochs - 1])
    finals = curves[:, -1]
    return np.asarray((best - finals.min()) / (np.median(finals) - finals.min()))


class _Jobs:
    """The jobs of a search, as long as there are epochs for them."""

    def __init__(self, curves: Curves) -> None:
        self._curves = curves
        self._ran: dict[int, int] = {}
        self._began = time.process_time()
        self.trials: list[Trial] = []

    def add(self, place: int, epochs: int) -> bool:
        """Takes in a job; returns whether there were epochs for it."""
        self._ran[place] = max(epochs, self._ran.get(place, 0))
        if sum(self._ran.values()) > BUDGET:
            return False
        seconds, self._began = time.process_time() - self._began, time.process_time()
        self.trials.append(Trial({"place": place, "epochs": epochs}, float(self._curves[place, epochs - 1]), seconds))
        return True


def _order(seed: int) -> Iterator[int]:
    """The configurations in the order in which the endpoint draws them: the same for Random and Hyperband."""
    search = Search(read_ranges(RANGES), "Hyperband", maximize=False, seed=seed)
    return (int(search.ask(number)["place"]) for number in range(1, CONFIGURATIONS + 1))


def _random(curves: Curves, seed: int) -> list[Trial]:
    """Runs every job to its end."""
    jobs = _Jobs(curves)
    next(place for place in _order(seed) if not jobs.add(place, EPOCHS))
    return jobs.trials


def _seedbed(curves: Curves, seed: int) -> list[Trial]:
    """The endpoint's own stopping rule."""
    hyperband = Hyperband(1, EPOCHS, maximize=False)
    jobs = _Jobs(curves)
    for number, place in enumerate(_order(seed), 1):
        curve = [float(loss) for loss in curves[place]]
        epochs = next((n for n in range(1, EPOCHS) if hyperband.should_stop(number, curve[:n])), EPOCHS)
        hyperband.ended(number, curve[:epochs])
        if not jobs.add(place, epochs):
            break
    return jobs.trials


def _optuna(curves: Curves, seed: int) -> list[Trial]:
    """Optuna's pruner, in the same order of configurations. It chooses a job's bracket by the study's name."""
    pruner = HyperbandPruner(min_resource=1, max_resource=EPOCHS)
    study = optuna.create_study(study_name=f"{seed}", pruner=pruner)
    jobs = _Jobs(curves)
    for place in _order(seed):
        trial = study.ask()
        epochs = next((n for n in range(1, EPOCHS) if _pruned(trial, n, curves[place])), EPOCHS)
        if not jobs.add(place, epochs):
            break
        if epochs < EPOCHS:
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, float(curves[place, -1]))
    return jobs.trials


def _pruned(trial: optuna.Trial, epochs: int, curve: Curves) -> bool:
    trial.report(float(curve[epochs - 1]), epochs)
    return bool(trial.should_prune())


def _smac(curves: Curves, seed: int) -> list[Trial]:
    """SMAC3's Hyperband, which resumes the best jobs. It may end before the epochs do."""
    search = Elsewhere(SMAC, ranges=RANGES, seed=seed, trials=SMAC_TRIALS)
    jobs = _Jobs(curves)
    while True:
        asked = search.ask(1)
        if not asked:
            return jobs.trials
        place, epochs = int(asked[0]["place"]), int(asked[0]["epochs"])
        if not jobs.add(place, epochs):
            return jobs.trials
        search.tell([-float(curves[place, epochs - 1])])


BASELINE, OURS = "Random", "Seedbed Hyperband"
HYPERBANDS: dict[str, Callable[[Curves, int], list[Trial]]] = {
    BASELINE: _random,
    OURS: _seedbed,
    "Optuna HyperbandPruner": _optuna,
    "SMAC3 Hyperband": _smac,
}
