"""boto3 clients for the local cloud, whatever the person's own AWS settings say."""

from typing import Any

import boto3
from botocore.config import Config

from .environment import REGION

CONFIG = Config(
    connect_timeout=5, read_timeout=60, retries={"mode": "standard", "max_attempts": 5}, max_pool_connections=32
)


def local_session() -> boto3.session.Session:
    """A session with the local cloud's credentials."""
    return boto3.session.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)  # noqa: S106


def local_client(service: str, endpoint: str) -> Any:
    """A client of `service` at the local cloud's endpoint."""
    return local_session().client(service, endpoint_url=endpoint, config=CONFIG)  # type: ignore[call-overload]
