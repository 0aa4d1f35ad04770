"""What the API answers about the trials of a run."""

from dataclasses import dataclass

from ...domain.results.trial import Epoch, Trial
from ...domain.run import RunState


@dataclass(frozen=True)
class TrialWithEpochs(Trial):
    """A trial; `epochs` is its learning curve, null unless the request asks for it."""

    epochs: tuple[Epoch, ...] | None = None


@dataclass(frozen=True)
class TrialList:
    """A run's trials, in the order in which they were started; `next` is the cursor of later ones, if there are any."""

    run_id: str
    state: RunState
    trials: tuple[TrialWithEpochs, ...]
    next: str | None
