"""The heads that a training job trained, as it wrote them."""

from ...domain.errors import MalformedOutput, NotFound
from ...domain.results.trial import Trial
from ...domain.run import Run
from ...ports import Ports


def with_heads(run: Run, trial: Trial, ports: Ports) -> Trial:
    """A trial, with the heads that it trained if they are several; without them if what it wrote can't be read."""
    if run.plan.heads_in_each_job == 1 or trial.stage == "fine-tune" or not trial.usable:
        return trial
    try:
        return trial.with_heads(ports.bucket.read_heads(run.run_id, trial.name))
    except (NotFound, MalformedOutput):
        return trial
