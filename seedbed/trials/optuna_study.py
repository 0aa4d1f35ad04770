"""A tuning job as an Optuna study in an SQLite file, which optuna-dashboard and Optuna's own plots open."""

import shutil
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..errors import SeedbedError, unusable
from .curves import Points
from .ranges import Range
from .tuning_job import Trial, TuningJob

NOT_OPTUNA = "{} is not a file of Optuna's. Name another file, or move this one away."
SQLITE = b"SQLite format 3\0"


def write_study(job: TuningJob, curves: Mapping[str, Mapping[str, Points]], path: Path) -> None:
    """Write the study, which has the job's name, to `path`. Other studies in that file stay; one of this name goes.

    Completed trials with an objective are COMPLETE, stopped ones PRUNED, those that run RUNNING, and all others FAIL.
    The best trial is COMPLETE even if it was stopped, so that Optuna's best is SageMaker's. The intermediate values are
    the objective metric's, from step 1.
    Raises SeedbedError for a file that is not Optuna's or can't be written; it is then as it was.
    """
    with TemporaryDirectory(prefix="seedbed-optuna-") as folder:
        scratch = Path(folder) / "study.db"
        try:
            if path.exists() and path.stat().st_size:
                check_is_sqlite(path)
                shutil.copyfile(path, scratch)
            add_study(job, curves, scratch, path)
            partial = path.with_name(f"{path.name}.part")
            shutil.copyfile(scratch, partial)
            partial.replace(path)
        except OSError as error:
            raise unusable(path, "can't be written", error, "Choose another place.") from error


def check_is_sqlite(path: Path) -> None:
    """Raises SeedbedError for a file that no SQLite wrote."""
    with path.open("rb") as file:
        if file.read(len(SQLITE)) != SQLITE:
            raise SeedbedError(NOT_OPTUNA.format(path))


def add_study(job: TuningJob, curves: Mapping[str, Mapping[str, Points]], file: Path, shown: Path) -> None:
    """Add the study to an SQLite file, in place of one of the same name. shown: the path that a sentence names."""
    import optuna  # noqa: PLC0415  an extra, and slow to load
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        check_tables(file)
        storage = optuna.storages.RDBStorage(f"sqlite:///{file}")
        try:
            if job.name in optuna.study.get_all_study_names(storage):
                optuna.delete_study(study_name=job.name, storage=storage)
            direction = "maximize" if job.maximize else "minimize"
            study = optuna.create_study(storage=storage, study_name=job.name, direction=direction)
            told = {"objective": ", ".join(job.objectives), "status": job.status, "strategy": job.strategy}
            for name, value in told.items():
                study.set_user_attr(name, value)
            study.add_trials([frozen(job, trial, curves.get(trial.name, {})) for trial in job.trials])
        finally:
            storage.remove_session()
            storage.engine.dispose()
    except (SQLAlchemyError, sqlite3.Error, RuntimeError) as error:
        raise SeedbedError(NOT_OPTUNA.format(shown)) from error


def check_tables(file: Path) -> None:
    """Raises sqlite3.DatabaseError if the file holds tables, but none of Optuna's studies."""
    if not file.exists():
        return
    database = sqlite3.connect(file)
    try:
        names = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    finally:
        database.close()
    if names and "studies" not in names:
        raise sqlite3.DatabaseError


def frozen(job: TuningJob, trial: Trial, curves: Mapping[str, Points]) -> Any:
    """The trial as Optuna keeps trials. Hyperparameters outside their range are among its attributes."""
    import optuna  # noqa: PLC0415

    state = state_of(job, trial)
    ranges = {name: found for name, found in job.ranges.items() if name in trial.hyperparameters}
    held = {name: found for name, found in ranges.items() if found.holds(trial.hyperparameters[name])}
    others = {name: value for name, value in trial.hyperparameters.items() if name not in held}
    steps = enumerate(curves.get(job.definition_of(trial).objective, []), start=1)
    made = optuna.trial.create_trial(
        state=state,
        value=trial.objective if state.name in {"COMPLETE", "PRUNED"} else None,
        params={name: trial.hyperparameters[name] for name in held},
        distributions={name: distribution(found) for name, found in held.items()},
        user_attrs={**attributes(trial), **{f"params_{name}": value for name, value in others.items()}},
        intermediate_values={step: value for step, (_, value) in steps},
    )
    made.datetime_start = local(trial.started or trial.created)
    if state.is_finished():
        made.datetime_complete = local(trial.ended or trial.started or trial.created)
    return made


def state_of(job: TuningJob, trial: Trial) -> Any:
    """Optuna's state of a trial."""
    from optuna.trial import TrialState  # noqa: PLC0415

    if trial.status in {"InProgress", "Stopping"}:
        return TrialState.RUNNING
    if trial.objective is None or trial.status not in {"Completed", "Stopped"}:
        return TrialState.FAIL
    return TrialState.COMPLETE if trial.status == "Completed" or trial.name == job.best else TrialState.PRUNED


def distribution(found: Range) -> Any:
    """Optuna's distribution for a range. It has no scale for ReverseLogarithmic, which becomes a linear one."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution  # noqa: PLC0415

    if found.kind is str:
        return CategoricalDistribution(found.choices)
    of_numbers = IntDistribution if found.kind is int else FloatDistribution
    return of_numbers(found.low, found.high, log=found.is_logarithmic)


def attributes(trial: Trial) -> dict[str, Any]:
    """What Optuna has no place for, those that the trial has."""
    given = {
        "training_job": trial.name,
        "status": trial.status,
        "definition": trial.definition,
        "reason": trial.reason,
        "billable_seconds": trial.billable_seconds,
        "metrics": dict(trial.metrics or {}),
    }
    return {name: value for name, value in given.items() if value not in ("", None, {})}


def local(at: datetime) -> datetime:
    """The time as Optuna keeps it: of this machine's zone, without naming that."""
    return at.replace(tzinfo=at.tzinfo or UTC).astimezone().replace(tzinfo=None)
