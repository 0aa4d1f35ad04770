"""Learning curves of trials, asked for a few at a time; those of ended trials, which stay as they are, only once."""

import threading
from collections import OrderedDict
from collections.abc import Sequence

from .answers.trials import Epoch, Trial, TrialList
from .api import Api, segment

AT_ONCE = 20
KEPT = 1000


class Curves:
    """Answers from what was asked for before where it can."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[Epoch, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, api: Api, run_id: str, trials: Sequence[Trial]) -> dict[str, tuple[Epoch, ...]]:
        """The epochs of these trials so far, by the trial's name. Raises ApiError."""
        with self._lock:
            found = {trial.name: self._kept[trial.name] for trial in trials if trial.name in self._kept}
        wanted = [trial for trial in trials if trial.name not in found]
        for start in range(0, len(wanted), AT_ONCE):
            names = ",".join(trial.name for trial in wanted[start : start + AT_ONCE])
            answer = api.get(TrialList, f"/runs/{segment(run_id)}/trials", curves=names)
            found |= {trial.name: trial.epochs for trial in answer.trials if trial.epochs is not None}
        self._keep({trial.name: found[trial.name] for trial in wanted if trial.ended and found.get(trial.name)})
        return found

    def _keep(self, ended: dict[str, tuple[Epoch, ...]]) -> None:
        with self._lock:
            self._kept |= ended
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
