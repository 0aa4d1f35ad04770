"""Makes boto3's clients, and puts the parts together, once while the function's process is warm."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from job_manager.aws.dynamodb import DynamoDBRuns
from job_manager.settings import settings

from .current import CurrentModel
from .request import Images
from .service import PredictionService

CLIENT = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "max_attempts": 3})


@cache
def service() -> PredictionService:
    """What answers requests."""
    configured = settings()
    s3 = client("s3")
    current = CurrentModel(DynamoDBRuns(client("dynamodb"), configured.table), s3, configured.bucket)
    return PredictionService(current, Images(s3, configured.bucket))


def client(name: str) -> Any:
    return boto3.client(name, config=CLIENT)  # type: ignore[call-overload]
