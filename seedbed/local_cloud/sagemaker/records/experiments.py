"""Experiments, trials and trial components in the records, and which components are in which trials.

What a job is as a trial component, and a tuning job as an experiment, is computed from the job; a row of that name
holds only what was changed about it. Rows are in the table of jobs, whose names and ARNs are unique already.
"""

from typing import Any

from ..errors import Invalid, NotFound
from ..kinds import PROCESSING, TRAINING, Body, Kind
from .store import JobRecord, Store
from .transitions import now

EXPERIMENT = Kind("Experiment", "experiment", "")
TRIAL = Kind("Trial", "experiment-trial", "")
COMPONENT = Kind("TrialComponent", "experiment-trial-component", "")
NOUNS = {EXPERIMENT: "Experiment", TRIAL: "Trial", COMPONENT: "Trial component"}
COMPONENT_SUFFIXES = {TRAINING: "-aws-training-job", PROCESSING: "-aws-processing-job"}
EXPERIMENT_SUFFIX, TRIAL_SUFFIX = "-aws-tuning-job", "-aws-tuning-job-trial"
NEW_TRIAL_SUFFIX = "-aws-trial"
KEPT = "Completed"
"""Rows have a status that jobs in progress don't have, so that nothing resumes them or takes them for unfinished."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS trial_members (trial TEXT NOT NULL, component TEXT NOT NULL, PRIMARY KEY (trial, component))
"""


FORGOTTEN = """
DELETE FROM trial_members WHERE component NOT IN (
  SELECT key FROM jobs WHERE kind = 'TrialComponent'
  UNION ALL SELECT key || '-aws-training-job' FROM jobs WHERE kind = 'TrainingJob'
  UNION ALL SELECT key || '-aws-processing-job' FROM jobs WHERE kind = 'ProcessingJob')
"""


def create_table(store: Store) -> None:
    """Makes the table of what is in which trial, if there is none yet, and forgets components that are gone.

    A copy that took the place of damaged records lacks the jobs that were in progress.
    """
    with store.transaction() as db:
        db.execute(SCHEMA)
        db.execute(FORGOTTEN)


def insert(store: Store, kind: Kind, arn: str, body: Body, **private: Any) -> Body:
    """Records an experiment, trial or component. Raises Invalid if the name is taken."""
    stamp = now()
    times = {"CreationTime": stamp, "LastModifiedTime": stamp}
    body = {**times, **body, kind.arn_field: arn, kind.status_field: KEPT}
    if not store.insert(kind, body, None, None, private):
        raise Invalid(f"{NOUNS[kind]} with name {body[kind.name_field]} already exists. Choose another name.")
    return body


def remove(store: Store, kind: Kind, name: str) -> None:
    """Removes a row and its tags, if there is one. Jobs of the same name stay as they are."""
    key = (kind.name, name.lower())
    with store.transaction() as db:
        db.execute("DELETE FROM tags WHERE arn = (SELECT arn FROM jobs WHERE kind = ? AND key = ?)", key)
        db.execute("DELETE FROM jobs WHERE kind = ? AND key = ?", key)


def attach(store: Store, kind: Kind, body: Body, trial_arn: str) -> None:
    """Puts a job that is being created into the trial that its ExperimentConfig names, or into a new one.

    trial_arn: that of the new one. Raises NotFound for an experiment or trial that does not exist, and Invalid for a
    trial of another experiment.
    """
    config = body.get("ExperimentConfig", {})
    experiment, trial = config.get("ExperimentName"), config.get("TrialName")
    if trial is None and experiment is None:
        return
    if experiment is not None and store.get(EXPERIMENT, experiment) is None:
        raise NotFound(f"Experiment '{experiment}' does not exist.")
    if trial is None:
        trial = f"{body[kind.name_field]}{NEW_TRIAL_SUFFIX}"
        insert(store, TRIAL, trial_arn, {"TrialName": trial, "ExperimentName": experiment})
    else:
        _check_trial(store.get(TRIAL, trial), trial, experiment)
    join(store, trial, f"{body[kind.name_field]}{COMPONENT_SUFFIXES[kind]}")


def count(store: Store, kind: Kind) -> int:
    """How many rows of a kind there are."""
    with store.transaction() as db:
        found: int = db.execute("SELECT COUNT(*) FROM jobs WHERE kind = ?", (kind.name,)).fetchone()[0]
    return found


def join(store: Store, trial: str, component: str) -> None:
    """Puts a component into a trial, unless it is there already."""
    with store.transaction() as db:
        db.execute("INSERT OR IGNORE INTO trial_members VALUES (?, ?)", (trial.lower(), component.lower()))


def leave(store: Store, trial: str, component: str) -> bool:
    """Takes a component out of a trial; False if it is not there."""
    with store.transaction() as db:
        done = db.execute(
            "DELETE FROM trial_members WHERE trial = ? AND component = ?", (trial.lower(), component.lower())
        )
    return done.rowcount == 1


def members(store: Store) -> list[tuple[str, str]]:
    """(trial, component) of each membership, by their names in lower case."""
    with store.transaction() as db:
        return db.execute("SELECT trial, component FROM trial_members").fetchall()


def all_tags(store: Store) -> dict[str, list[dict[str, str]]]:
    """The tags of every resource, by its ARN."""
    with store.transaction() as db:
        rows = db.execute("SELECT arn, key, value FROM tags ORDER BY arn, key").fetchall()
    found: dict[str, list[dict[str, str]]] = {}
    for arn, key, value in rows:
        found.setdefault(arn, []).append({"Key": key, "Value": value})
    return found


def _check_trial(record: JobRecord | None, trial: str, experiment: str | None) -> None:
    if record is None:
        raise NotFound(f"Trial '{trial}' does not exist.")
    if experiment is not None and record.body["ExperimentName"].lower() != experiment.lower():
        raise Invalid(f"The trial {trial} is of the experiment {record.body['ExperimentName']}, not of {experiment}.")
