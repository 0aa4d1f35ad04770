"""Warm start: which parents a tuning job may have, and the results that it takes over from them."""

from collections.abc import Iterator, Mapping, Sequence

from ..errors import Invalid, LimitExceeded
from ..kinds import ENDED, TUNING, Body
from ..records.store import Store
from ..search.ranges import Range
from .definitions import OBJECTIVE, Definition, read_definitions
from .limits import max_jobs

MAX_CHANGES = 10


def parents(request: Body) -> list[str]:
    """The names of the parent tuning jobs; none without a WarmStartConfig."""
    listed = request.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", [])
    return [parent.get("HyperParameterTuningJobName", "") for parent in listed]


def priors(request: Body, store: Store) -> Iterator[tuple[Mapping[str, str], float, str]]:
    """(hyperparameters, objective, parent) of each training job of the parents that has an objective.

    parent: the parent's name with TransferLearning, since its objectives can't be compared with the job's own; else
    empty. The parents' own parents are not included.
    """
    transfer = request.get("WarmStartConfig", {}).get("WarmStartType") == "TransferLearning"
    for parent in parents(request):
        for job in store.children(parent):
            if job.objective is not None:
                yield job.body["HyperParameters"], job.objective, parent if transfer else ""


def check(request: Body, definitions: Sequence[Definition], store: Store) -> None:
    """Raises Invalid or LimitExceeded if the parents don't fit the new tuning job."""
    names = parents(request)
    if not names:
        return
    if len({name.lower() for name in names}) < len(names):
        raise Invalid("ParentHyperParameterTuningJobs must differ from each other.")
    if len(definitions) > 1:
        raise Invalid("WarmStartConfig can't be used with several TrainingJobDefinitions.")
    for name in names:
        parent = store.get(TUNING, name)
        if parent is None or parent.body["HyperParameterTuningJobStatus"] not in ENDED:
            raise Invalid(f"The parent tuning job '{name}' must exist and have ended.")
        theirs = read_definitions(parent.body)
        if len(theirs) > 1:
            raise Invalid(
                f"The parent tuning job '{name}' has several TrainingJobDefinitions, which can't be taken over."
            )
        _check_parent(name, theirs[0], definitions[0])
    _check_number(request["HyperParameterTuningJobConfig"], sum(len(store.children(name)) for name in names))


def _check_parent(name: str, theirs: Definition, ours: Definition) -> None:
    if (ours.metric, ours.maximize) != (theirs.metric, theirs.maximize):
        aim = "Maximize" if theirs.maximize else "Minimize"
        raise Invalid(f"The parent tuning job '{name}' must have the same objective, but it has {aim} {theirs.metric}.")
    other = sorted(_names(ours) ^ _names(theirs))
    if other:
        raise Invalid(
            f"The static and tuned hyperparameters must be those of the parent tuning job '{name}', but {other} "
            "are only in one of the two. Each may be static in one and tuned in the other."
        )
    kinds = {item.name: item.kind for item in theirs.ranges}
    for item in ours.ranges:
        if kinds.get(item.name, item.kind) != item.kind:
            raise Invalid(f"The hyperparameter '{item.name}' is {kinds[item.name]} in the parent tuning job '{name}'.")
    changes = _changes(theirs, ours)
    if changes > MAX_CHANGES:
        raise Invalid(
            f"There are {changes} changes of static hyperparameters since '{name}'; at most {MAX_CHANGES} may be."
        )


def _names(definition: Definition) -> set[str]:
    return ({item.name for item in definition.ranges} | set(definition.static)) - {OBJECTIVE}


def _changes(theirs: Definition, ours: Definition) -> int:
    """AMT's count of changes: two for a changed text, and one for each value of a categorical range."""
    ranges = {item.name: item for item in theirs.ranges}
    return sum(
        _weight(ranges[name]) if name in ranges else _difference(theirs.static[name], value)
        for name, value in ours.static.items()
        if name != OBJECTIVE
    )


def _weight(item: Range) -> int:
    return int(item.size) if item.kind == "categorical" else 1


def _difference(old: str, new: str) -> int:
    if old == new:
        return 0
    try:
        float(old), float(new)
    except ValueError:
        return 2
    return 1


def _check_number(config: Body, inherited: int) -> None:
    """The parents' training jobs count against the number that a tuning job can have."""
    most = max_jobs(config["Strategy"])
    wanted = config["ResourceLimits"].get("MaxNumberOfTrainingJobs", 1)
    if wanted + inherited > most:
        raise LimitExceeded(
            f"MaxNumberOfTrainingJobs {wanted} and the {inherited} training jobs of the parents are more than {most}."
        )
