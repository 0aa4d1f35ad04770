"""boto3 clients for the rest of the local cloud; they call its endpoint only."""

from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from .settings import EndpointSettings

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

CONNECTIONS = 32


class Clients:
    """One client for each service, all made here: threads can share boto3 clients, but not create them."""

    def __init__(self, settings: EndpointSettings) -> None:
        session = boto3.session.Session(
            aws_access_key_id=settings.credentials.access_key,
            aws_secret_access_key=settings.credentials.secret_key,
            region_name=settings.region,
        )
        config = Config(connect_timeout=5, read_timeout=60, retries=_attempts(1), proxies={})
        for_data = Config(
            retries=_attempts(4),
            max_pool_connections=CONNECTIONS,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path"},
        )
        url = settings.endpoint_url
        self.s3: S3Client = session.client("s3", endpoint_url=url, config=config.merge(for_data))
        options: dict[str, Any] = {"endpoint_url": url, "config": config}
        self.cloudwatch: CloudWatchClient = session.client("cloudwatch", **options)
        self.logs: CloudWatchLogsClient = session.client("logs", **options)
        self.events: EventBridgeClient = session.client("events", **options)
        self.functions: LambdaClient = session.client("lambda", **options)
        self.sns: SNSClient = session.client("sns", **options)
        self.sqs: SQSClient = session.client("sqs", **options)
        self.states: Any = session.client("stepfunctions", **options)


def _attempts(number: int) -> Any:
    return {"mode": "standard", "total_max_attempts": number}
