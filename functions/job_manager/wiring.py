"""The only place that makes boto3 clients, each one when it is first needed."""

from functools import cache, cached_property
from typing import Any

import boto3
from botocore.config import Config

from .aws.dynamodb import DynamoDBRuns
from .aws.logs import CloudWatchLogs
from .aws.metrics import EmfMetrics
from .aws.s3 import S3Bucket
from .aws.sagemaker import SageMakerJobs
from .aws.sagemaker_requests import JobRequests
from .aws.sns import SNSAnnouncer
from .aws.sqs import SQSSettleTimer, SystemClock
from .aws.tracing import trace_calls
from .settings import Settings, settings

CLIENT = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 5})
LINKS = CLIENT.merge(Config(signature_version="s3v4"))
"""boto3 signs links by Version 2 otherwise, which regions opened since 2014 refuse."""


class AWS:
    """Implements `ports.Ports`."""

    def __init__(self, configured: Settings) -> None:
        self._settings = configured

    @cached_property
    def clock(self) -> SystemClock:
        return SystemClock()

    @cached_property
    def bucket(self) -> S3Bucket:
        return S3Bucket(client("s3", LINKS), self._settings.bucket)

    @cached_property
    def runs(self) -> DynamoDBRuns:
        return DynamoDBRuns(client("dynamodb"), self._settings.table)

    @cached_property
    def jobs(self) -> SageMakerJobs:
        requests = JobRequests(self._settings.bucket, self._settings.sagemaker_role, stack=self._settings.stack)
        return SageMakerJobs(client("sagemaker"), requests, self._settings.job_prefix)

    @cached_property
    def logs(self) -> CloudWatchLogs:
        return CloudWatchLogs(client("logs"))

    @cached_property
    def timer(self) -> SQSSettleTimer:
        return SQSSettleTimer(client("sqs"), self._settings.settle_queue)

    @cached_property
    def announcer(self) -> SNSAnnouncer:
        return SNSAnnouncer(client("sns"), self._settings.topic, self._settings.event_topic, self._settings.stack)

    @cached_property
    def metrics(self) -> EmfMetrics:
        return EmfMetrics()


@cache
def aws() -> AWS:
    """The ports of this function, kept while its process is warm."""
    if settings().traces:
        trace_calls()
    return AWS(settings())


def client(service: str, config: Config = CLIENT) -> Any:
    return boto3.client(service, config=config)  # type: ignore[call-overload]
