"""What each stage of a run does, and the job that it has."""

from collections.abc import Callable, Mapping

from ...domain.job import Job
from ...domain.run import Run, RunState
from ...ports import Ports
from .evaluate import evaluate
from .fine_tune import fall_back_to_head, fine_tune
from .prepare import merge, prepare
from .refit import keep_sampled_head, refit
from .tune import tune

StageFunction = Callable[[Run, Ports], Run | None]

STAGES: Mapping[RunState, StageFunction] = {
    RunState.PREPARING: prepare,
    RunState.MERGING: merge,
    RunState.TUNING: tune,
    RunState.REFITTING: refit,
    RunState.FINE_TUNING: fine_tune,
    RunState.EVALUATING: evaluate,
}

FALLBACKS: Mapping[RunState, Callable[[Run, str], Run]] = {
    RunState.REFITTING: keep_sampled_head,
    RunState.FINE_TUNING: fall_back_to_head,
}
"""How a run continues, and why, without the job of its stage; a run in any other stage ends."""


def current_job(run: Run, ports: Ports) -> Job | None:
    """The job of the run's present stage, if it was started."""
    processing_or_training = {
        RunState.PREPARING: ports.jobs.prepare_job,
        RunState.MERGING: ports.jobs.merge_job,
        RunState.REFITTING: ports.jobs.refit_job,
        RunState.EVALUATING: ports.jobs.evaluation_job,
    }
    described = processing_or_training.get(run.state)
    return described(run.run_id) if described else ports.jobs.tuning_job(run.job)
