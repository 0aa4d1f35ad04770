"""The whole flow on the real local cloud, from put_object to the e-mail and the API."""

import hashlib
import io
import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from PIL import Image

from seedbed.errors import SeedbedError
from seedbed.local_cloud.notifications.kept import text_of
from seedbed.predict import fetch_best_model
from tests.local_cloud.conftest import COLOURS, LittleCloud, photograph
from tests.local_cloud.signed import ask
from tests.seedbed.commands import Person
from tests.waiting import PATIENCE

BURST = 500
KEY = {"Idempotency-Key": "two-heads"}
TEXT = b"This is no photograph at all.\n" * 10


@dataclass
class FirstRun:
    """The results of the first burst of uploads."""

    summary: dict[str, Any]
    details: dict[str, Any]
    mail: Any

    @property
    def text(self) -> str:
        body: str = text_of(self.mail)
        return body

    def reason_for(self, file: str) -> str:
        named = {entry["file"]: entry["reason"] for entry in self.details["dataset"]["refused"]}
        reason: str = named[file]
        return reason


def huge_image() -> bytes:
    packed = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(packed, "PNG")
    return packed.getvalue()


@pytest.fixture(scope="module")
def first(cloud: LittleCloud) -> FirstRun:
    cloud.put("stray.png", photograph("Maize", 90_001))
    cloud.put("seedlings/no-label.png", photograph("Maize", 90_002))
    cloud.put("seedlings/Maize/empty.png", b"")
    cloud.put("seedlings/Maize/note.jpg", TEXT)
    cloud.put("seedlings/Maize/cut.png", photograph("Maize", 90_003)[:200])
    cloud.put("seedlings/Maize/huge.png", huge_image())
    cloud.put("seedlings/Maize/both.png", photograph("Maize", 90_004))
    cloud.put("seedlings/Fat Hen/both.png", photograph("Maize", 90_004))
    for number in range(3):
        cloud.put(f"seedlings/Rarity/{number}.png", photograph("Maize", 90_010 + number))
    cloud.put_images(range(BURST))
    [summary] = cloud.ended_runs(1)
    return FirstRun(summary, cloud.stack.get(f"/runs/{summary['run_id']}"), cloud.mails(1)[0])


def test_a_burst_of_500_uploads_becomes_one_run(cloud: LittleCloud, first: FirstRun) -> None:
    assert first.summary["state"] == "Completed", first.summary["reason"]
    assert len(cloud.runs()) == 1
    jobs = cloud.stack.client("sagemaker").list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]
    assert [job["HyperParameterTuningJobName"] for job in jobs] == [first.summary["run_id"]]


def test_every_image_is_used_or_named(first: FirstRun) -> None:
    dataset = first.details["dataset"]
    assert dataset["used"] == BURST
    assert dataset["images"] == BURST + 11
    assert dataset["images"] == dataset["used"] + len(dataset["refused"]) + len(dataset["duplicates"])


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("stray.png", "not at seedlings/<label>/<file>"),
        ("no-label.png", "not at seedlings/<label>/<file>"),
        ("Maize/empty.png", "empty"),
        ("Maize/note.jpg", "not an image"),
        ("Maize/cut.png", "damaged"),
        ("Maize/huge.png", "at most 200 megapixels"),
        ("Maize/both.png", "Fat Hen/both.png"),
        ("Fat Hen/both.png", "Maize/both.png"),
        ("Rarity/0.png", "3"),
    ],
)
def test_bad_input_is_named_with_its_reason(first: FirstRun, file: str, words: str) -> None:
    assert words in first.reason_for(file)
    assert f"\n{file}: " in first.text


def test_the_e_mail_names_the_best_model(first: FirstRun) -> None:
    accuracy = first.details["evaluation"]["accuracy"]
    assert first.mail["To"] == "you@localhost"
    assert first.mail["Subject"].startswith("Seedbed: the first model, ")
    assert f"{accuracy:.1%}" in first.mail["Subject"]
    assert first.summary["run_id"] in first.text
    changes = first.details["evaluation"]["changes"]
    told = f"{changes['accuracy']:.1%} over {len(changes['by_change'])} kinds of change"
    assert re.search(rf"^Under changes: .*{re.escape(told)}", first.text, re.MULTILINE), first.text


def test_the_api_answers_with_the_best_model(cloud: LittleCloud, first: FirstRun) -> None:
    best = cloud.stack.get("/models/best")
    assert best["run_id"] == first.summary["run_id"]
    assert best["test_accuracy"] == first.details["evaluation"]["accuracy"] > 0.9
    assert best["test_accuracy_interval"][0] <= best["test_accuracy"] <= best["test_accuracy_interval"][1]
    assert cloud.stack.bucket in best["model_uri"]
    assert set(best) == {
        "run_id", "model_uri", "model_sha256", "report_uri", "model_card_uri", "mosaic_uri", "validation_accuracy",
        "objective", "test_accuracy", "test_accuracy_interval", "macro_f1", "single_view", "views", "changes",
        "when_sure", "hyperparameters", "dataset", "cost_usd", "created_at",
    }  # fmt: skip


def test_every_route_answers_a_signed_request_as_the_document_says(cloud: LittleCloud, first: FirstRun) -> None:
    run = f"/runs/{first.summary['run_id']}"
    trial = first.details["trials"][0]["name"]
    paths = ["/models/best", "/models?limit=1", "/runs?limit=1", run, f"{run}/trials?curves={trial}", f"{run}/files"]
    paths += [f"/datasets/{run.split('-')[1]}", "/health", "/openapi.json"]

    answers = {path: ask(cloud.stack, path) for path in paths}

    assert {answer["statusCode"] for answer in answers.values()} == {200}
    (curve,) = (found["epochs"] for found in json.loads(answers[paths[4]]["body"])["trials"] if found["name"] == trial)
    assert {epoch["head"] for epoch in curve} == {1, 2}
    assert json.loads(answers[paths[6]]["body"])["report"] == first.details["dataset"]
    for path in paths:
        assert ask(cloud.stack, path, "HEAD")["body"] == ""
        assert ask(cloud.stack, path, **{"If-None-Match": answers[path]["headers"]["ETag"]})["statusCode"] in {200, 304}


def test_what_is_not_there_is_a_problem_too(cloud: LittleCloud, first: FirstRun) -> None:
    run = f"/runs/{first.summary['run_id']}"
    for path in (run, "/health"):
        with pytest.raises(SeedbedError, match=r"This answers GET and HEAD alone\."):
            cloud.stack.post(path)
    with pytest.raises(SeedbedError, match="There is nothing here"):
        cloud.stack.get("/secrets")
    assert ask(cloud.stack, f"{run}/stop", "POST")["statusCode"] == 409


def test_a_run_is_refused_while_nothing_has_changed(cloud: LittleCloud, first: FirstRun) -> None:
    with pytest.raises(SeedbedError, match="had these images and this plan"):
        cloud.stack.post("/runs", {"plan": None})
    with pytest.raises(SeedbedError, match="unknown field `budget`"):
        cloud.stack.post("/runs", {"budget": 1})


def test_files_are_shown_by_links_and_contradictions_in_pairs(cloud: LittleCloud, first: FirstRun) -> None:
    files = cloud.stack.get(f"/runs/{first.summary['run_id']}/files?kind=refused")["files"]
    (both,) = (file for file in files if file["file"] == "Maize/both.png")

    assert both["other"] == "Fat Hen/both.png"
    for url in (both["url"], both["other_url"]):
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            assert answer.read() == photograph("Maize", 90_004)


def test_what_a_client_has_is_not_sent_again(cloud: LittleCloud, first: FirstRun) -> None:
    tag = ask(cloud.stack, "/models/best")["headers"]["ETag"]

    assert ask(cloud.stack, "/models/best", **{"If-None-Match": tag})["statusCode"] == 304
    assert ask(cloud.stack, "/models/best", "HEAD")["headers"]["ETag"] == tag


def test_the_local_cloud_keeps_no_old_versions_and_needs_no_tls(cloud: LittleCloud, first: FirstRun) -> None:
    s3 = cloud.stack.client("s3")
    assert "Status" not in s3.get_bucket_versioning(Bucket=cloud.stack.bucket)
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket=cloud.stack.bucket)


def test_the_dashboard_is_there_and_alarms_send_nothing(cloud: LittleCloud) -> None:
    cloudwatch = cloud.stack.client("cloudwatch")
    (dashboard,) = cloudwatch.list_dashboards()["DashboardEntries"]
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]
    assert dashboard["DashboardName"] == "seedbed-us-east-1"
    assert alarms
    assert not any(alarm["ActionsEnabled"] for alarm in alarms)


def test_the_end_of_the_run_is_measured_once_and_in_the_functions_log_alone(
    cloud: LittleCloud, first: FirstRun
) -> None:
    logs = cloud.stack.client("logs")

    def measured() -> list[str]:
        groups = logs.describe_log_groups()["logGroups"]
        events = [event for g in groups for event in logs.filter_log_events(logGroupName=g["logGroupName"])["events"]]
        return [event["message"] for event in events if '"RunsCompleted":[1.0]' in event["message"]]

    (line,) = cloud.wait_for(measured, "the measurements of the run")
    assert json.loads(line)["TestAccuracy"] == [first.details["test_accuracy"]]
    assert "RunsCompleted" not in cloud.home.log.read_text(encoding="utf-8")


def test_the_run_lists_its_trials(first: FirstRun) -> None:
    trials = first.details["trials"]
    assert len(trials) == 2
    assert all(trial["name"].startswith(first.summary["run_id"]) for trial in trials)
    best = max(trials, key=lambda trial: trial["objective"])
    assert best["objective"] == first.details["validation_accuracy"]
    for trial in trials:
        chosen = trial["heads"][trial["best_head"] - 1]
        scored = [head["validation_accuracy"] for head in trial["heads"]]
        assert len(scored) == 2
        assert chosen["validation_accuracy"] == max(scored) == pytest.approx(trial["objective"], abs=1e-4)
        assert trial["hyperparameters"].items() >= chosen["hyperparameters"].items()


@pytest.mark.parametrize("path", ["/models/best", "/runs", "/runs/sb-0123456789abcdef-1"])
def test_an_unsigned_request_gets_403(cloud: LittleCloud, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(cloud.stack.api_url + path, timeout=PATIENCE)
    refusal.value.close()
    assert refusal.value.code == 403


@pytest.mark.parametrize(
    "header",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://ec2-192-0-2-1.compute-1.amazonaws.com"},
    ],
)
def test_a_request_from_a_web_page_is_refused(cloud: LittleCloud, header: dict[str, str]) -> None:
    request = urllib.request.Request(cloud.stack.endpoint or "", headers=header)
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request, timeout=PATIENCE)
    refusal.value.close()
    assert refusal.value.code == 403


def test_the_same_images_again_start_no_run(cloud: LittleCloud, first: FirstRun) -> None:
    cloud.put_images(range(20))
    cloud.wait_for(lambda: cloud.stack.get("/runs")["pending"], "the uploads to be noticed")
    assert len(cloud.ended_runs(1)) == 1


def test_uploads_during_a_run_start_exactly_one_more_run(cloud: LittleCloud, first: FirstRun) -> None:
    cloud.put_images(range(BURST, BURST + 40))
    cloud.wait_for(lambda: len(cloud.runs()) == 2, "the second run")
    for start in range(0, 40, 10):
        cloud.put_images(range(BURST + 40 + start, BURST + 50 + start))
    runs = cloud.ended_runs(3)
    assert [run["state"] for run in runs] == ["Completed"] * 3
    third = cloud.stack.get(f"/runs/{runs[2]['run_id']}")
    assert third["dataset"]["used"] == BURST + 80
    assert third["warm_start_from"] == [runs[1]["run_id"], runs[0]["run_id"]]
    assert third["evaluation"]["champion"] is not None
    assert third["evaluation"]["champion"]["error"] is None
    assert len(cloud.mails(3)) == 3


def test_a_run_with_a_plan_of_its_own_starts_at_once_and_once(cloud: LittleCloud, first: FirstRun) -> None:
    before = len(cloud.ended_runs(1))
    answers = [cloud.stack.post("/runs", {"trials": 2}, **KEY) for _ in range(2)]

    runs = cloud.ended_runs(before + 1)

    assert [answer["request_id"] for answer in answers] == ["two-heads"] * 2
    assert [run["request_id"] for run in runs].count("two-heads") == 1
    requested = cloud.stack.get(f"/runs/{runs[-1]['run_id']}")
    assert (requested["plan"]["trials"], requested["request"]["trials"]) == (2, 2)
    assert cloud.stack.post("/runs", None, **KEY)["run_id"] == runs[-1]["run_id"]


def test_a_best_model_changed_in_the_bucket_is_not_used(cloud: LittleCloud, first: FirstRun) -> None:
    best = cloud.stack.get("/models/best")
    place, s3 = urlsplit(best["model_uri"]), cloud.stack.client("s3")
    kept = fetch_best_model(cloud.stack, cloud.home)
    archive = kept.read_bytes()
    assert hashlib.sha256(archive).hexdigest() == best["model_sha256"]

    kept.unlink()
    s3.put_object(Bucket=place.netloc, Key=place.path[1:], Body=archive + b"\0")
    with pytest.raises(SeedbedError, match="not the file that was recorded"):
        fetch_best_model(cloud.stack, cloud.home)

    s3.put_object(Bucket=place.netloc, Key=place.path[1:], Body=archive)
    assert fetch_best_model(cloud.stack, cloud.home).read_bytes() == archive


def test_the_champion_answers_at_an_endpoint_until_that_is_deleted(
    cloud: LittleCloud, first: FirstRun, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEEDBED_HOME", str(cloud.home.path))
    person, run_id = Person(monkeypatch, capsys), cloud.stack.get("/models/best")["run_id"]

    deployed = person.runs("deploy-model")
    again = person.runs("deploy-model")
    answer = cloud.stack.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="seedbed", ContentType="image/png", Body=photograph("Maize", 90_001)
    )

    assert deployed.output.splitlines()[0] == f"The endpoint seedbed serves the model of run {run_id}."
    assert "model-package/seedbed/1\nEndpoint …\n" in deployed.notes
    assert again.output.splitlines()[0].endswith(f"the model of run {run_id} already, so nothing was changed.")
    assert answer["InvokedProductionVariant"] == run_id
    assert json.loads(answer["Body"].read())["predictions"][0]["label"] in COLOURS
    assert person.runs("deploy-model", "--delete").output.startswith("The endpoint seedbed was deleted")
    assert cloud.stack.client("sagemaker").list_models()["Models"] == []


def test_the_functions_log_no_error(cloud: LittleCloud, first: FirstRun) -> None:
    logs = cloud.stack.client("logs")
    functions = cloud.stack.client("lambda").list_functions()["Functions"]
    written = {
        function["FunctionName"]: [
            event["message"]
            for page in logs.get_paginator("filter_log_events").paginate(
                logGroupName=function["LoggingConfig"]["LogGroup"]
            )
            for event in page["events"]
        ]
        for function in functions
    }
    assert sum(any("START" in line for line in lines) for lines in written.values()) == 6
    errors = [line for lines in written.values() for line in lines if "Traceback" in line or '"level":"ERROR"' in line]
    assert errors == []
