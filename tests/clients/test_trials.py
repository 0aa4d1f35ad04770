"""`seedbed trials` with a tuning job of `seedbed sagemaker`, which it finds by AWS_ENDPOINT_URL."""

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import optuna
import pytest
from pyarrow import parquet
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from seedbed import extras
from tests.sagemaker.toy_endpoint import definition
from tests.seedbed.commands import Person

if TYPE_CHECKING:
    from tests.sagemaker.toy_endpoint import Endpoint

NAME = "for-trials"
RANGES = {
    "ContinuousParameterRanges": [{"Name": "rate", "MinValue": "0", "MaxValue": "1"}],
    "IntegerParameterRanges": [{"Name": "epochs", "MinValue": "2", "MaxValue": "4"}],
    "CategoricalParameterRanges": [{"Name": "kind", "Values": ["a", "b"]}],
}


@pytest.fixture(scope="module")
def tuned(endpoint: "Endpoint") -> str:
    """A tuning job of the toy that has ended."""
    endpoint.tune(NAME, jobs=3, ParameterRanges=RANGES)
    endpoint.ended("tuning", NAME)
    return NAME


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Person:
    monkeypatch.chdir(tmp_path)
    return Person(monkeypatch, capsys)


@pytest.mark.parametrize("options", [(), ("--account",)])
def test_the_table_has_a_line_for_each_trial(person: Person, tuned: str, options: tuple[str, ...]) -> None:
    outcome = person.runs("trials", tuned, *options)

    lines = outcome.output.splitlines()
    assert (outcome.status, outcome.notes) == (0, "")
    assert lines[0] == f"{tuned} Completed: 3 trials by Random, accuracy, highest first"
    shown = [float(line.split()[1]) for line in lines if line.strip().startswith("00")]
    assert len(shown) == 3
    assert shown == sorted(shown, reverse=True)


def test_csv_and_json_are_printed_and_hold_the_same(person: Person, endpoint: "Endpoint", tuned: str) -> None:
    rows = list(csv.DictReader(io.StringIO(person.runs("trials", tuned, "--format", "csv").output)))
    content = json.loads(person.runs("trials", tuned, "--format", "json").output)

    described = {found["TrainingJobName"]: found for found in endpoint.trials(tuned)}
    assert {row["name"] for row in rows} == set(described) == {found["name"] for found in content["trials"]}
    for row in rows:
        final = described[row["name"]]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
        assert float(row["objective"]) == float(row["metrics_accuracy"]) == pytest.approx(final)
        assert row["params_rate"] == described[row["name"]]["TunedHyperParameters"]["rate"]


@pytest.mark.parametrize("name", ["trials.csv", "trials.JSON", "trials.parquet"])
def test_a_file_is_written_as_its_name_ends(person: Person, tuned: str, name: str) -> None:
    outcome = person.runs("trials", tuned, "--output", name)

    assert (outcome.status, outcome.output, outcome.notes) == (0, "", f"3 trials are in {name}.\n")
    if name.endswith("parquet"):
        assert parquet.read_table(name).num_rows == 3
    else:
        assert all(f"{tuned}-00{number}-" in Path(name).read_text() for number in (1, 2, 3))


def test_a_study_and_runs_have_every_epoch(person: Person, endpoint: "Endpoint", tuned: str) -> None:
    def written() -> bool:
        outcome = person.runs("trials", tuned, "--optuna", "study.db", "--tensorboard", "runs")
        assert (outcome.status, outcome.output) == (0, "")
        assert outcome.notes.splitlines() == [
            "3 trials are in study.db. See them with: optuna-dashboard sqlite:///study.db",
            "3 trials are in runs. See them with: tensorboard --logdir runs",
        ]
        study = optuna.load_study(study_name=tuned, storage="sqlite:///study.db")
        return all(len(found.intermediate_values) == found.params["epochs"] for found in study.trials)

    endpoint.eventually(written)  # the logs arrive a second after the job's end
    for found in optuna.load_study(study_name=tuned, storage="sqlite:///study.db").trials:
        events = EventAccumulator(f"runs/{found.user_attrs['training_job']}").Reload()
        steps = [point.step for point in events.Scalars("loss")]
        assert steps == list(range(1, found.params["epochs"] + 1))
        assert found.value == pytest.approx(events.Scalars("accuracy")[-1].value)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("no-such-job", 1, "There is no tuning job no-such-job at http://127.0.0.1:"),
        ("../../etc", 1, "is not the name of a tuning job"),
        (f"{NAME} --format parquet", 2, "name its file with --output"),
        (f"{NAME} --output trials.txt", 2, "name its format with --format"),
        (f"{NAME} --output x.csv --format table", 2, "choose --format csv, json or parquet"),
        (f"{NAME} --output nowhere/x.csv", 1, "its folder does not exist"),
        (f"{NAME} --optuna .", 1, "is a folder"),
        (f"{NAME} --format xml", 2, "--format"),
        (f"{NAME} --account --aws stack", 2, "Choose one of --aws and --account."),
    ],
)
def test_what_cant_be_done_is_a_sentence(
    person: Person, endpoint: "Endpoint", words: str, status: int, said: str
) -> None:
    outcome = person.runs("trials", *words.split())

    outcome.assert_is_sentence(status)
    assert said in outcome.notes


@pytest.mark.parametrize(
    ("extra", "options"),
    [
        ("parquet", ("--output", "x.parquet")),
        ("optuna", ("--optuna", "study.db")),
        ("tensorboard", ("--tensorboard", "runs")),
    ],
)
def test_a_missing_extra_is_named_before_anything_is_asked(
    person: Person, monkeypatch: pytest.MonkeyPatch, extra: str, options: tuple[str, ...]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr(extras, "requires", lambda _: [f"no-such-package>=1; extra == '{extra}'"])

    outcome = person.runs("trials", NAME, *options)

    outcome.assert_is_sentence(1)
    assert f"pip install 'seedbed[{extra}]'" in outcome.notes


def test_a_job_without_an_objective_has_trials_without_one(person: Person, endpoint: "Endpoint") -> None:
    silent = {"StaticHyperParameters": {"fail": "no data"}, **definition()}
    endpoint.tune("silent", jobs=2, TrainingJobDefinition=silent)
    endpoint.ended("tuning", "silent")

    rows = json.loads(person.runs("trials", "silent", "--format", "json").output)["trials"]
    table = person.runs("trials", "silent")

    assert [(row["status"], row["objective"]) for row in rows] == [("Failed", None)] * 2
    assert all("no data" in row["reason"] for row in rows)
    assert (table.status, table.output.count("Failed")) == (0, 3)
