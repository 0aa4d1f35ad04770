"""An emulated AWS with the template's table, and each port twice: on it, and in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto import mock_aws

from job_manager.aws.dynamodb import DynamoDBRuns
from job_manager.aws.s3 import S3Bucket
from job_manager.ports import Bucket, Runs
from tests.contract.template import Template, table_request
from tests.fakes.bucket import MemoryBucket
from tests.fakes.runs import MemoryRuns

BUCKET = "seedbed-123456789012-us-east-1"


@pytest.fixture
def aws() -> Iterator[None]:
    """Calls of boto3 are answered by moto."""
    with mock_aws():
        yield


@pytest.fixture
def table(aws: None) -> str:
    """The template's table."""
    name: str = boto3.client("dynamodb").create_table(**table_request(Template()))["TableDescription"]["TableName"]
    return name


@pytest.fixture(params=["DynamoDB", "memory"])
def runs(request: pytest.FixtureRequest) -> Runs:
    """An empty table of runs."""
    if request.param == "memory":
        return MemoryRuns()
    return DynamoDBRuns(boto3.client("dynamodb"), request.getfixturevalue("table"))


@dataclass
class KnownBucket:
    """A bucket, and the side that people and jobs put objects in from."""

    bucket: Bucket
    put: Any


@pytest.fixture(params=["S3", "memory"])
def known(request: pytest.FixtureRequest) -> KnownBucket:
    """An empty bucket."""
    if request.param == "memory":
        memory = MemoryBucket()
        return KnownBucket(memory, memory.put)
    request.getfixturevalue("aws")
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return KnownBucket(S3Bucket(client, BUCKET), lambda key, body: client.put_object(Bucket=BUCKET, Key=key, Body=body))
