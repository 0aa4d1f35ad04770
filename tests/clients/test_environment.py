"""A program that knows nothing of the local cloud, started by a shell that has read the command's variables."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import children
from tests.clients.test_seedbed_sagemaker import Command

SDK = """
from sagemaker.core.helper.session_helper import Session, get_execution_role

session = Session()
print(session.default_bucket())
print(get_execution_role(session))
print(session.account_id())
"""
WAITER = """
import boto3

for name in boto3.client("sagemaker").waiter_names:
    waiter = boto3.client("sagemaker").get_waiter(name)
    print(name, waiter.config.delay, waiter.config.max_attempts)
"""
ENCRYPTED = """
import boto3

s3 = boto3.client("s3")
s3.create_bucket(Bucket="encrypted")
s3.put_object(Bucket="encrypted", Key="a", Body=b"a", ServerSideEncryption="aws:kms")
s3.upload_file(__file__, "encrypted", "b", ExtraArgs={"ServerSideEncryption": "aws:kms"})
upload = s3.create_multipart_upload(Bucket="encrypted", Key="c", ServerSideEncryption="aws:kms")
part = s3.upload_part(Bucket="encrypted", Key="c", UploadId=upload["UploadId"], PartNumber=1, Body=b"c")
parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
s3.complete_multipart_upload(Bucket="encrypted", Key="c", UploadId=upload["UploadId"], MultipartUpload=parts)
for key in "abc":
    print(s3.get_object(Bucket="encrypted", Key=key)["ServerSideEncryption"])
"""
ADDRESSES = """
import boto3

for address in ("https://sts.eu-west-1.amazonaws.com", "https://example.org", None):
    print(boto3.client("sts", endpoint_url=address).meta.endpoint_url)
"""
NAMED = """
import sys

print("theirs", "botocore" in sys.modules)
"""


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    folder = tmp_path_factory.mktemp("with a space")
    with Command(folder).running() as command:
        yield command


def run(command: Command, folder: Path, program: str, python_path: str = "") -> list[str]:
    """What a program prints, of which only the shell's `.` made a user of the local cloud."""
    (folder / "program.py").write_text(program)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"PYTHONPATH": python_path, "AWS_PROFILE": "not-there", "HOME": str(folder)}
    shell = '. "$0" && exec "$1" program.py'
    words = ["sh", "-c", shell, command.data / "environment.sh", sys.executable]
    return children.run(words, check=True, cwd=folder, env=environment).stdout.splitlines()


def test_the_sdk_finds_bucket_role_and_account(command: Command, tmp_path: Path) -> None:
    assert run(command, tmp_path, SDK) == [
        "sagemaker-us-east-1-000000000000",
        "arn:aws:iam::000000000000:role/SageMakerExecutionRole",
        "000000000000",
    ]


def test_waiters_look_each_second_and_are_as_patient(command: Command, tmp_path: Path) -> None:
    ours, plain = run(command, tmp_path, WAITER), run_plainly(tmp_path)
    assert len(ours) == len(plain) > 10
    for line, as_made in zip(ours, plain, strict=True):
        name, delay, attempts = as_made.split()
        assert line == f"{name} 1 {int(delay) * int(attempts)}"


def run_plainly(folder: Path) -> list[str]:
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
    environment = {**os.environ, **keys, "HOME": str(folder)}
    return children.run([sys.executable, "program.py"], check=True, cwd=folder, env=environment).stdout.splitlines()


def test_s3_takes_kms_without_a_key(command: Command, tmp_path: Path) -> None:
    assert run(command, tmp_path, ENCRYPTED) == ["aws:kms"] * 3


def test_only_addresses_of_aws_lead_to_the_local_cloud(command: Command, tmp_path: Path) -> None:
    local = f"http://127.0.0.1:{command.port}"
    assert run(command, tmp_path, ADDRESSES) == [local, "https://example.org", local]


def test_a_persons_own_sitecustomize_runs_too_and_nothing_is_loaded(command: Command, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "sitecustomize.py").write_text(NAMED)
    assert run(command, tmp_path, "print('program')", python_path=str(theirs)) == ["theirs False", "program"]


def test_only_its_owner_can_read_the_variables(command: Command) -> None:
    assert (command.data / "environment.sh").stat().st_mode & 0o777 == 0o600
