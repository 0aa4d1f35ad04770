"""S3 event batch → one note and one wake-up."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from job_manager.aws.events import uploaded_key
from job_manager.domain.dataset import SEARCH_SPACE_FILE
from tests.handlers.deployed import Deployed, Event, failed, spoil

Events = Callable[[str], Event]


def test_uploaded_keys_are_read_unchanged(event: Events) -> None:
    assert [uploaded_key(record["body"]) for record in event("upload_batch")["Records"]] == [
        "seedlings/Common wheat/plot 7 a+b 100%.jpg",
        "seedlings/Maïs/#3 früh.png",
        "seedlings/Fat Hen/50%2B.png",
        "seedlings/玉米/苗.png",
        "seedlings/Charlock/blurred #1 & 2?.png",
    ]


def test_note_upload_makes_one_pending_change_of_a_batch(deployed: Deployed, event: Events) -> None:
    assert failed(deployed.invoke("NoteUpload", event("upload_batch"))) == []

    pending = deployed.runs.pending()
    assert pending is not None
    assert pending.first_at == pending.last_at
    assert deployed.wake_ups() == 1


def test_note_upload_keeps_a_later_change_of_a_faster_function(deployed: Deployed, event: Events) -> None:
    later = datetime.now(UTC) + timedelta(seconds=50)
    deployed.runs.note_change(later)

    deployed.invoke("NoteUpload", event("upload_batch"))

    pending = deployed.runs.pending()
    assert pending is not None
    assert pending.last_at == later


@pytest.mark.parametrize(
    "body", ["", "{not JSON", "[]", '{"detail": {"object": {}}}', '{"detail": {"object": {"key": ""}}}']
)
def test_note_upload_returns_a_malformed_message_alone(deployed: Deployed, event: Events, body: str) -> None:
    batch = event("upload_batch")
    malformed = spoil(batch, 2, body)

    assert failed(deployed.invoke("NoteUpload", batch)) == [malformed]
    assert deployed.runs.pending() is not None


def test_note_upload_of_only_malformed_messages_notes_no_change(deployed: Deployed, event: Events) -> None:
    batch = event("upload_batch")
    malformed = [spoil(batch, index) for index in range(len(batch["Records"]))]

    assert failed(deployed.invoke("NoteUpload", batch)) == malformed
    assert deployed.runs.pending() is None


def test_note_upload_of_the_ranges_alone_notes_no_change(deployed: Deployed, event: Events) -> None:
    batch = event("upload_batch")
    ranges = json.loads(batch["Records"][0]["body"])
    ranges["detail"]["object"]["key"] = SEARCH_SPACE_FILE
    spoil(batch, 0, json.dumps(ranges))

    assert failed(deployed.invoke("NoteUpload", {"Records": batch["Records"][:1]})) == []
    assert deployed.runs.pending() is None

    assert failed(deployed.invoke("NoteUpload", batch)) == []
    assert deployed.runs.pending() is not None
