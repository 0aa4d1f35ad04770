"""A person asks for a run now: the request is kept with the bucket's pending change, and starts a run as uploads do."""

from datetime import timedelta

from ..domain.errors import Conflict, RunRefused
from ..domain.plan import Plan
from ..domain.run import Run, RunState
from ..domain.run_request import RunRequest
from ..domain.scale import for_images
from ..ports import Ports
from .ranges import with_chosen_ranges
from .retry_run import RETRIED, latest
from .start_run import check_budgets, started_for

NOW = timedelta(0)


def request_run(request: RunRequest, ports: Ports, plan: Plan) -> tuple[RunRequest, Run | None]:
    """Ask for a run; the request that is kept, and its run once that has been started. Asking twice is asking once.

    Raises Conflict, with what to do, if another run is open or asked for, if nothing has changed since the last run and
    the request doesn't say `again`, or if the run could cost more than the budgets allow.
    """
    started = started_for(request.request_id, ports)
    if started and started.request:
        return started.request, started
    pending = ports.runs.pending()
    kept = pending.request if pending else None
    if kept and (kept.request_id == request.request_id or kept.asks_the_same(request)):
        request = kept
    else:
        check(request, ports, plan)
        pending = ports.runs.request(request)
    if pending:
        ports.timer.arm(pending, NOW)
    return request, None


def check(request: RunRequest, ports: Ports, plan: Plan) -> None:
    """Raise Conflict if this run can't be started now. What only a listing of the bucket can tell is seen later."""
    run = ports.runs.open_run()
    if run:
        raise Conflict(f"The run {run.run_id} is in progress. Wait for its end, or stop it: seedbed stop {run.run_id}")
    wanted = request.applied_to(with_chosen_ranges(plan, ports))
    try:
        wanted.check()
        check_budgets(for_images(wanted, 0), ports)
    except RunRefused as error:
        raise Conflict(str(error)) from None
    if not ports.runs.pending():
        refusal = why_nothing_to_do(request, wanted, ports)
        if refusal:
            raise Conflict(refusal)


def why_nothing_to_do(request: RunRequest, wanted: Plan, ports: Ports) -> str | None:
    """Why a run would have nothing to do if no upload waits for one; None if it would have."""
    last = latest(ports.runs)
    if last is None:
        empty = next(iter(ports.bucket.objects()), None) is None
        return "There is no image in the bucket yet. Upload some first: seedbed upload FOLDER" if empty else None
    now = for_images(wanted, last.given.images if last.given else 0)
    same = last.state is not RunState.REFUSED and last.plan.fingerprint() == now.fingerprint()
    if not same or request.again:
        return None
    if last.state in RETRIED:
        return f"The run {last.run_id} had these images and this plan. Try it again: seedbed retry {last.run_id}"
    return (
        f"The run {last.run_id} had these images and this plan. Upload more, choose another plan, or ask for the same "
        "again: seedbed run --again"
    )
