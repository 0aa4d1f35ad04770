"""What the Describe and List operations return about a tuning job beyond its record."""

from .. import service_model
from ..kinds import ENDED, TRAINING, TUNING, Body
from ..listing import page
from ..records.ledger import Ledger
from ..records.store import JobRecord, Store
from ..records.transitions import now
from . import warm_start
from .definitions import OBJECTIVE, maximizes
from .limits import convergence, not_improving


def describe(ledger: Ledger, request: Body) -> Body:
    """DescribeHyperParameterTuningJob."""
    job = ledger.find(TUNING, request["HyperParameterTuningJobName"])
    body = {**ledger.describe(TUNING, job.body), **_progress(ledger.store, job.body)}
    best = best_training_job(ledger.store, job.body)
    if best is not None:
        body["BestTrainingJob"] = training_job_summary(best, job.body)
    if job.body.get("WarmStartConfig", {}).get("WarmStartType") == "IdenticalDataAndAlgorithm":
        overall = _overall_best(ledger.store, job.body, best)
        if overall is not None:
            summary = training_job_summary(overall, job.body)
            body["OverallBestTrainingJob"] = {**summary, "TuningJobName": overall.private["tuning_job"]}
    return body


def best_training_job(store: Store, body: Body) -> JobRecord | None:
    """The best completed training job, or the best stopped one if none has completed.

    With Hyperband, which stops all that reach MaxResource, the best of both.
    """
    order = f"objective {'DESC' if maximizes(body) else 'ASC'}, number"
    if body["HyperParameterTuningJobConfig"]["Strategy"] != "Hyperband":
        order = f"status <> 'Completed', {order}"
    key = body["HyperParameterTuningJobName"].lower()
    found = store.select("parent = ? AND objective_status = 'Succeeded'", (key,), order, 1)
    return found[0] if found else None


def list_training_jobs(ledger: Ledger, request: Body) -> Body:
    """ListTrainingJobsForHyperParameterTuningJob."""
    tuning_job = ledger.find(TUNING, request["HyperParameterTuningJobName"]).body
    conditions = ["parent = ?"]
    if request.get("SortBy") == "FinalObjectiveMetricValue":
        conditions.append("objective IS NOT NULL")
    values = [tuning_job["HyperParameterTuningJobName"].lower()]
    jobs, token = page(ledger, TRAINING, conditions, values, {"SortBy": "Name", **request})
    return {"TrainingJobSummaries": [training_job_summary(job, tuning_job) for job in jobs], **token}


def training_job_summary(job: JobRecord, tuning_job: Body) -> Body:
    """The HyperParameterTrainingJobSummary of a training job."""
    body = {
        **job.body,
        "TunedHyperParameters": job.private["tuned"],
        "ObjectiveStatus": job.objective_status or "Pending",
    }
    if job.private.get("definition"):
        body["TrainingJobDefinitionName"] = job.private["definition"]
    if job.objective is not None:
        body["FinalHyperParameterTuningJobObjectiveMetric"] = {
            "Type": "Maximize" if maximizes(tuning_job) else "Minimize",
            "MetricName": job.body["HyperParameters"][OBJECTIVE],
            "Value": job.objective,
        }
    return service_model.summary("ListTrainingJobsForHyperParameterTuningJob", body)


def _overall_best(store: Store, body: Body, own: JobRecord | None) -> JobRecord | None:
    candidates = [own] if own else []
    for name in warm_start.parents(body):
        parent = store.get(TUNING, name)
        best = best_training_job(store, parent.body) if parent else None
        candidates += [best] if best else []
    pick = max if maximizes(body) else min
    return pick(candidates, key=lambda job: job.objective or 0.0, default=None)


def _progress(store: Store, body: Body) -> Body:
    found = store.objectives(body["HyperParameterTuningJobName"])
    values, maximize = [value for value, _ in found], maximizes(body)
    details: Body = {"NumberOfTrainingJobsObjectiveNotImproving": not_improving(values, maximize)}
    index = convergence(values, maximize)
    if index is not None:
        details["ConvergenceDetectedTime"] = found[index][1]
    ended = body["HyperParameterTuningJobStatus"] in ENDED
    seconds = (body["HyperParameterTuningEndTime"] if ended else now()) - body["CreationTime"]
    return {"TuningJobCompletionDetails": details, "ConsumedResources": {"RuntimeInSeconds": max(0, int(seconds))}}
