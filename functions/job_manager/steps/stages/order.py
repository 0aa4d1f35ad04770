"""What each stage of a run does, and the job that it has."""

from collections.abc import Callable, Mapping

from ...domain.job import Job
from ...domain.run import Run, RunState
from ...ports import Ports
from .evaluate import evaluate
from .fine_tune import fall_back_to_head, fine_tune
from .prepare import prepare
from .tune import tune

StageFunction = Callable[[Run, Ports], Run | None]

STAGES: Mapping[RunState, StageFunction] = {
    RunState.PREPARING: prepare,
    RunState.TUNING: tune,
    RunState.FINE_TUNING: fine_tune,
    RunState.EVALUATING: evaluate,
}

FALLBACKS: Mapping[RunState, Callable[[Run, str], Run]] = {RunState.FINE_TUNING: fall_back_to_head}
"""How a run continues, and why, without the job of its stage; a run in any other stage ends."""


def current_job(run: Run, ports: Ports) -> Job | None:
    """The job of the run's present stage, if it was started."""
    if run.state is RunState.PREPARING:
        return ports.jobs.prepare_job(run.run_id)
    if run.state is RunState.EVALUATING:
        return ports.jobs.evaluation_job(run.run_id)
    return ports.jobs.tuning_job(run.job)
