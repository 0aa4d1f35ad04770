"""Search and GetSearchSuggestions."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from ..errors import NotFound
from ..kinds import ENDPOINT, MODEL_PACKAGE, MODEL_PACKAGE_GROUP, PROCESSING, TRAINING, TUNING, Body, Kind
from ..records.experiments import COMPONENT, EXPERIMENT, TRIAL, all_tags
from ..records.ledger import Ledger
from ..tuning import view
from . import expression, properties
from .catalog import Catalog
from .paging import page

PAGE = 100
"""How many results a page has unless the request says so: the SDK's tables, which ask without saying, read them all."""
KINDS = {
    "TrainingJob": TRAINING,
    "HyperParameterTuningJob": TUNING,
    "Experiment": EXPERIMENT,
    "ExperimentTrial": TRIAL,
    "ExperimentTrialComponent": COMPONENT,
    "ModelPackage": MODEL_PACKAGE,
    "ModelPackageGroup": MODEL_PACKAGE_GROUP,
    "Endpoint": ENDPOINT,
}
RECORDED = (TRAINING, MODEL_PACKAGE, MODEL_PACKAGE_GROUP, ENDPOINT)
"""The kinds whose records are what Search answers."""


class Search:
    """Finds resources among all that there are, each time anew: what has changed is found at once."""

    def __init__(self, ledger: Ledger, catalog: Catalog) -> None:
        self._ledger = ledger
        self._catalog = catalog
        self.table = {"Search": self.search, "GetSearchSuggestions": self.suggest}

    def search(self, request: Body) -> Body:
        """Search: the records that meet the expression, those changed last first unless the request says otherwise."""
        resource = request["Resource"]
        shape = properties.shape_of(resource)
        wanted = expression.read(resource, request["SearchExpression"]) if "SearchExpression" in request else None
        newest = "LastModifiedTime" if "LastModifiedTime" in shape.members else "CreationTime"
        by = properties.find(resource, request.get("SortBy", newest))
        down = request.get("SortOrder", "Descending") == "Descending"
        name = KINDS[resource].name_field
        found = [body for body in self._records(resource) if wanted is None or wanted(body)]
        placed = [(_first(by.values(body)), body[name], body) for body in found]
        asked = f"Search {resource} {by.name} {down}"
        items, token = page(placed, asked, {"MaxResults": PAGE, **request}, down=down)
        member = properties.RESOURCES[resource]
        results = [{member: {field: body[field] for field in shape.members if field in body}} for body in items]
        return {"Results": results, "TotalHits": {"Value": len(found), "Relation": "EqualTo"}, **token}

    def suggest(self, request: Body) -> Body:
        """GetSearchSuggestions: the fields of a resource whose names begin with the hint."""
        hint = request.get("SuggestionQuery", {}).get("PropertyNameQuery", {}).get("PropertyNameHint", "").lower()
        names = [name for name in properties.names(request["Resource"]) if name.lower().startswith(hint)]
        return {"PropertyNameSuggestions": [{"PropertyName": name} for name in names]}

    def _records(self, resource: str) -> Iterator[Body]:
        """All records of a resource, as Search answers them."""
        store, kind = self._ledger.store, KINDS[resource]
        tags = all_tags(store)
        if kind in RECORDED:
            found = [job.body for job in store.select("kind = ?", (kind.name,))]
        elif resource == "HyperParameterTuningJob":
            found = list(self._tuning_jobs())
        else:
            found = self._catalog.all(kind)
        more = {TRIAL: self._of_trials, COMPONENT: self._of_components}.get(kind)
        for body in more(found) if more else found:
            yield {**body, "Tags": tags.get(body[kind.arn_field], [])}

    def _tuning_jobs(self) -> Iterator[Body]:
        for job in self._ledger.store.select("kind = ?", (TUNING.name,)):
            with suppress(NotFound):  # it may be deleted meanwhile
                yield view.describe(self._ledger, {TUNING.name_field: job.body[TUNING.name_field]})

    def _of_trials(self, trials: list[Body]) -> list[Body]:
        """The trials with the summaries of their components."""
        components = {each["TrialComponentName"].lower(): each for each in self._catalog.all(COMPONENT)}
        members: dict[str, list[Body]] = {}
        for trial, name in self._catalog.members():
            if name in components:
                members.setdefault(trial, []).append(_simple(components[name]))
        return [{**each, "TrialComponentSummaries": members.get(each["TrialName"].lower(), [])} for each in trials]

    def _of_components(self, components: list[Body]) -> list[Body]:
        """The components with their trials and experiments, and the jobs that they are of."""
        parents = self._catalog.parents()
        details = {arn: detail for kind in (TRAINING, PROCESSING) for arn, detail in self._details(kind)}
        found = []
        for each in components:
            detail = details.get(each.get("Source", {}).get("SourceArn"))
            more = {"SourceDetail": detail} if detail else {}
            found.append({**each, **more, "Parents": parents.get(each["TrialComponentName"].lower(), [])})
        return found

    def _details(self, kind: Kind) -> Iterator[tuple[str, Body]]:
        """The SourceDetail of each job, by its ARN."""
        shape = properties.job_shape(kind.name)
        for job in self._ledger.store.select("kind = ?", (kind.name,)):
            body = {field: job.body[field] for field in shape.members if field in job.body}
            yield job.body[kind.arn_field], {"SourceArn": job.body[kind.arn_field], kind.name: body}


def _simple(component: Body) -> Body:
    given = {field: component[field] for field in ("TrialComponentName", "TrialComponentArn", "CreationTime")}
    return {**given, **({"TrialComponentSource": component["Source"]} if "Source" in component else {})}


def _first(values: list[Any]) -> Any:
    return next((value for value in values if isinstance(value, int | float | str)), None)
