"""The answers of the Describe and List operations, from records alone: no job runs here."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seedbed.local_cloud.sagemaker import listing
from seedbed.local_cloud.sagemaker.errors import Invalid, NotFound
from seedbed.local_cloud.sagemaker.kinds import PROCESSING, TRAINING, TUNING, Body, Kind
from seedbed.local_cloud.sagemaker.records.ledger import Ledger
from seedbed.local_cloud.sagemaker.records.store import Store
from seedbed.local_cloud.sagemaker.tuning import view
from seedbed.local_cloud.sagemaker.tuning.limits import CONVERGED_AFTER
from tests.sagemaker.settings import endpoint_settings

LATER = 4e9


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    store = Store(tmp_path / "jobs.db")
    yield Ledger(store, endpoint_settings(tmp_path))
    store.close()


def tuning_job(ledger: Ledger, name: str, aim: str = "Maximize", parent: str = "", **more: Any) -> None:
    ranges = {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "1"}]}
    config = {
        "Strategy": more.pop("strategy", "Random"),
        "HyperParameterTuningJobObjective": {"Type": aim, "MetricName": "score"},
        "ResourceLimits": {"MaxParallelTrainingJobs": 1},
        "ParameterRanges": ranges,
    }
    body: Body = {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": config,
        "TrainingJobDefinition": {},
    }
    if parent:
        parents = [{"HyperParameterTuningJobName": parent}]
        body["WarmStartConfig"] = {"ParentHyperParameterTuningJobs": parents, **more}
    ledger.create(TUNING, body, [])


def trained(
    ledger: Ledger, parent: str, number: int, objective: float | None, status: str = "Completed", **fields: Any
) -> str:
    """A training job that ends `number` seconds after LATER."""
    name = f"{parent}-{number:03d}"
    body = {"TrainingJobName": name, "HyperParameters": {"_tuning_objective_metric": "score"}}
    private: Any = {"tuned": {"x": "0.5"}, "tuning_job": parent, "definition": ""}
    ledger.create(TRAINING, body, [], parent, number, **private)
    ended = {"TrainingJobStatus": status, "TrainingEndTime": LATER + number, **fields}
    ledger.change(TRAINING, name, lambda job: job.update(ended))
    ledger.store.set_objective(TRAINING, name, "Failed" if objective is None else "Succeeded", objective)
    return name


def described(ledger: Ledger, name: str) -> Body:
    return view.describe(ledger, {"HyperParameterTuningJobName": name})


def test_the_counters_separate_endpoint_errors_from_others(ledger: Ledger) -> None:
    tuning_job(ledger, "t")
    trained(ledger, "t", 1, 0.5)
    trained(ledger, "t", 2, None, "Failed", FailureReason="AlgorithmError: no, exit code: 1")
    trained(ledger, "t", 3, None, "Failed", FailureReason="InternalServerError: the disk is full")
    trained(ledger, "t", 4, 0.4, "Stopped")
    trained(ledger, "t", 5, None, "Stopping")
    job = described(ledger, "t")
    assert job["TrainingJobStatusCounters"] == {
        "Completed": 1,
        "InProgress": 1,
        "RetryableError": 1,
        "NonRetryableError": 1,
        "Stopped": 1,
    }
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 2, "Pending": 0, "Failed": 3}


@pytest.mark.parametrize(
    ("aim", "strategy", "best"),
    [("Maximize", "Random", 2), ("Minimize", "Random", 1), ("Maximize", "Hyperband", 3), ("Minimize", "Hyperband", 4)],
)
def test_the_best_job_has_completed_except_with_hyperband(ledger: Ledger, aim: str, strategy: str, best: int) -> None:
    tuning_job(ledger, "t", aim, strategy=strategy)
    for number, (objective, status) in enumerate(
        [(0.4, "Completed"), (0.6, "Completed"), (0.9, "Stopped"), (0.1, "Stopped")], 1
    ):
        trained(ledger, "t", number, objective, status)
    assert described(ledger, "t")["BestTrainingJob"]["TrainingJobName"] == f"t-00{best}"


@pytest.mark.parametrize(("aim", "overall"), [("Maximize", "old-002"), ("Minimize", "new-001")])
def test_the_overall_best_includes_the_parents(ledger: Ledger, aim: str, overall: str) -> None:
    tuning_job(ledger, "old", aim)
    trained(ledger, "old", 1, 0.5)
    trained(ledger, "old", 2, 0.9)
    tuning_job(ledger, "new", aim, parent="old", WarmStartType="IdenticalDataAndAlgorithm")
    trained(ledger, "new", 1, 0.2)
    best = described(ledger, "new")["OverallBestTrainingJob"]
    assert (best["TrainingJobName"], best["TuningJobName"]) == (overall, overall[:3])


def test_transfer_learning_has_no_overall_best(ledger: Ledger) -> None:
    tuning_job(ledger, "old")
    trained(ledger, "old", 1, 0.5)
    tuning_job(ledger, "new", parent="old", WarmStartType="TransferLearning")
    trained(ledger, "new", 1, 0.2)
    assert "OverallBestTrainingJob" not in described(ledger, "new")


def test_completion_details_count_in_the_order_of_ends(ledger: Ledger) -> None:
    tuning_job(ledger, "t")
    assert described(ledger, "t")["TuningJobCompletionDetails"] == {"NumberOfTrainingJobsObjectiveNotImproving": 0}
    for number, (end, objective) in enumerate([(30, 0.9), (10, 0.5), (40, 0.901), (20, 0.7), (50, None)], 1):
        trained(ledger, "t", number, objective, TrainingEndTime=LATER + end)
    assert described(ledger, "t")["TuningJobCompletionDetails"] == {"NumberOfTrainingJobsObjectiveNotImproving": 1}


def test_convergence_has_the_time_of_the_job_that_showed_it(ledger: Ledger) -> None:
    tuning_job(ledger, "t")
    for number in range(1, CONVERGED_AFTER + 4):
        trained(ledger, "t", number, 0.5)
    details = described(ledger, "t")["TuningJobCompletionDetails"]
    assert details["ConvergenceDetectedTime"] == LATER + CONVERGED_AFTER + 1
    assert details["NumberOfTrainingJobsObjectiveNotImproving"] == CONVERGED_AFTER + 2


def test_the_consumed_time_ends_with_the_job(ledger: Ledger) -> None:
    tuning_job(ledger, "t")
    end = described(ledger, "t")["CreationTime"] + 90.5
    ledger.change(
        TUNING,
        "t",
        lambda body: body.update(HyperParameterTuningJobStatus="Completed", HyperParameterTuningEndTime=end),
    )
    assert described(ledger, "t")["ConsumedResources"] == {"RuntimeInSeconds": 90}


def test_deleting_a_tuning_job_keeps_its_training_jobs_and_frees_its_name(ledger: Ledger) -> None:
    tuning_job(ledger, "t")
    child = trained(ledger, "t", 1, 0.5)
    with pytest.raises(Invalid, match="InProgress"):
        ledger.delete(TUNING, "t")
    ledger.change(TUNING, "t", lambda body: body.update(HyperParameterTuningJobStatus="Stopped"))
    ledger.delete(TUNING, "T")
    with pytest.raises(NotFound):
        described(ledger, "t")
    assert ledger.find(TRAINING, child).body["TrainingJobStatus"] == "Completed"
    events = [event["detail"] for _, event in ledger.store.posted(100)]
    assert events[-1]["HyperParameterTuningJobStatus"] == "Deleting"
    tuning_job(ledger, "t")
    assert described(ledger, "t")["TrainingJobStatusCounters"]["Completed"] == 0


def job_of(ledger: Ledger, kind: Kind, name: str, status: str = "InProgress", **fields: Any) -> None:
    ledger.create(kind, {kind.name_field: name}, [])
    ledger.change(kind, name, lambda body: body.update({kind.status_field: status, **fields}))


def names(ledger: Ledger, kind: Kind, **request: Any) -> list[str]:
    found = listing.list_jobs(ledger, kind, request)[f"{kind.name}Summaries"]
    return [item[kind.name_field] for item in found]


@pytest.mark.parametrize("order", ["Name", "CreationTime", "Status"])
@pytest.mark.parametrize("direction", ["Ascending", "Descending"])
@pytest.mark.parametrize("kind", [TUNING, TRAINING, PROCESSING])
def test_pages_hold_each_job_once_while_others_are_created_and_deleted(
    ledger: Ledger, kind: Kind, order: str, direction: str
) -> None:
    for name in ("b", "D", "f", "h", "J", "l"):
        job_of(ledger, kind, name, "Completed" if name in "bhl" else "Failed")
    request: Body = {"SortBy": order, "SortOrder": direction, "MaxResults": 2}
    seen: list[str] = []
    newcomers = ["a", "zz", "e", "C"]
    while request.get("NextToken", "first"):
        answer = listing.list_jobs(ledger, kind, request)
        page = [item[kind.name_field] for item in answer[f"{kind.name}Summaries"]]
        seen += page
        request["NextToken"] = answer.get("NextToken", "")
        ledger.store.delete(kind, page[0])
        if newcomers:
            job_of(ledger, kind, newcomers.pop(), "Completed")
    assert sorted(name for name in seen if name in "bDfhJl") == ["D", "J", "b", "f", "h", "l"]
    assert len(seen) == len(set(seen))


def test_every_filter_of_every_kind(ledger: Ledger) -> None:
    for kind in (TUNING, TRAINING, PROCESSING):
        for name, status in (("Oak-1", "Completed"), ("oak-2", "Failed"), ("elm-1", "Completed")):
            job_of(ledger, kind, name, status)
        created = {name: ledger.find(kind, name).body["CreationTime"] for name in ("Oak-1", "elm-1")}
        assert names(ledger, kind, NameContains="OAK", SortBy="Name") == ["Oak-1", "oak-2"]
        assert names(ledger, kind, StatusEquals="Failed") == ["oak-2"]
        assert names(ledger, kind, CreationTimeBefore=created["Oak-1"]) == []
        assert names(ledger, kind, CreationTimeAfter=created["elm-1"]) == []
        assert len(names(ledger, kind, CreationTimeAfter=created["Oak-1"] - 1)) == 3
        ledger.change(kind, "oak-2", lambda body: body.update(Touched=True))
        modified = ledger.find(kind, "oak-2").body["LastModifiedTime"]
        assert "oak-2" not in names(ledger, kind, LastModifiedTimeBefore=modified)
        assert "oak-2" in names(ledger, kind, LastModifiedTimeAfter=modified - 0.001)
    assert names(ledger, TRAINING, WarmPoolStatusEquals="Available") == []
    assert len(names(ledger, TUNING)) == len(names(ledger, TRAINING)) == 3


def test_a_page_of_training_jobs_is_taken_before_the_status_filter(ledger: Ledger) -> None:
    for number, status in enumerate(("Failed", "Completed", "Failed", "Completed")):
        job_of(ledger, TRAINING, f"j{number}", status)
    request = {"SortBy": "Name", "StatusEquals": "Completed", "MaxResults": 2}
    answer = listing.list_jobs(ledger, TRAINING, request)
    assert [job["TrainingJobName"] for job in answer["TrainingJobSummaries"]] == ["j1"]
    assert names(ledger, TRAINING, **request, NextToken=answer["NextToken"]) == ["j3"]
    assert names(ledger, TUNING, **request) == []


def test_a_token_is_refused_in_another_order(ledger: Ledger) -> None:
    for name in ("a", "b"):
        job_of(ledger, TRAINING, name)
    token = listing.list_jobs(ledger, TRAINING, {"MaxResults": 1, "SortBy": "Name"})["NextToken"]
    for request in ({"SortBy": "Status"}, {"SortBy": "Name", "SortOrder": "Descending"}):
        with pytest.raises(Invalid, match="NextToken"):
            listing.list_jobs(ledger, TRAINING, {**request, "NextToken": token})
    for wrong in ("abc", "W10=", "bnVsbA==", "é"):
        with pytest.raises(Invalid, match="NextToken"):
            listing.list_jobs(ledger, TRAINING, {"NextToken": wrong})


@pytest.mark.parametrize("order", ["Name", "CreationTime", "Status", "FinalObjectiveMetricValue"])
def test_training_jobs_of_a_tuning_job_are_listed_in_every_order(ledger: Ledger, order: str) -> None:
    tuning_job(ledger, "t")
    for number, (objective, status) in enumerate([(0.5, "Completed"), (None, "Failed"), (0.1, "Stopped")], 1):
        trained(ledger, "t", number, objective, status)
    request: Body = {"HyperParameterTuningJobName": "T", "SortBy": order, "SortOrder": "Descending", "MaxResults": 1}
    seen = []
    while request.get("NextToken", "first"):
        answer = view.list_training_jobs(ledger, request)
        seen += [int(job["TrainingJobName"][-1]) for job in answer["TrainingJobSummaries"]]
        request["NextToken"] = answer.get("NextToken", "")
    expected = {"Status": [3, 2, 1], "FinalObjectiveMetricValue": [1, 3]}
    assert seen == expected.get(order, [3, 2, 1])
