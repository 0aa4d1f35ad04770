"""A run's dataset gets another attempt: a person asks for it, or what made the run fail has changed."""

from ..domain import layout
from ..domain.errors import Conflict
from ..domain.plan import Plan
from ..domain.run import Run, RunState
from ..domain.run_request import planned
from ..domain.scale import for_images
from ..domain.settling import SettleRule
from ..ports import Ports, Runs
from .note_upload import note_upload

RETRIED = {RunState.FAILED, RunState.STOPPED}
RUNS_SEEN = 10


def retry_run(run_id: str, ports: Ports, rule: SettleRule) -> Run:
    """Ask for another attempt after this run, which starts as any run does; asking twice is asking once.

    Raises NotFound for an unknown run, Conflict unless it failed or was stopped and no newer run has images.
    """
    run = ports.runs.get(run_id)
    refusal = why_not(run, latest(ports.runs))
    if refusal:
        raise Conflict(refusal)
    ports.bucket.ask_to_retry(run_id, ports.clock.now())
    note_upload(ports, rule)
    return run


def why_not(run: Run, last: Run | None) -> str | None:
    """Why a run is not repeated; None if it is."""
    if not run.state.ended:
        return f"The run {run.run_id} is still in progress. Stop it first: seedbed stop {run.run_id}"
    if run.state is RunState.COMPLETED:
        return f"The run {run.run_id} has succeeded. Upload another image to start a new run."
    if run.state not in RETRIED and run.request:
        return f"The run {run.run_id} was refused. Ask for one again once this has changed: {run.reason}"
    if run.state not in RETRIED:
        return f"The run {run.run_id} was refused, and starts by itself once this has changed: {run.reason}"
    if last and last.created_at > run.created_at:
        advice = f" Retry that one: seedbed retry {last.run_id}" if last.state in RETRIED else ""
        return f"The run {last.run_id} is newer than {run.run_id} and has the images as they are now.{advice}"
    return None


def latest(runs: Runs) -> Run | None:
    """The latest run with images, refused or not; None if the last ten only report refused files."""
    return next((run for run in runs.recent(RUNS_SEEN) if run.content), None)


def is_repeated(run: Run, ports: Ports, plan: Plan) -> bool:
    """Whether the dataset of a run that ended gets another attempt under this plan of the stack."""
    now = for_images(planned(plan, run.request), run.given.images if run.given else 0)
    if run.begins_again or (run.state is RunState.FAILED and not run.plan.does_the_same(now)):
        return True
    return run.state in RETRIED and ports.bucket.has(layout.retry(run.run_id))
