"""The operations on experiments, trials and trial components."""

from collections.abc import Callable
from functools import partial

from .. import tags
from ..errors import Invalid, LimitExceeded, NotFound
from ..kinds import Body, Kind
from ..records import experiments as records
from ..records.experiments import COMPONENT, EXPERIMENT, NOUNS, TRIAL
from ..records.store import Store
from . import lists
from .catalog import Catalog

MOST = 10_000
"""How many of each may be created; what jobs are is not counted."""
MAX_PARAMETERS, MAX_ARTIFACTS = 300, 60
REPLACED = ("DisplayName", "Status", "StartTime", "EndTime")
MERGED = {
    "Parameters": ("ParametersToRemove", MAX_PARAMETERS),
    "InputArtifacts": ("InputArtifactsToRemove", MAX_ARTIFACTS),
    "OutputArtifacts": ("OutputArtifactsToRemove", MAX_ARTIFACTS),
}


class Experiments:
    """Create, Describe, Update, List and Delete of the three, and which component is in which trial.

    creates: by their names, the operations that take the client's region. table: all others.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.creates: dict[str, Callable[[Body, str], Body]] = {}
        self.table: dict[str, Callable[[Body], Body]] = {
            "AssociateTrialComponent": self.associate,
            "DisassociateTrialComponent": self.disassociate,
            "UpdateTrialComponent": self.update_component,
            "AddTags": partial(self.tag, tags.add_tags),
            "ListTags": partial(self.tag, tags.list_tags),
            "DeleteTags": partial(self.tag, tags.delete_tags),
        }
        for kind in (EXPERIMENT, TRIAL, COMPONENT):
            self.creates[f"Create{kind.name}"] = partial(self.create, kind)
            self.table[f"Describe{kind.name}"] = partial(self.describe, kind)
            self.table[f"List{kind.name}s"] = partial(lists.summaries, catalog, kind)
            self.table[f"Delete{kind.name}"] = partial(self.delete, kind)
            self.table.setdefault(f"Update{kind.name}", partial(self.update, kind))

    def create(self, kind: Kind, request: Body, region: str) -> Body:
        """CreateExperiment, CreateTrial and CreateTrialComponent."""
        given = tags.take(request)
        if records.count(self._catalog.store, kind) >= MOST:
            raise LimitExceeded(f"There are {MOST:,} of the kind {kind.name} already. Delete one that is not needed.")
        if kind is TRIAL:
            self._catalog.find(EXPERIMENT, request["ExperimentName"])
        return {kind.arn_field: self._catalog.create(kind, request, given, region)}

    def describe(self, kind: Kind, request: Body) -> Body:
        """DescribeExperiment, DescribeTrial and DescribeTrialComponent, the latter by the name or the ARN."""
        return self._catalog.find(kind, request[kind.name_field].rpartition("/")[2])

    def update(self, kind: Kind, request: Body) -> Body:
        """UpdateExperiment and UpdateTrial."""
        changes = {name: value for name, value in request.items() if name != kind.name_field}
        return {kind.arn_field: self._catalog.change(kind, request[kind.name_field], changes)}

    def update_component(self, request: Body) -> Body:
        """UpdateTrialComponent: what is given replaces single parameters and artifacts, and others are removed."""
        name = request["TrialComponentName"]
        found = self._catalog.find(COMPONENT, name)
        changes = {field: request[field] for field in REPLACED if field in request}
        for field, (removal, most) in MERGED.items():
            if field in request or removal in request:
                merged = {**found.get(field, {}), **request.get(field, {})}
                for key in request.get(removal, []):
                    merged.pop(key, None)
                if len(merged) > most:
                    raise Invalid(f"A trial component can have at most {most} {field}, but would have {len(merged)}.")
                changes[field] = merged
        return {"TrialComponentArn": self._catalog.change(COMPONENT, name, changes)}

    def delete(self, kind: Kind, request: Body) -> Body:
        """DeleteExperiment, DeleteTrial and DeleteTrialComponent: only of what nothing belongs to."""
        name = request[kind.name_field]
        found = self._catalog.find(kind, name)
        if kind is EXPERIMENT:
            trials = [each for each in self._catalog.all(TRIAL) if lists.same(each["ExperimentName"], name)]
            if trials:
                raise Invalid(f"Experiment {name} has trials, such as {trials[0]['TrialName']}. Delete these first.")
        else:
            place = 0 if kind is TRIAL else 1
            if any(lists.same(pair[place], found[kind.name_field]) for pair in self._catalog.members()):
                others = "trial components" if kind is TRIAL else "trials"
                raise Invalid(f"{NOUNS[kind]} {name} is associated with {others}. Disassociate these first.")
        return {kind.arn_field: self._catalog.delete(kind, name)}

    def associate(self, request: Body) -> Body:
        """AssociateTrialComponent."""
        component, trial = self._pair(request)
        records.join(self._catalog.store, trial["TrialName"], component["TrialComponentName"])
        return {"TrialComponentArn": component["TrialComponentArn"], "TrialArn": trial["TrialArn"]}

    def disassociate(self, request: Body) -> Body:
        """DisassociateTrialComponent. The trial of a tuning job keeps its own training jobs."""
        component, trial = self._pair(request)
        if trial["TrialName"].endswith(records.TRIAL_SUFFIX) and "Source" in trial and self._is_child(component):
            raise Invalid(f"The trial {trial['TrialName']} is of a tuning job, whose training jobs stay in it.")
        if not records.leave(self._catalog.store, trial["TrialName"], component["TrialComponentName"]):
            raise NotFound(
                f"Trial component '{component['TrialComponentName']}' is not associated with '{trial['TrialName']}'."
            )
        return {"TrialComponentArn": component["TrialComponentArn"], "TrialArn": trial["TrialArn"]}

    def tag(self, operation: Callable[[Store, Body], Body], request: Body) -> Body:
        """AddTags, ListTags and DeleteTags of any resource, also of what a job is."""
        self._catalog.ensure_arn(request["ResourceArn"])
        return operation(self._catalog.store, request)

    def _is_child(self, component: Body) -> bool:
        """Whether the component is a training job of a tuning job."""
        name = component["TrialComponentName"].lower()
        return any(trial.endswith(records.TRIAL_SUFFIX) for trial, own in self._catalog.members() if own == name)

    def _pair(self, request: Body) -> tuple[Body, Body]:
        component = self._catalog.find(COMPONENT, request["TrialComponentName"])
        return component, self._catalog.find(TRIAL, request["TrialName"])
