"""Makes boto3's clients, and puts the parts together, once while the function's process is warm."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from job_manager.aws.dynamodb import DynamoDBRuns
from job_manager.settings import settings
from trainer.decoding.limits import DecodingLimits
from trainer.decoding.pool import DecoderPool

from .current import CurrentModel
from .request import Images
from .service import PredictionService

CLIENT = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "max_attempts": 3})


LIMITS = DecodingLimits(pixels=60_000_000, timeout=15.0)
"""An image of so many pixels takes at most 1.2 GB to decode, and the function has 1,769 MB, a third of a GB its own."""


@cache
def decoders() -> DecoderPool:
    """The process that decodes images: one, as the function answers one request at a time."""
    return DecoderPool(LIMITS, count=1)


@cache
def service() -> PredictionService:
    """What answers requests."""
    configured = settings()
    s3 = client("s3")
    current = CurrentModel(DynamoDBRuns(client("dynamodb"), configured.table), s3, configured.bucket)
    return PredictionService(current, Images(s3, configured.bucket), decoders())


def client(name: str) -> Any:
    return boto3.client(name, config=CLIENT)  # type: ignore[call-overload]
