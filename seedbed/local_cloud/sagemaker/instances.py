"""How many instances jobs can have: those with several share a number of this machine's, as an account's quota does."""

from collections.abc import Iterable

from .containers.cluster.hosts import groups, instances
from .errors import Invalid, LimitExceeded
from .kinds import PROCESSING, TRAINING, TUNING, Body, Kind
from .records.ledger import Ledger
from .settings import EndpointSettings


def check(kind: Kind, asked: Body, ledger: Ledger, settings: EndpointSettings, parallel: int = 1) -> None:
    """Raises LimitExceeded if too few are left of several instances, Invalid if groups or preferences clash.

    kind: PROCESSING, or TRAINING for tuning jobs too. asked: a ResourceConfig or ClusterConfig. parallel: how many such
    training jobs run at once.
    """
    _check_groups(asked)
    _check_preferences(asked)
    if instances(asked) == 1:
        return
    delta, limit = parallel * instances(asked), settings.instances
    used = sum(_used(kind, ledger))
    if used + delta > limit:
        use = "processing" if kind is PROCESSING else "training"
        raise LimitExceeded(
            f"The account-level service limit '{groups(asked)[0].get('InstanceType', 'local')} for {use} job usage' is"
            f" {limit} Instances, with current utilization of {used} Instances and a request delta of {delta}"
            " Instances. Jobs with several instances share this machine: seedbed sagemaker --instances sets the limit."
        )


def _check_groups(asked: Body) -> None:
    names = [group["InstanceGroupName"] for group in asked.get("InstanceGroups", [])]
    if len(set(names)) < len(names):
        raise Invalid("Each of the InstanceGroups needs an InstanceGroupName of its own.")
    clashing = [name for name in ("InstanceType", "InstanceCount") if names and asked.get(name)]
    if clashing:
        raise Invalid(f"A ResourceConfig with InstanceGroups can't have an {clashing[0]}: each group has its own.")


def _check_preferences(asked: Body) -> None:
    preferred = asked.get("InstancePreferences", [])
    if not preferred:
        return
    clashing = [name for name in ("InstanceType", "InstanceGroups", "InstancePlacementConfig") if asked.get(name)]
    if clashing:
        raise Invalid(f"InstancePreferences and {clashing[0]} can't be given together.")
    if len({one["InstanceType"] for one in preferred}) < len(preferred):
        raise Invalid("InstancePreferences has an instance type twice.")
    counts = sum("InstanceCount" in one for one in preferred)
    if counts not in (0, len(preferred)) or (counts > 0) == ("InstanceCount" in asked):
        raise Invalid("Give an InstanceCount either to each of the InstancePreferences or beside them.")


def chosen(asked: Body) -> Body:
    """A checked ResourceConfig or ClusterConfig as Describe shows it: the first of its InstancePreferences is there."""
    if not asked.get("InstancePreferences"):
        return asked
    kind = groups(asked)[0]["InstanceType"]
    return {**asked, "SelectedInstanceType": kind, "SelectedInstanceCount": instances(asked)}


def _used(kind: Kind, ledger: Ledger) -> Iterable[int]:
    """The instances of each job in progress that has several; a tuning job's are all that it may have at once."""
    if kind is PROCESSING:
        for job in ledger.store.in_progress(PROCESSING):
            yield _several(job.body["ProcessingResources"]["ClusterConfig"])
        return
    for job in ledger.store.in_progress(TRAINING):
        if job.parent is None:
            yield _several(job.body.get("ResourceConfig", {}))
    for job in ledger.store.in_progress(TUNING):
        definitions = [job.body.get("TrainingJobDefinition", {}), *job.body.get("TrainingJobDefinitions", [])]
        most = max(_several(one.get("ResourceConfig", {})) for one in definitions)
        yield most * int(job.body["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxParallelTrainingJobs"])


def _several(asked: Body) -> int:
    count = instances(asked)
    return count if count > 1 else 0
