"""Invocations: which container gets them, what is refused, and that none is lost."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from seedbed.local_cloud.sagemaker.hosting.deployment import choose
from tests.sagemaker.hosted import SERVERLESS, Hosted
from tests.sagemaker.toy_endpoint import Endpoint


@pytest.fixture(scope="module")
def hosting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    server = Hosted(tmp_path_factory.mktemp("hosting") / "endpoint")
    server.deploy("one")
    yield server
    server.end()


@pytest.fixture(scope="module")
def two(hosting: Hosted) -> str:
    """An endpoint with two variants, which are models of their own; one gets three times as many requests."""
    hosting.config(
        "two",
        {"VariantName": "often", "ModelName": hosting.model("often"), "InitialVariantWeight": 3},
        {"VariantName": "seldom", "ModelName": hosting.model("seldom")},
    )
    hosting.sagemaker.create_endpoint(EndpointName="two", EndpointConfigName="two")
    assert hosting.settled("two")["EndpointStatus"] == "InService"
    return "two"


def refused(hosting: Hosted, name: str, body: bytes = b"hello", **more: Any) -> tuple[int, dict[str, Any]]:
    """The HTTP status and the answer of an invocation that is refused."""
    with pytest.raises(ClientError) as caught:
        hosting.runtime.invoke_endpoint(EndpointName=name, Body=body, **more)
    answer: Any = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer


def test_a_variant_gets_its_share_by_weight() -> None:
    variants: Any = {
        name: SimpleNamespace(plan=SimpleNamespace(name=name, weight=weight))
        for name, weight in (("often", 3.0), ("never", 0.0), ("seldom", 1.0))
    }
    chance = Random(7)
    chosen = Counter(choose(variants, chance).plan.name for _ in range(4000))

    assert chosen["never"] == 0
    assert 2850 < chosen["often"] < 3150


def test_every_variant_answers_as_itself(hosting: Hosted, two: str) -> None:
    seen = [hosting.invoke(two) for _ in range(60)]

    assert {each["variant"] for each in seen} == {"often", "seldom"}
    assert all(each["name"] == each["variant"] for each in seen)


def test_a_request_can_name_its_variant(hosting: Hosted, two: str) -> None:
    for name in ("seldom", "often", "seldom"):
        assert hosting.invoke(two, TargetVariant=name)["name"] == name
    status, answer = refused(hosting, two, TargetVariant="nobody")
    assert (status, answer["Error"]["Code"]) == (400, "ValidationError")
    assert answer["Error"]["Message"] == "Variant nobody not found for endpoint two."


def test_an_endpoint_is_found_in_upper_and_lower_case(hosting: Hosted) -> None:
    assert hosting.invoke("ONE")["name"] == "one"


def test_an_endpoint_that_is_not_there_is_named(hosting: Hosted) -> None:
    status, answer = refused(hosting, "nowhere")

    assert (status, answer["Error"]["Code"]) == (400, "ValidationError")
    assert answer["Error"]["Message"] == "Endpoint nowhere of account 000000000000 not found."


@pytest.mark.parametrize(
    ("body", "original", "said", "party"),
    [(b"refuse", 400, "I don't like that", "client"), (b"break", 500, "it broke", "server")],
)
def test_a_containers_error_is_a_model_error(
    hosting: Hosted, body: bytes, original: int, said: str, party: str
) -> None:
    status, answer = refused(hosting, "one", body)

    assert (status, answer["Error"]["Code"]) == (424, "ModelError")
    assert answer["OriginalStatusCode"] == original
    assert answer["OriginalMessage"] == said
    assert answer["LogStreamArn"] == "arn:aws:logs:us-east-1:000000000000:log-group:/aws/sagemaker/Endpoints/one"
    assert answer["Error"]["Message"].startswith(f'Received {party} error ({original}) from primary with message "')


def test_a_header_on_two_lines_is_one(hosting: Hosted) -> None:
    answer = hosting.runtime.invoke_endpoint(EndpointName="one", Body=b"odd header")

    assert answer["ContentType"] == "text/plain; charset=x"


@pytest.mark.parametrize("body", [b"half", b"nonsense"])
def test_half_an_answer_is_a_model_error(hosting: Hosted, body: bytes) -> None:
    status, answer = refused(hosting, "one", body)

    assert (status, answer["Error"]["Code"]) == (424, "ModelError")
    assert answer["OriginalStatusCode"] == 0
    assert "gave no whole answer" in answer["OriginalMessage"]


def test_an_answer_that_is_too_large_is_a_model_error(hosting: Hosted) -> None:
    most = 6_291_456
    answer = hosting.runtime.invoke_endpoint(EndpointName="one", Body=f"bytes {most}".encode())
    assert len(answer["Body"].read()) == most

    status, refusal = refused(hosting, "one", f"bytes {most + 1}".encode())
    assert (status, refusal["Error"]["Code"]) == (424, "ModelError")
    assert "larger than 6,291,456 bytes" in refusal["OriginalMessage"]


def test_a_request_has_at_most_six_megabytes(hosting: Hosted) -> None:
    most = 6_291_456
    assert hosting.invoke("one", bytes(most))["size"] == most

    status, answer = refused(hosting, "one", bytes(most + 1))
    assert (status, answer["Error"]["Code"]) == (400, "ValidationError")
    assert f"length less than or equal to {most}" in answer["Error"]["Message"]


def test_what_is_not_here_is_refused_by_name(hosting: Hosted) -> None:
    asked: list[tuple[dict[str, Any], str]] = [
        ({"TargetModel": "a.tar.gz"}, "x-amzn-sagemaker-target-model: an endpoint has one model"),
        ({"InferenceComponentName": "part"}, "x-amzn-sagemaker-inference-component"),
        ({"SessionId": "NEW_SESSION"}, "x-amzn-sagemaker-session-id"),
    ]
    for more, said in asked:
        status, answer = refused(hosting, "one", **more)
        assert (status, answer["Error"]["Code"]) == (400, "ValidationError")
        assert said in answer["Error"]["Message"]


def test_an_unsigned_or_badly_signed_invocation_is_refused(hosting: Hosted) -> None:
    stranger = hosting.client("sagemaker-runtime", retries={"total_max_attempts": 1})
    stranger._request_signer._credentials.secret_key = "another"

    with pytest.raises(ClientError, match="Signature") as caught:
        stranger.invoke_endpoint(EndpointName="one", Body=b"")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_an_object_may_have_the_path_of_an_invocation(hosting: Hosted) -> None:
    hosting.s3.create_bucket(Bucket="endpoints")
    hosting.s3.put_object(Bucket="endpoints", Key="one/invocations", Body=b"an object")
    upload = hosting.s3.create_multipart_upload(Bucket="endpoints", Key="one/invocations")

    assert upload["UploadId"]
    assert hosting.s3.get_object(Bucket="endpoints", Key="one/invocations")["Body"].read() == b"an object"


def test_a_serverless_variant_takes_as_many_at_once_as_it_says(hosting: Hosted) -> None:
    described = hosting.deploy("serverless", {"hold": str(hosting.hold)}, **SERVERLESS)
    (variant,) = described["ProductionVariants"]
    assert variant["CurrentServerlessConfig"] == variant["DesiredServerlessConfig"] == SERVERLESS["ServerlessConfig"]
    assert "CurrentInstanceCount" not in variant

    hosting.hold.touch()
    with ThreadPoolExecutor(3) as threads:
        asked = [threads.submit(hosting.invoke, "serverless") for _ in range(3)]
        (first,) = hosting.eventually(lambda: [each for each in asked if each.done()])
        error = first.exception()
        assert isinstance(error, ClientError)
        assert error.response["Error"]["Code"] == "ThrottlingException"
        hosting.let_go()
        assert {each.result()["name"] for each in asked if each is not first} == {"serverless"}


def test_a_request_to_a_serverless_variant_has_at_most_four_megabytes(hosting: Hosted) -> None:
    hosting.deploy("small", **SERVERLESS)
    most = 4 * 2**20
    assert hosting.invoke("small", bytes(most))["size"] == most

    status, answer = refused(hosting, "small", bytes(most + 1))
    assert (status, answer["Error"]["Code"]) == (400, "ValidationError")


def test_a_thousand_invocations_lose_none(hosting: Hosted) -> None:
    hosting.deploy("busy", InitialInstanceCount=2)
    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(lambda number: hosting.invoke("busy", b"%d" % number), range(1000)))

    assert [each["said"] for each in seen] == [str(number) for number in range(1000)]
    shares = Counter(each["pid"] for each in seen)
    assert len(shares) == 2
    assert min(shares.values()) > 200


def test_what_a_container_says_is_in_its_endpoints_log_group(hosting: Hosted) -> None:
    logs = hosting.client("logs")
    group = "/aws/sagemaker/Endpoints/one"

    def lines() -> list[str]:
        found = logs.filter_log_events(logGroupName=group)["events"]
        return [event["message"] for event in found if event["logStreamName"].startswith("AllTraffic/i-")]

    hosting.eventually(lambda: any("serves" in line for line in lines()) if exists(hosting, group) else False)


def exists(hosting: Endpoint, group: str) -> bool:
    return bool(hosting.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"])
