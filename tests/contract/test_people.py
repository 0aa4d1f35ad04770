"""Who uploads and who asks may do what their commands need and nothing beyond, by two managed policies."""

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from moto import mock_aws

from job_manager.steps.api import best_model, one_run, recent_runs
from seedbed.fetch import fetch_report
from seedbed.local_cloud.home.folder import Home
from seedbed.model_files import Format, source_of, take
from seedbed.predict import fetch_best_model
from seedbed.stack import Stack, aws_stack
from seedbed.upload import files_of, upload
from tests.contract.people import (
    BUCKET,
    STACK,
    TEMPLATE,
    Call,
    allowed,
    api_server,
    in_bucket,
    of_api,
    of_stack,
    recorded,
)
from tests.fakes.world import MODEL_SHA256, World, answered

UPLOADERS, ASKERS = "UploadersPolicy", "AskersPolicy"
RUN = "runs/sb-0123456789abcdef-1"
PART = 5 * 2**20

Calls = Sequence[Call]


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Calls]]:
    """What AWS is asked for by the commands and, of those who upload, by other clients too."""
    folder, world = tmp_path_factory.mktemp("person"), World()
    world.bucket.name = BUCKET
    run_id = world.start().run_id
    world.end_prepare(run_id)
    world.end_tuning(run_id)
    run = world.end_evaluation(run_id, exports=[{"format": "onnx", "files": {"exports/model.onnx": MODEL_SHA256}}])
    answers: dict[str, object] = {"/models/best": best_model(world), "/runs": recent_runs(world)}
    with (
        pytest.MonkeyPatch.context() as patch,
        mock_aws(),
        api_server(lambda path: answered(answers.get(path) or one_run(run.run_id, world))) as (url, asked),
    ):
        deploy(url)
        folder_of_model = str(run.model_uri).removesuffix("model.tar.gz")
        for uri in (run.report_uri, run.model_uri, f"{folder_of_model}exports/model.onnx"):
            boto3.client("s3").put_object(Bucket=BUCKET, Key=str(uri).split("/", 3)[3], Body=b"a model")
        with recorded(patch) as of_uploaders:
            uploading(aws_stack(STACK), folder)
        with recorded(patch) as of_askers:
            asking(aws_stack(STACK), Home(folder / "home"), run.run_id)
        yield {UPLOADERS: of_uploaders, ASKERS: [*of_askers, *asked]}


def deploy(url: str) -> None:
    """A stack that answers where ours would."""
    outputs = {"BucketName": {"Value": BUCKET}, "ApiUrl": {"Value": url}}
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": BUCKET}}
    template = json.dumps({"Resources": {"Bucket": bucket}, "Outputs": outputs})
    boto3.client("cloudformation").create_stack(StackName=STACK, TemplateBody=template)


def uploading(stack: Stack, folder: Path) -> None:
    """`seedbed upload`, and what `aws s3 sync` does with a large file and with one that it gives up."""
    image = folder / "images" / "Common wheat" / "a+b.png"
    image.parent.mkdir(parents=True)
    image.write_bytes(b"an image")
    list(upload(stack, files_of(folder / "images")))
    s3: Any = stack.client("s3")
    s3.list_objects_v2(Bucket=BUCKET, Prefix="seedlings/Maize")
    large = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)
    s3.upload_fileobj(io.BytesIO(bytes(PART + 1)), BUCKET, "seedlings/Maize/large.tif", Config=large)
    given_up = s3.create_multipart_upload(Bucket=BUCKET, Key="seedlings/Maize/cut.tif")
    s3.abort_multipart_upload(Bucket=BUCKET, Key=given_up["Key"], UploadId=given_up["UploadId"])


def asking(stack: Stack, home: Home, run_id: str) -> None:
    """`seedbed best`, `runs`, `report`, `model` and `predict`."""
    for path in ("/models/best", "/runs", f"/runs/{run_id}"):
        stack.get(path)
    fetch_report(stack, home, run_id)
    fetch_best_model(stack, home)
    take(stack, source_of(stack, run_id, Format.onnx), home.path / "model.onnx", force=False)


@pytest.mark.parametrize("policy", [UPLOADERS, ASKERS])
def test_policies_allow_all_calls_of_the_commands(policy: str, calls: dict[str, Calls]) -> None:
    assert [call for call in calls[policy] if not allowed(policy, call)] == []


@pytest.mark.parametrize("policy", [UPLOADERS, ASKERS])
def test_policies_allow_no_unneeded_action(policy: str, calls: dict[str, Calls]) -> None:
    statements = TEMPLATE.resources[policy]["Properties"]["PolicyDocument"]["Statement"]
    listed = [statement["Action"] for statement in statements]
    actions = {action for one in listed for action in ([one] if isinstance(one, str) else one)}

    assert actions == {call.action for call in calls[policy]}
    assert {statement["Effect"] for statement in statements} == {"Allow"}


BEYOND_UPLOADING = [
    in_bucket("PutObject", f"{RUN}/evaluation/model.tar.gz"),
    in_bucket("PutObject", "pretrained/ResNet50V2.weights.h5"),
    in_bucket("PutObject", "seedlings"),
    in_bucket("GetObject", "seedlings/Maize/a.png"),
    in_bucket("DeleteObject", "seedlings/Maize/a.png"),
    in_bucket("ListObjectsV2", prefix=""),
    in_bucket("ListObjectsV2", prefix="runs/"),
    in_bucket("ListObjectsV2"),
    Call("s3:PutObject", "arn:aws:s3:::somebody-elses/seedlings/Maize/a.png"),
    of_api("GET", "/models/best"),
    of_stack("another"),
]
BEYOND_ASKING = [
    of_api("POST", f"/{RUN}/stop"),
    of_api("POST", f"/{RUN}/retry"),
    of_api("GET", "/models/best", api="another"),
    in_bucket("GetObject", "seedlings/Maize/a.png"),
    in_bucket("GetObject", f"{RUN}/pack/test/algo-1-0000.zip"),
    in_bucket("GetObject", f"{RUN}/snapshot.json"),
    in_bucket("PutObject", f"{RUN}/evaluation/model.tar.gz"),
    in_bucket("PutObject", "seedlings/Maize/a.png"),
    in_bucket("ListObjectsV2", prefix="runs/"),
    of_stack("another"),
]


@pytest.mark.parametrize(
    ("policy", "call"),
    [(UPLOADERS, call) for call in BEYOND_UPLOADING] + [(ASKERS, call) for call in BEYOND_ASKING],
    ids=lambda value: " ".join(map(str, vars(value).values())) if isinstance(value, Call) else value,
)
def test_policies_deny_calls_beyond_the_commands(policy: str, call: Call) -> None:
    assert not allowed(policy, call)


def test_askers_may_fetch_every_object_that_an_answer_names(calls: dict[str, Calls]) -> None:
    world = World()
    world.bucket.name = BUCKET
    world.complete(world.start().run_id)
    answer = answered(best_model(world))
    named = {name: uri.split("/", 3)[3] for name, uri in answer.items() if name.endswith("_uri")}

    assert set(named) == {"model_uri", "report_uri", "model_card_uri", "mosaic_uri"}
    assert [name for name, key in named.items() if not allowed(ASKERS, in_bucket("GetObject", key))] == []


def test_the_outputs_name_both_policies() -> None:
    outputs = TEMPLATE.content["Outputs"]

    assert {name: outputs[name]["Value"] for name in (UPLOADERS, ASKERS)} == {
        name: {"Ref": name} for name in (UPLOADERS, ASKERS)
    }
