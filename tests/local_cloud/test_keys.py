"""The real local cloud accepts the home's key from any client, and no other key."""

import hashlib
import http.client
import json
import shutil
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.children import run
from tests.local_cloud.conftest import LittleCloud
from tests.waiting import PATIENCE

KEY = "seedlings/Küchen schelle/a+b 100% #1.jpg"


def other_client(cloud: LittleCloud, service: Any, *keys: str) -> Any:
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    given: dict[str, Any] = dict(zip(names, keys, strict=False))
    return boto3.client(service, endpoint_url=cloud.stack.endpoint, region_name="us-east-1", **given)


def functions(cloud: LittleCloud) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.stack.client("lambda").list_functions()["Functions"]
    return found


@pytest.mark.parametrize("key", ["test", "000000000000", "111111111111", "AKIAIOSFODNN7EXAMPLE"])
def test_the_emulators_public_keys_open_nothing(cloud: LittleCloud, key: str) -> None:
    for service, operation in (("s3", "list_buckets"), ("sqs", "list_queues"), ("sagemaker", "list_training_jobs")):
        with pytest.raises(ClientError, match="own access key"):
            getattr(other_client(cloud, service, key, "test"), operation)()


def test_a_functions_key_can_not_be_derived_from_its_name(cloud: LittleCloud) -> None:
    for function in functions(cloud):
        digest = hashlib.sha256(f"{function['FunctionArn']}:{function['Role']}".encode()).hexdigest()
        guess = [f"ASIA{digest[:16].upper()}"]
        guess += [hashlib.sha256(f"{word}:{digest}".encode()).hexdigest() for word in ("secret", "token")]
        with pytest.raises(ClientError, match="InvalidClientTokenId"):
            other_client(cloud, "sts", *guess).get_caller_identity()


def test_a_function_can_do_what_its_role_may_and_no_more(cloud: LittleCloud) -> None:
    answered = cloud.stack.client("lambda").invoke(FunctionName=cloud.stack.outputs["ReconcileFunction"])
    assert "FunctionError" not in answered


def test_a_session_issued_by_the_home_is_accepted(cloud: LittleCloud) -> None:
    session = cloud.stack.client("sts").get_session_token()["Credentials"]
    made = other_client(
        cloud, "sts", session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]
    ).get_caller_identity()
    assert made["Account"] == "000000000000"


@pytest.mark.parametrize("version", [None, "s3v4"], ids=["boto3's default", "version 4"])
def test_presigned_urls_are_accepted(cloud: LittleCloud, version: str | None) -> None:
    s3 = cloud.stack.session.client("s3", endpoint_url=cloud.stack.endpoint, config=Config(signature_version=version))
    where = {"Bucket": cloud.stack.bucket, "Key": f"runs/{KEY}"}
    put, plain = s3.generate_presigned_url("put_object", Params=where), {"Content-Type": ""}
    urllib.request.urlopen(urllib.request.Request(put, b"photograph", plain, method="PUT"), timeout=PATIENCE).close()
    with urllib.request.urlopen(s3.generate_presigned_url("get_object", Params=where), timeout=PATIENCE) as answer:
        assert answer.read() == b"photograph"


def test_a_large_upload_in_parts_arrives_whole(cloud: LittleCloud, tmp_path: Any) -> None:
    whole = bytes(range(256)) * 70_000
    (tmp_path / "large").write_bytes(whole)
    s3 = cloud.stack.client("s3")
    s3.upload_file(str(tmp_path / "large"), cloud.stack.bucket, "runs/large")
    assert s3.get_object(Bucket=cloud.stack.bucket, Key="runs/large")["Body"].read() == whole


@pytest.mark.skipif(shutil.which("curl") is None, reason="There is no curl on this machine.")
def test_curl_asks_the_api_by_the_homes_configuration(cloud: LittleCloud) -> None:
    url = f"{cloud.stack.api_url}/runs"
    asked = run(["curl", "--silent", "-K", cloud.home.curl, url], check=True)
    assert json.loads(asked.stdout)["runs"] == []
    plain = run(["curl", "--silent", url], check=True)
    assert "not signed" in plain.stdout


def test_a_websocket_is_not_opened(cloud: LittleCloud) -> None:
    connection = http.client.HTTPConnection(urlsplit(cloud.stack.endpoint or "").netloc, timeout=PATIENCE)
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    path = f"/_aws/execute-api/{cloud.stack.outputs['ApiId']}/$default"
    connection.request("GET", path, headers={**upgrade, "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
    assert connection.getresponse().status == 403
    connection.close()


@pytest.mark.parametrize("path", ["/_ministack/reset", "/_ministack/config"])
def test_the_emulator_can_not_be_reset(cloud: LittleCloud, path: str) -> None:
    request = urllib.request.Request(f"{cloud.stack.endpoint}{path}", b"{}", method="POST")
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request, timeout=PATIENCE)
    refusal.value.close()
    assert refusal.value.code == 403
    assert cloud.stack.client("s3").head_bucket(Bucket=cloud.stack.bucket)
