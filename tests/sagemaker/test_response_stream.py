"""Answers that are streamed: their parts come while the container still writes, in AWS's own framing."""

import contextlib
import json
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from botocore.exceptions import ClientError, EventStreamError

from seedbed.local_cloud.sagemaker.hosting import event_stream
from tests.sagemaker.hosted import Hosted


@pytest.fixture(scope="module")
def hosting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    server = Hosted(tmp_path_factory.mktemp("streams") / "endpoint")
    server.deploy("spoken", {"pause": str(server.hold)})
    yield server
    server.end()


def stream(hosting: Hosted, body: bytes, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = hosting.runtime.invoke_endpoint_with_response_stream(
        EndpointName="spoken", Body=body, **more
    )
    return answer


def parts(answer: dict[str, Any]) -> Generator[bytes, None, None]:
    """The parts of a stream, which ends with the generator."""
    with contextlib.closing(answer["Body"]) as events:
        for event in events:
            yield event["PayloadPart"]["Bytes"]


def test_the_first_part_comes_while_the_container_still_writes(hosting: Hosted) -> None:
    hosting.hold.touch()
    answer = stream(hosting, b"stream first wait last", ContentType="text/plain", Accept="text/csv")
    coming = parts(answer)
    assert next(coming) == b"first"
    hosting.let_go()

    assert b"".join(coming) == b"waitlast"
    told = {name: answer[name] for name in ("ContentType", "InvokedProductionVariant", "CustomAttributes")}
    assert told == {"ContentType": "text/plain", "InvokedProductionVariant": "AllTraffic", "CustomAttributes": "seen"}


def test_an_answer_that_comes_whole_is_streamed_too(hosting: Hosted) -> None:
    seen = json.loads(b"".join(parts(stream(hosting, b"hello", ContentType="text/plain", Accept="text/csv"))))

    assert seen["said"] == "hello"
    assert (seen["headers"]["content-type"], seen["headers"]["accept"]) == ("text/plain", "text/csv")
    most = 20_000_000
    assert len(b"".join(parts(stream(hosting, b"bytes %d" % most)))) == most


def test_a_stream_that_breaks_ends_with_a_model_stream_error(hosting: Hosted) -> None:
    coming = parts(stream(hosting, b"stream first break"))
    assert next(coming) == b"first"
    with pytest.raises(EventStreamError, match=r"ModelStreamError.*gave no whole answer"):
        next(coming)


def test_an_error_of_the_container_is_a_model_error(hosting: Hosted) -> None:
    with pytest.raises(ClientError) as caught:
        stream(hosting, b"refuse")
    answer: Any = caught.value.response
    assert (answer["Error"]["Code"], answer["OriginalStatusCode"]) == ("ModelError", 400)
    assert answer["OriginalMessage"] == "I don't like that"


def test_a_client_that_goes_away_gives_its_place_back(hosting: Hosted) -> None:
    hosting.deploy(
        "narrow", {"pause": str(hosting.hold)}, ServerlessConfig={"MemorySizeInMB": 1024, "MaxConcurrency": 1}
    )
    hosting.hold.touch()
    answer = hosting.runtime.invoke_endpoint_with_response_stream(EndpointName="narrow", Body=b"stream first wait last")
    coming = parts(answer)
    assert next(coming) == b"first"
    with pytest.raises(ClientError, match="ThrottlingException"):
        hosting.invoke("narrow")
    coming.close()

    assert hosting.invoke_patiently("narrow")["name"] == "narrow"
    hosting.let_go()


def test_a_message_is_what_botocore_reads() -> None:
    buffer: Any = EventStreamBuffer()
    buffer.add_data(event_stream.event("PayloadPart", b"\0part") + event_stream.exception("Odd", {"Message": "ü"}))
    event, error = buffer

    assert event.payload == b"\0part"
    assert event.headers == {
        ":message-type": "event",
        ":event-type": "PayloadPart",
        ":content-type": "application/octet-stream",
    }
    assert error.headers[":exception-type"] == "Odd"
    assert json.loads(error.payload) == {"Message": "ü"}
