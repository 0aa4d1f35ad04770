"""All experiments, trials and trial components: those that were created, and those that jobs are."""

from collections.abc import Iterator
from typing import Any

from ..errors import Invalid, NotFound
from ..kinds import PROCESSING, TRAINING, TUNING, Body, Kind
from ..records import experiments as records
from ..records.experiments import COMPONENT, EXPERIMENT, NOUNS, TRIAL
from ..records.store import JobRecord, Store
from ..records.transitions import now
from ..settings import EndpointSettings, region_of
from . import derived

SOURCES = {
    COMPONENT: {TRAINING: records.COMPONENT_SUFFIXES[TRAINING], PROCESSING: records.COMPONENT_SUFFIXES[PROCESSING]},
    EXPERIMENT: {TUNING: records.EXPERIMENT_SUFFIX},
    TRIAL: {TUNING: records.TRIAL_SUFFIX},
}
OWN_TIMES = ("CreationTime", "LastModifiedTime")


class Catalog:
    """Reads and changes them. An item of it is what Describe answers, for a component with its metrics."""

    def __init__(self, store: Store, settings: EndpointSettings) -> None:
        self.store = store
        self._settings = settings

    def find(self, kind: Kind, name: str) -> Body:
        """One of them by its name. Raises NotFound."""
        row = self.store.get(kind, name)
        found = self._made(kind, self._job(kind, name), row)
        if found is None:
            raise NotFound(f"{NOUNS[kind]} '{name}' does not exist.")
        return found

    def all(self, kind: Kind) -> list[Body]:
        """All of a kind."""
        rows = {row.body[kind.name_field].lower(): row for row in self.store.select("kind = ?", (kind.name,))}
        found = []
        for source, suffix in SOURCES[kind].items():
            for job in self.store.select("kind = ?", (source.name,)):
                row = rows.pop(f"{job.body[source.name_field]}{suffix}".lower(), None)
                found.append(self._made(kind, (source, job), row))
        found += [self._made(kind, None, row) for row in rows.values()]
        return [each for each in found if each is not None]

    def create(self, kind: Kind, body: Body, tags: list[dict[str, str]], region: str) -> str:
        """Records a new one. Returns its ARN. Raises Invalid if the name is taken."""
        name = body[kind.name_field]
        arn = self.arn(kind, name, region)
        with self.store.transaction():
            row = self.store.get(kind, name)
            if self._made(kind, self._job(kind, name), row) is not None:
                raise Invalid(f"{NOUNS[kind]} with name {name} already exists. Choose another name.")
            records.remove(self.store, kind, name)  # a row that only changes or hides what a job is, or was
            records.insert(self.store, kind, arn, body)
            self.store.add_tags(arn, tags)
        return arn

    def arn(self, kind: Kind, name: str, region: str) -> str:
        """The ARN of one of this name. region: of the client."""
        return self._settings.arn(kind, name, region)

    def change(self, kind: Kind, name: str, changes: Body) -> str:
        """Changes one, also one that a job is. Returns its ARN. Raises NotFound."""
        with self.store.transaction():
            found = self.find(kind, name)
            self._ensure_row(kind, found)
            self.store.update(kind, name, lambda body: body.update(changes, LastModifiedTime=now()))
        return str(found[kind.arn_field])

    def delete(self, kind: Kind, name: str) -> str:
        """Deletes one. The row of one that a job is stays, to hide it. Returns its ARN. Raises NotFound."""
        with self.store.transaction():
            found = self.find(kind, name)
            if self._job(kind, name) is None:
                records.remove(self.store, kind, name)
            else:
                self._ensure_row(kind, found)
                self.store.remember(kind, name, deleted=True)
        return str(found[kind.arn_field])

    def ensure_arn(self, arn: str) -> None:
        """Gives what a job is a row of its own, so that it can have tags. Other ARNs are left alone."""
        resource, _, name = arn.rpartition(":")[2].partition("/")
        kind = next((kind for kind in SOURCES if kind.resource == resource), None)
        if kind is not None and not self.store.has_arn(arn) and self._job(kind, name):
            self.ensure_row(kind, name)

    def ensure_row(self, kind: Kind, name: str) -> None:
        """Gives one a row of its own if it has none, as one that a job is. Raises NotFound."""
        self._ensure_row(kind, self.find(kind, name))

    def parents(self) -> dict[str, list[Body]]:
        """By a component's name in lower case, its Parents: each trial with its experiment."""
        trials = {trial["TrialName"].lower(): trial for trial in self.all(TRIAL)}
        found: dict[str, list[Body]] = {}
        for trial, component in self.members():
            if trial in trials:
                names = {field: trials[trial][field] for field in ("TrialName", "ExperimentName")}
                found.setdefault(component, []).append(names)
        return found

    def members(self) -> Iterator[tuple[str, str]]:
        """(trial, component) of each membership, by their names in lower case."""
        yield from records.members(self.store)
        for job in self.store.select("kind = ? AND parent IS NOT NULL", (TRAINING.name,)):
            component = f"{job.body['TrainingJobName']}{records.COMPONENT_SUFFIXES[TRAINING]}".lower()
            yield f"{job.parent}{records.TRIAL_SUFFIX}", component

    def _job(self, kind: Kind, name: str) -> tuple[Kind, JobRecord] | None:
        """The job that has this name as an experiment, trial or component."""
        for source, suffix in SOURCES[kind].items():
            if name.lower().endswith(suffix):
                job = self.store.get(source, name[: -len(suffix)])
                if job is not None:
                    return source, job
        return None

    def _made(self, kind: Kind, source: tuple[Kind, JobRecord] | None, row: JobRecord | None) -> Body | None:
        """What a job is, with what its row changes; None if there is neither, it was deleted, or its job is gone."""
        if row is not None and (row.private.get("deleted") or (row.private.get("of_a_job") and source is None)):
            return None
        own: dict[str, Any] = dict(row.body) if row else {}
        if row is not None and source is None:
            name = own[kind.name_field]
            return {"DisplayName": name, **derived.NOBODY, **own, "Metrics": row.private.get("metrics", [])}
        if source is None:
            return None
        body = self._derived(kind, *source)
        if row is not None:
            own = {field: value for field, value in own.items() if field != "CreationTime"}
            body = {**body, **own, "LastModifiedTime": max(body["LastModifiedTime"], own["LastModifiedTime"])}
            body["Metrics"] = [*body.get("Metrics", []), *row.private.get("metrics", [])]
        return body

    def _derived(self, kind: Kind, source: Kind, job: JobRecord) -> Body:
        if kind is COMPONENT:
            body = derived.component(source, job)
        else:
            body = (derived.experiment if kind is EXPERIMENT else derived.trial)(job.body)
        region = region_of(job.body[source.arn_field])
        return {**body, kind.arn_field: self._settings.arn(kind, body[kind.name_field], region)}

    def _ensure_row(self, kind: Kind, found: Body) -> None:
        if self.store.get(kind, found[kind.name_field]) is None:
            own = {kind.name_field: found[kind.name_field]}
            records.insert(self.store, kind, found[kind.arn_field], own, of_a_job=True)
