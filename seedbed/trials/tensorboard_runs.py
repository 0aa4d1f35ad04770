"""A tuning job as event files for TensorBoard, written without TensorFlow: a run for each trial, and HParams."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import writing
from .curves import Points
from .ranges import Range, Value
from .tuning_job import Trial, TuningJob

FORMAT = "brain.Event:2"
FILE = "events.out.tfevents.{:.0f}.seedbed"


def write_runs(job: TuningJob, curves: Mapping[str, Mapping[str, Points]], folder: Path) -> None:
    """Write one run below `folder` for each trial, named after it, and the table's configuration beside them.

    A run has its metrics, a point for each that its log has, or else their last values; its hyperparameters; and how
    it ended. What was written for the same tuning job before is written over.
    Raises SeedbedError if the folder can't be written.
    """
    with writing(folder):
        write_events(folder, job.created, [(0, None, config(job))])
        for trial in job.trials:
            events = run_events(job, trial, curves.get(trial.name, {}))
            write_events(folder / trial.name, job.created, events)


def config(job: TuningJob) -> Any:
    """The summary with the domain of each hyperparameter, and the metrics to compare by: the objective's first."""
    from tensorboard.plugins.hparams import summary_v2  # noqa: PLC0415  an extra

    others = sorted({name for trial in job.trials for name in trial.metrics or {}} - set(job.objectives))
    return summary_v2.hparams_config_pb(
        [summary_v2.HParam(name, domain(found)) for name, found in job.ranges.items()],
        [summary_v2.Metric(name) for name in [*job.objectives, *others]],
        time_created_secs=job.created.timestamp(),
    )


def domain(found: Range) -> Any:
    """TensorBoard's domain for a range."""
    from tensorboard.plugins.hparams import summary_v2  # noqa: PLC0415

    if found.kind is str:
        return summary_v2.Discrete(list(found.choices))
    if found.kind is int:
        return summary_v2.IntInterval(int(found.low), int(found.high))
    return summary_v2.RealInterval(float(found.low), float(found.high))


def run_events(job: TuningJob, trial: Trial, curves: Mapping[str, Points]) -> Iterator[tuple[int, float | None, Any]]:
    """(step, epoch seconds or None, summary) of each event of a trial's run."""
    from tensorboard.compat.proto.summary_pb2 import Summary  # noqa: PLC0415
    from tensorboard.plugins.hparams import summary_v2  # noqa: PLC0415

    began = (trial.started or trial.created).timestamp()
    yield 0, began, summary_v2.hparams_pb(values_of_type(job, trial), trial.name, began)
    for name, values in series(job, trial, curves).items():
        for step, (at, value) in enumerate(values, start=1):
            yield step, at, Summary(value=[Summary.Value(tag=name, simple_value=value)])
    yield 0, None, session_end(trial)


def values_of_type(job: TuningJob, trial: Trial) -> dict[str, Value]:
    """A trial's hyperparameters, without texts where the range is of numbers: TensorBoard takes one type a column."""
    numbers = {name for name, found in job.ranges.items() if found.kind is not str}
    given = trial.hyperparameters.items()
    return {name: value for name, value in given if name not in numbers or not isinstance(value, str)}


def series(job: TuningJob, trial: Trial, curves: Mapping[str, Points]) -> dict[str, Points]:
    """The points of each metric: those of the log, or else the last value alone."""
    last = dict(trial.metrics or {})
    if trial.objective is not None:
        last[job.definition_of(trial).objective] = trial.objective
    at = trial.ended.timestamp() if trial.ended else None
    return {**{name: [(at, value)] for name, value in last.items()}, **curves}


def session_end(trial: Trial) -> Any:
    """The summary that says how the trial ended."""
    from tensorboard.compat.proto.summary_pb2 import Summary  # noqa: PLC0415
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2  # noqa: PLC0415

    statuses = {"Completed": "SUCCESS", "Stopped": "SUCCESS", "Failed": "FAILURE"}
    status = api_pb2.Status.Value(f"STATUS_{statuses.get(trial.status, 'RUNNING')}")
    ended = {"end_time_secs": trial.ended.timestamp()} if trial.ended else {}
    content = plugin_data_pb2.HParamsPluginData(session_end_info=plugin_data_pb2.SessionEndInfo(status=status, **ended))
    about = metadata.create_summary_metadata(content)
    value = Summary.Value(tag=metadata.SESSION_END_INFO_TAG, metadata=about, tensor=metadata.NULL_TENSOR)
    return Summary(value=[value])


def write_events(folder: Path, created: datetime, events: Iterable[tuple[int, float | None, Any]]) -> None:
    """Write a run's event file. Its name is the same each time, so that a later one takes its place."""
    from tensorboard.compat.proto.event_pb2 import Event  # noqa: PLC0415
    from tensorboard.summary.writer.record_writer import RecordWriter  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    began = created.timestamp()
    with (folder / FILE.format(began)).open("wb") as file:
        records = RecordWriter(file)
        records.write(Event(wall_time=began, file_version=FORMAT).SerializeToString())
        for step, at, summary in events:
            event = Event(step=step, wall_time=began if at is None else at, summary=summary)
            records.write(event.SerializeToString())
        records.flush()
