"""Whatever comes in from outside is taken or refused with a sentence: no crash, no hang, nothing of it is believed."""

import io
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

import api
import note_upload
from job_manager.aws.events import changed_run, job_state, settle_message, uploaded_key
from job_manager.domain import layout
from job_manager.domain.dataset import StoredObject, take_snapshot
from job_manager.domain.errors import MalformedEvent, MalformedOutput
from job_manager.domain.names import MAX_NAME_BYTES
from job_manager.domain.notifications.ended import of_ended
from job_manager.domain.run import RunState
from tests.chaos.cloud import Cloud
from tests.contract.template import ROOT
from tests.fakes.world import a_run
from tests.spoiled import NASTY, spoiled_bytes, spoiled_text
from trainer.decoding.images import FORMATS, decode_image
from trainer.errors import ImageRefused

COUNT = 2500
IMAGES = 2500


def event(name: str) -> Any:
    return json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))


PARSERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "upload": (uploaded_key, json.dumps(event("s3_object_created"))),
    "wake-up": (settle_message, event("settled")["Records"][0]["body"]),
    "job state": (job_state, json.dumps(event("tuning_job_state_change"))),
    "run in the stream": (
        lambda body: changed_run({"body": body}),
        event("run_ended")["Records"][0]["dynamodb"]["NewImage"]["body"]["S"],
    ),
}


@pytest.mark.parametrize("kind", PARSERS)
def test_a_mutated_event_is_read_or_malformed(kind: str) -> None:
    parse, whole = PARSERS[kind]
    chance = random.Random(kind)
    parse(whole)
    reasons = []

    for _ in range(COUNT):
        try:
            parse(spoiled_text(chance, whole))
        except MalformedEvent as error:
            reasons.append(str(error))
    assert 20 < len(reasons) < COUNT - 20
    assert all(reason.startswith(("Not a ", "A SageMaker event does not name a job.")) for reason in reasons)


def test_endless_nesting_is_malformed() -> None:
    for deep in ("[" * 1_000_000, '{"detail":' * 1_000_000):
        with pytest.raises(MalformedEvent):
            uploaded_key(deep)


@pytest.mark.parametrize("content", [b"[" * 1_000_000, b'{"images": "' + b"\xff" * 9, b'{"images": 1e999}', b""])
def test_unreadable_job_output_is_malformed(content: bytes) -> None:
    cloud = Cloud()
    cloud.storage.put(layout.dataset_report("sb-1"), content)

    with pytest.raises(MalformedOutput):
        cloud.ports.bucket.read_dataset_report("sb-1")


def test_a_batch_returns_only_its_unreadable_uploads() -> None:
    chance = random.Random(3)
    whole = json.dumps(event("s3_object_created"))

    for _ in range(COUNT // 25):
        cloud = Cloud()
        bodies = [spoiled_text(chance, whole) if chance.random() < 0.5 else whole for _ in range(25)]
        records = [{"messageId": str(number), "body": body} for number, body in enumerate(bodies)]
        answer = cloud.invoke(note_upload, {"Records": records})
        back = {int(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]}
        assert back == {number for number, body in enumerate(bodies) if not readable(body)}


def readable(body: str) -> bool:
    try:
        uploaded_key(body)
    except MalformedEvent:
        return False
    return True


def test_a_key_has_a_safe_name_or_is_refused_on_one_line() -> None:
    chance = random.Random(4)
    keys = {
        "/".join(chance.choice(("seedlings", "Maize", "a.png", *NASTY)) for _ in range(chance.randint(1, 5)))
        for _ in range(4 * COUNT)
    }

    snapshot = take_snapshot(StoredObject(key, "e", 1) for key in keys)

    for image in snapshot.images:
        uploads, label, file = image.key.split("/")
        assert uploads == "seedlings"
        for part in (label, file):
            assert part not in {"", ".", ".."}
            assert not set(part) & set("\\\n\0\x1b")
            assert len(part.encode()) <= MAX_NAME_BYTES
    assert len(snapshot.images) + len(snapshot.refused) == len({k for k in keys if not k.startswith("runs/")})
    for named in snapshot.refused:
        message = of_ended(a_run(state=RunState.REFUSED, reason=named.file), "seedbed")
        assert message.subject.isprintable()
        assert len(message.subject) <= 99


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD", "\0"])
def test_any_api_request_is_answered_with_data_or_a_sentence(method: str) -> None:
    chance = random.Random(method)
    cloud = Cloud()
    whole = event("api_run")
    run_id = "sb-3f9c1b7a5d2e8046-1"
    places = ("runs", "models", "best", "stop", "retry", run_id, *NASTY)

    for _ in range(COUNT // 5):
        parts = [chance.choice(places) for _ in range(chance.randint(0, 4))]
        path = "/".join(["", *(parts if chance.random() < 0.5 else ["runs", chance.choice(NASTY), *parts[:1]])])
        context = {
            **whole["requestContext"],
            "http": {**whole["requestContext"]["http"], "method": method, "path": path},
        }
        request = {
            **whole,
            "rawPath": path,
            "requestContext": context,
            "rawQueryString": chance.choice(NASTY),
            "headers": {**whole["headers"], "x": chance.choice(NASTY), chance.choice(NASTY): "1"},
            "body": chance.choice((None, *NASTY)),
        }
        answer = cloud.invoke(api, request)
        assert answer is not None, path
        assert answer["statusCode"] in {200, 400, 404, 405, 409, 413, 415}, path
        assert json.loads(answer["body"] or "{}").get("message", "") is not None
    assert all(not key.startswith("runs/") for key in cloud.storage.contents)


def pictures() -> dict[str, bytes]:
    found = {}
    base = Image.effect_noise((24, 24), 80).convert("RGB")
    for kind in FORMATS:
        packed = io.BytesIO()
        base.save(packed, kind)
        found[kind] = packed.getvalue()
    return found


@pytest.mark.parametrize("kind", pictures())
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_mutated_file_is_read_or_refused_with_a_reason(kind: str) -> None:
    chance = random.Random(kind)
    whole = pictures()[kind]
    read, reasons = [], []

    for _ in range(IMAGES):
        try:
            read.append(decode_image(io.BytesIO(spoiled_bytes(chance, whole))))
        except ImageRefused as error:
            reasons.append(str(error))
    assert {image.mode for image in read} == {"RGB"}
    assert all(reasons)
    assert len(reasons) > 20
