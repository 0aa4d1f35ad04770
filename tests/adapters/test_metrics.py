"""Metrics leave as lines of CloudWatch's embedded metric format, one JSON object a line."""

import json
from typing import Any

import pytest

from job_manager.aws.metrics import EmfMetrics
from job_manager.domain.measurement import BY_STAGE, Measurement, Metric
from job_manager.domain.run import RunState

RUN_ID = "sb-0123456789abcdef-1"
UNITS = {"Count", "Seconds", "Percent", "None"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Seedbed/plots")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "seedbed")


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_measurements_of_one_stage_share_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    stage = RunState.TUNING
    measurements = [
        Measurement(Metric.STAGE_DURATION, 61.5, stage),
        Measurement(Metric.RUN_COST, 0.07),
        Measurement(Metric.TRIALS_FAILED, 2, stage),
        Measurement(Metric.RUNS_COMPLETED),
    ]

    EmfMetrics().record(measurements, RUN_ID)

    of_run, of_stage = lines(capsys.readouterr().out)
    assert of_run["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "Seedbed/plots",
            "Dimensions": [["service"]],
            "Metrics": [{"Name": "RunCost", "Unit": "None"}, {"Name": "RunsCompleted", "Unit": "Count"}],
        }
    ]
    assert (of_run["service"], of_run["run_id"]) == ("seedbed", RUN_ID)
    assert (of_run["RunCost"], of_run["RunsCompleted"]) == ([0.07], [1.0])
    (described,) = of_stage["_aws"]["CloudWatchMetrics"]
    assert sorted(described["Dimensions"][0]) == ["Stage", "service"]
    assert (of_stage["Stage"], of_stage["StageDuration"], of_stage["TrialsFailed"]) == ("Tuning", [61.5], [2.0])


def test_nothing_measured_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    EmfMetrics().record([], RUN_ID)

    assert capsys.readouterr().out == ""


def test_the_dimensions_of_one_record_do_not_stay_for_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = EmfMetrics()
    metrics.record([Measurement(Metric.STAGE_DURATION, 1, RunState.TUNING)], RUN_ID)
    metrics.record([Measurement(Metric.RECONCILE_FINDINGS)])

    _, finding = lines(capsys.readouterr().out)
    assert finding["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]
    assert "run_id" not in finding


@pytest.mark.parametrize("metric", Metric)
def test_every_metric_is_taken(metric: Metric, capsys: pytest.CaptureFixture[str]) -> None:
    assert metric.unit in UNITS

    EmfMetrics().record([Measurement(metric, 1, RunState.TUNING if metric in BY_STAGE else None)])

    (line,) = lines(capsys.readouterr().out)
    assert line[metric.label] == [1.0]
