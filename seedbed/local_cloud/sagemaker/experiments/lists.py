"""The List operations on experiments, trials and trial components."""

from .. import service_model
from ..kinds import Body, Kind
from ..records.experiments import COMPONENT, EXPERIMENT, TRIAL
from .catalog import Catalog
from .paging import page


def summaries(catalog: Catalog, kind: Kind, request: Body) -> Body:
    """ListExperiments, ListTrials and ListTrialComponents, the newest first unless the request says otherwise."""
    after, before = request.get("CreatedAfter", 0.0), request.get("CreatedBefore", float("inf"))
    found = [each for each in _chosen(catalog, kind, request) if after < each["CreationTime"] < before]
    by = kind.name_field if request.get("SortBy") == "Name" else "CreationTime"
    down = request.get("SortOrder", "Descending") == "Descending"
    placed = [(each[by], each[kind.name_field], each) for each in found]
    items, token = page(placed, f"{kind.name} {by} {down}", request, down=down)
    return {
        f"{kind.name}Summaries": [
            service_model.summary(f"List{kind.name}s", {**each, f"{kind.name}Source": each.get("Source")})
            if "Source" in each
            else service_model.summary(f"List{kind.name}s", each)
            for each in items
        ],
        **token,
    }


def same(one: str, other: str) -> bool:
    """Whether two names are the same: upper and lower case are."""
    return one.lower() == other.lower()


def _chosen(catalog: Catalog, kind: Kind, request: Body) -> list[Body]:
    if kind is TRIAL:
        return _trials(catalog, request)
    return _components(catalog, request) if kind is COMPONENT else catalog.all(kind)


def _trials(catalog: Catalog, request: Body) -> list[Body]:
    """Those of an experiment, that hold a component, or all. Raises NotFound for an experiment or component."""
    found = catalog.all(TRIAL)
    if "ExperimentName" in request:
        catalog.find(EXPERIMENT, request["ExperimentName"])
        found = [each for each in found if same(each["ExperimentName"], request["ExperimentName"])]
    if "TrialComponentName" in request:
        name = request["TrialComponentName"]
        catalog.find(COMPONENT, name)
        having = {trial for trial, component in catalog.members() if same(component, name)}
        found = [each for each in found if each["TrialName"].lower() in having]
    return found


def _components(catalog: Catalog, request: Body) -> list[Body]:
    """Those made of a source, in a trial or an experiment, or all. Raises NotFound for a trial or experiment."""
    found = catalog.all(COMPONENT)
    if "SourceArn" in request:
        found = [each for each in found if each.get("Source", {}).get("SourceArn") == request["SourceArn"]]
    for kind in (EXPERIMENT, TRIAL):
        if kind.name_field in request:
            name = request[kind.name_field]
            catalog.find(kind, name)
            parents = catalog.parents()
            within = {
                component
                for component, trials in parents.items()
                if any(same(trial[kind.name_field], name) for trial in trials)
            }
            found = [each for each in found if each["TrialComponentName"].lower() in within]
    return found
