"""Models, endpoint configurations and endpoints: what they answer, and what their containers are given."""

from collections.abc import Iterator

import pytest

from tests.sagemaker.hosted import Hosted


@pytest.fixture(scope="module")
def hosting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    server = Hosted(tmp_path_factory.mktemp("hosting") / "endpoint")
    yield server
    server.end()


def test_a_model_answers_at_its_endpoint(hosting: Hosted) -> None:
    described = hosting.deploy("plain")

    assert described["EndpointStatus"] == "InService", described.get("FailureReason")
    seen = hosting.invoke("plain", b"three words here", ContentType="text/plain", Accept="application/json")
    assert seen["name"] == "plain"
    assert seen["said"] == "three words here"
    assert seen["variant"] == "AllTraffic"
    assert seen["arguments"] == ["serve"]
    assert seen["headers"]["content-type"] == "text/plain"
    assert seen["headers"]["accept"] == "application/json"
    assert "authorization" not in seen["headers"]
