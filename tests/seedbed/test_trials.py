"""The trials of a tuning job, as other tools read what is written of them."""

import csv
import io
import json
import shutil
import sqlite3
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState
from pyarrow import parquet
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from seedbed.commands.tables.tuning_trials import TuningTrialsTable
from seedbed.errors import SeedbedError
from seedbed.trials import files, tuning_job
from seedbed.trials.curves import read_curves
from seedbed.trials.optuna_study import write_study
from seedbed.trials.tensorboard_runs import write_runs
from seedbed.trials.tuning_job import TuningJob
from tests.children import run
from tests.seedbed.test_show import printed
from tests.seedbed.tuning_jobs import ABC, BEGAN, TUNED, FakeLogs, FakeSageMaker, trial

FIRST = trial(1)["TrainingJobName"]
LOGS = FakeLogs({FIRST: ["epoch 1 accuracy: 0.5 loss: 1.5", "nothing", "accuracy: 0.7 accuracy: 0.8", "accuracy: nan"]})


def job(*trials: dict[str, Any], **more: Any) -> TuningJob:
    return FakeSageMaker(list(trials), more).read()


def study_of(path: Path) -> optuna.Study:
    return optuna.load_study(study_name=ABC, storage=f"sqlite:///{path}")


@pytest.fixture
def mixed() -> TuningJob:
    """A job whose trials ended in every way."""
    return job(
        trial(1, objective=0.8),
        trial(2, "Stopped", 0.9),
        trial(3, "Failed", FailureReason="AlgorithmError: \x1b[31mno\ndata"),
        trial(4, "InProgress", ObjectiveStatus="Pending"),
        trial(5, objective=float("nan")),
        trial(6, "Stopped"),
        BestTrainingJob={"TrainingJobName": FIRST},
    )


@pytest.mark.parametrize("name", ["", "../x", "a" * 33, "-a", "a_b", "é", "a\n", "%s", "a b", "x;rm -rf"])
def test_what_cant_be_a_tuning_jobs_name_is_refused(name: str) -> None:
    with pytest.raises(SeedbedError, match="is not the name of a tuning job"):
        tuning_job.check_name(name)


def test_a_missing_tuning_job_is_a_sentence_with_what_to_try() -> None:
    with pytest.raises(SeedbedError, match=r"There is no tuning job other here\. A run's has the run's id"):
        tuning_job.read(FakeSageMaker([]), "other", " here", details=False)


def test_a_trials_name_that_is_a_path_is_refused() -> None:
    with pytest.raises(SeedbedError, match="does not allow"):
        job(trial(1, TrainingJobName="../../etc/passwd"))


def test_csv_has_a_column_for_each_hyperparameter_and_metric(mixed: TuningJob) -> None:
    rows = list(csv.DictReader(io.StringIO(files.as_csv(mixed))))

    assert [row["status"] for row in rows] == ["Completed", "Stopped", "Failed", "InProgress", "Completed", "Stopped"]
    assert [row["objective"] for row in rows] == ["0.8", "0.9", "", "", "", ""]
    assert {name: rows[0][f"params_{name}"] for name in TUNED} == TUNED
    assert (rows[0]["metrics_loss"], rows[0]["seconds"], rows[0]["billable_seconds"]) == ("0.25", "90.0", "91")
    assert rows[0]["ended"] == "2026-03-20T09:02:00.000+00:00"
    assert rows[2]["reason"] == "AlgorithmError: ?[31mno?data"


def test_json_has_numbers_as_numbers_and_nothing_for_nan(mixed: TuningJob) -> None:
    content = json.loads(files.as_json(mixed), parse_constant=pytest.fail)

    first = content["trials"][0]
    assert first["hyperparameters"] == {"decay": 0.99, "epochs": 12, "optimizer": "adam", "rate": 0.001}
    assert (first["metrics"], content["trials"][4]["objective"]) == ({"loss": 0.25}, None)
    assert content["ranges"]["epochs"] == {"type": "integer", "low": 1, "high": 50, "scaling": "Linear"}
    assert content["ranges"]["optimizer"] == {"type": "categorical", "choices": ["adam", '"sgd"']}
    assert (content["direction"], content["best"]) == ("maximize", FIRST)


def test_parquet_has_typed_columns(mixed: TuningJob) -> None:
    table = parquet.read_table(io.BytesIO(files.as_parquet(mixed)))

    types = {field.name: str(field.type) for field in table.schema}
    expected = {"objective": "double", "params_epochs": "int64", "params_rate": "double", "params_optimizer": "string"}
    assert expected.items() <= types.items()
    assert table.column("objective").to_pylist() == [0.8, 0.9, None, None, None, None]


def test_a_job_without_trials_has_the_columns_alone() -> None:
    empty = job()

    assert files.as_csv(empty).startswith("name,status,objective_status,objective,params_decay,params_epochs,")
    assert files.as_csv(empty).count("\n") == 1
    assert json.loads(files.as_json(empty))["trials"] == []
    assert parquet.read_table(io.BytesIO(files.as_parquet(empty))).num_rows == 0


def test_a_studys_trials_have_the_states_values_and_times_of_training_jobs(mixed: TuningJob, tmp_path: Path) -> None:
    write_study(mixed, {}, tmp_path / "study.db")

    study = study_of(tmp_path / "study.db")
    states = [found.state for found in study.trials]
    assert states == [
        TrialState.COMPLETE,
        TrialState.PRUNED,
        TrialState.FAIL,
        TrialState.RUNNING,
        TrialState.FAIL,
        TrialState.FAIL,
    ]
    assert [found.value for found in study.trials] == [0.8, 0.9, None, None, None, None]
    assert (study.direction.name, study.best_trial.user_attrs["training_job"]) == ("MAXIMIZE", FIRST)
    assert study.user_attrs["objective"] == "accuracy"
    duration = study.trials[0].duration
    assert duration is not None
    assert duration.total_seconds() == 90
    assert study.trials[0].datetime_start is not None
    assert study.trials[0].datetime_start.astimezone(BEGAN.tzinfo).hour == 9


def test_a_studys_parameters_have_the_ranges_of_the_tuning_job(mixed: TuningJob, tmp_path: Path) -> None:
    write_study(mixed, {}, tmp_path / "study.db")

    found = study_of(tmp_path / "study.db").trials[0]
    assert found.params == {"rate": 0.001, "decay": 0.99, "epochs": 12, "optimizer": "adam"}
    assert found.distributions == {
        "rate": FloatDistribution(0.0001, 0.1, log=True),
        "decay": FloatDistribution(0.9, 0.999),
        "epochs": IntDistribution(1, 50),
        "optimizer": CategoricalDistribution(("adam", '"sgd"')),
    }


def test_intermediate_values_are_those_of_the_log(mixed: TuningJob, tmp_path: Path) -> None:
    write_study(mixed, read_curves(mixed, [LOGS]), tmp_path / "study.db")

    assert study_of(tmp_path / "study.db").trials[0].intermediate_values == {1: 0.5, 2: 0.8}


def test_a_hyperparameter_outside_its_range_is_an_attribute(tmp_path: Path) -> None:
    odd = {**TUNED, "epochs": "99", "optimizer": "lion", "rate": "much", "extra": "1"}
    write_study(job(trial(1, objective=0.5, TunedHyperParameters=odd)), {}, tmp_path / "study.db")

    found = study_of(tmp_path / "study.db").trials[0]
    assert found.params == {"decay": 0.99}
    attributes = {f"params_{name}": found.user_attrs[f"params_{name}"] for name in ("epochs", "rate", "extra")}
    assert attributes == {"params_epochs": 99, "params_rate": "much", "params_extra": "1"}


def test_the_best_trial_is_sagemakers_even_if_it_was_stopped(tmp_path: Path) -> None:
    best = {"TrainingJobName": trial(2)["TrainingJobName"]}
    write_study(job(trial(1, objective=0.5), trial(2, "Stopped", 0.9), BestTrainingJob=best), {}, tmp_path / "s.db")

    assert study_of(tmp_path / "s.db").best_trial.user_attrs["training_job"] == best["TrainingJobName"]


def test_a_study_takes_the_place_of_an_earlier_one_beside_others(tmp_path: Path) -> None:
    path = tmp_path / "all?studies#1.db"
    write_study(job(trial(1, objective=0.5)), {}, path)
    scratch = tmp_path / "plain.db"
    shutil.copyfile(path, scratch)
    optuna.create_study(study_name="mine", storage=f"sqlite:///{scratch}")
    shutil.copyfile(scratch, path)

    write_study(job(trial(1, objective=0.5), trial(2, objective=0.6)), {}, path)

    shutil.copyfile(path, scratch)
    assert sorted(optuna.get_all_study_names(f"sqlite:///{scratch}")) == ["mine", ABC]
    assert len(study_of(scratch).trials) == 2
    assert sorted(found.name for found in tmp_path.iterdir()) == [path.name, "plain.db"]


@pytest.mark.parametrize("kind", ["text", "another database", "damaged"])
def test_a_file_that_is_not_optunas_stays_as_it_was(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "notes"
    if kind == "another database":
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE notes (text TEXT)")
        database.close()
    else:
        path.write_bytes(b"my notes" if kind == "text" else b"SQLite format 3\0" + b"\x7f" * 5000)
    before = path.read_bytes()

    with pytest.raises(SeedbedError, match=r"is not a file of Optuna's\. Name another file"):
        write_study(job(trial(1, objective=0.5)), {}, path)
    assert path.read_bytes() == before


def plugin_data(folder: Path, tag: str) -> plugin_data_pb2.HParamsPluginData:
    """What TensorBoard's table of hyperparameters reads in a run."""
    events = EventAccumulator(str(folder)).Reload()
    return plugin_data_pb2.HParamsPluginData.FromString(events.SummaryMetadata(tag).plugin_data.content)


def test_tensorboard_reads_a_run_for_each_trial(mixed: TuningJob, tmp_path: Path) -> None:
    write_runs(mixed, read_curves(mixed, [LOGS]), tmp_path / "runs")

    runs = {path.name for path in (tmp_path / "runs").iterdir() if path.is_dir()}
    assert runs == {found.name for found in mixed.trials}
    events = EventAccumulator(str(tmp_path / "runs" / FIRST)).Reload()
    points = [(point.step, round(point.value, 4)) for point in events.Scalars("accuracy")]
    assert points == [(1, 0.5), (2, 0.8)]
    assert events.Scalars("accuracy")[0].wall_time == BEGAN.timestamp()
    assert [round(point.value, 4) for point in events.Scalars("loss")] == [1.5]


def test_tensorboards_table_has_hyperparameters_domains_and_states(mixed: TuningJob, tmp_path: Path) -> None:
    write_runs(mixed, {}, tmp_path)

    experiment = plugin_data(tmp_path, "_hparams_/experiment").experiment
    domains = {info.name: info for info in experiment.hparam_infos}
    assert (domains["epochs"].domain_interval.min_value, domains["epochs"].domain_interval.max_value) == (1, 50)
    assert {each.string_value for each in domains["optimizer"].domain_discrete.values} == {"adam", '"sgd"'}
    assert [info.name.tag for info in experiment.metric_infos] == ["accuracy", "loss"]
    start = plugin_data(tmp_path / FIRST, "_hparams_/session_start_info").session_start_info
    assert (start.hparams["epochs"].number_value, start.hparams["optimizer"].string_value) == (12, "adam")
    ends = [plugin_data(tmp_path / each.name, "_hparams_/session_end_info").session_end_info for each in mixed.trials]
    # Of TensorBoard's Status, 1 is success, 2 failure and 3 running.
    assert [end.status for end in ends] == [1, 1, 2, 3, 1, 1]


def test_runs_written_again_have_their_points_once(mixed: TuningJob, tmp_path: Path) -> None:
    for _ in range(2):
        write_runs(mixed, {}, tmp_path)

    points = EventAccumulator(str(tmp_path / FIRST)).Reload().Scalars("accuracy")
    assert [round(point.value, 4) for point in points] == [0.8]


def test_tensorboard_lists_the_trials_with_their_objective(mixed: TuningJob, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider  # noqa: PLC0415
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer  # noqa: PLC0415
    from tensorboard.context import RequestContext  # noqa: PLC0415
    from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups  # noqa: PLC0415

    write_runs(mixed, {}, tmp_path)
    runs = EventMultiplexer().AddRunsFromDirectory(str(tmp_path))
    runs.Reload()

    class Context:
        data_provider = MultiplexerDataProvider(runs, str(tmp_path))

    context = backend_context.Context(Context())
    experiment = context.experiment_from_metadata(
        RequestContext(), "", True, context.hparams_metadata(RequestContext(), ""), []
    )
    asked = api_pb2.ListSessionGroupsRequest(start_index=0, slice_size=10, allowed_statuses=[1, 2, 3])
    answer = list_session_groups.Handler(RequestContext(), context, "", asked).run()

    assert {info.name for info in experiment.hparam_infos} == set(TUNED)
    found = {
        group.name: {value.name.tag: round(value.value, 4) for value in group.metric_values}
        for group in answer.session_groups
    }
    assert found[FIRST] == {"accuracy": 0.8, "loss": 0.25}
    assert set(found) == {each.name for each in mixed.trials}


def test_event_files_are_written_without_tensorflow() -> None:
    script = (
        "import sys, pathlib, tempfile\n"
        "from tests.seedbed.tuning_jobs import FakeSageMaker, trial\n"
        "from seedbed.trials.tensorboard_runs import write_runs\n"
        "write_runs(FakeSageMaker([trial(1, objective=0.5)]).read(), {}, pathlib.Path(tempfile.mkdtemp()))\n"
        "print('tensorflow' in sys.modules)\n"
    )
    done = run([sys.executable, "-c", script], cwd=Path(__file__).parents[2])
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr


def test_a_regular_expression_that_takes_for_ever_is_left_out() -> None:
    regexes = [{"Name": "slow", "Regex": "(a|aa)+$"}, {"Name": "accuracy", "Regex": r"accuracy: (\S+)"}]
    definition = {"AlgorithmSpecification": {"MetricDefinitions": [*regexes, {"Name": "broken", "Regex": "("}]}}
    one = job(trial(1), TrainingJobDefinition=definition)

    found = read_curves(one, [FakeLogs({FIRST: [f"{'a' * 5000}!", "accuracy: 0.5"]})])

    assert {name: [value for _, value in points] for name, points in found[FIRST].items()} == {"accuracy": [0.5]}


@pytest.mark.parametrize("width", [40, 80, 140])
def test_the_table_has_the_best_trial_first_and_is_never_cut(mixed: TuningJob, width: int) -> None:
    lines = [line for line in printed(TuningTrialsTable(mixed), width).splitlines() if "0a1b2c3d" in line]

    assert [line.split()[0] for line in lines][:2] == ["002-0a1b2c3d", "001-0a1b2c3d"]
    assert len(lines) == 6
    assert "…" not in "".join(lines)
