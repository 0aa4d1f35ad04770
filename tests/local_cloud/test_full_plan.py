"""The full plan on the real local cloud: heads, then the whole network, then the model in every format."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seedbed.fetch import fetch_report
from seedbed.local_cloud.home.folder import Home
from seedbed.local_cloud.notifications.kept import kept, text_of
from seedbed.local_cloud.parameters import PARAMETERS, PlanName
from seedbed.model_files import FILE_NAMES, Format, source_of, take
from tests.local_cloud.conftest import LITTLE, LittleCloud, up

FULL = {**LITTLE, **PARAMETERS[PlanName.full], "FineTuneEpochs": "2", "FineTuneSize": "64"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LittleCloud]:
    """A local cloud whose runs are fine-tuned."""
    home = Home(tmp_path_factory.mktemp("home") / "seedbed")
    with up(home, FULL) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def run(cloud: LittleCloud) -> dict[str, Any]:
    """The API's answer on one run on 120 images."""
    cloud.put_images(range(120))
    [summary] = cloud.ended_runs(1)
    found: dict[str, Any] = cloud.stack.get(f"/runs/{summary['run_id']}")
    return found


def test_a_second_tuning_job_trains_the_network_from_the_best_head(cloud: LittleCloud, run: dict[str, Any]) -> None:
    assert run["state"] == "Completed", run["reason"]
    stages = sorted(trial["stage"] for trial in run["trials"])
    assert stages == ["fine-tune", "fine-tune", "tune", "tune"]
    assert all(trial["status"] == "Completed" for trial in run["trials"])
    fine = cloud.stack.client("sagemaker").describe_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=f"{run['run_id']}-fine"
    )
    channels = {channel["ChannelName"]: channel for channel in fine["TrainingJobDefinition"]["InputDataConfig"]}
    assert run["best_head"]["name"] in channels["head"]["DataSource"]["S3DataSource"]["S3Uri"]


def test_every_export_exists_and_agrees_with_the_model(cloud: LittleCloud, run: dict[str, Any]) -> None:
    made = {export["format"]: export for export in run["evaluation"]["exports"]}
    assert list(made) == ["saved_model", "litert", "litert_int8", "onnx"]
    assert {name: export["error"] for name, export in made.items() if export["error"]} == {}
    assert all(made[name]["largest_difference"] < 1e-3 for name in ("saved_model", "litert", "onnx"))
    kept_in = f"runs/{run['run_id']}/evaluation/"
    found = cloud.stack.client("s3").list_objects_v2(Bucket=cloud.stack.bucket, Prefix=kept_in)["Contents"]
    for export in made.values():
        inside = [item["Size"] for item in found if item["Key"].startswith(kept_in + export["file"])]
        assert sum(inside) == export["bytes"]


@pytest.mark.parametrize("format_", Format)
def test_every_format_can_be_taken(cloud: LittleCloud, run: dict[str, Any], tmp_path: Path, format_: Format) -> None:
    place = tmp_path / FILE_NAMES[format_]

    beside = take(cloud.stack, source_of(cloud.stack, "", format_), place, force=False)

    assert [path.name for path in beside] == ["model.json", "model_card.md"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([place.name, "model.json", "model_card.md"])
    facts = json.loads((tmp_path / "model.json").read_text())
    assert (facts["labels"], facts["views"]) == (run["evaluation"]["labels"], run["evaluation"]["views"])


def test_the_e_mail_and_the_report_cover_the_full_plan(cloud: LittleCloud, run: dict[str, Any]) -> None:
    cloud.wait_for(lambda: kept(cloud.home.mail), "the e-mail")
    text = text_of(kept(cloud.home.mail)[0])
    assert run["run_id"] in text
    report = fetch_report(cloud.stack, cloud.home).read_text(encoding="utf-8")
    assert report.startswith("<!DOCTYPE html>")
    assert "The most confident mistakes" in report or run["evaluation"]["accuracy"] == 1
