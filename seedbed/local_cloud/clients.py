"""boto3 clients for the local cloud, independent of the user's AWS settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from .access.credentials import Credentials
from .environment import REGION

CONFIG = Config(
    connect_timeout=5, read_timeout=60, retries={"mode": "standard", "max_attempts": 5}, max_pool_connections=32
)


@dataclass(frozen=True)
class LocalAws:
    """A local cloud's endpoint, with the credentials that it accepts."""

    endpoint: str
    credentials: Credentials

    @classmethod
    def of(cls, cloud: Mapping[str, Any]) -> "LocalAws":
        """From the description of a running cloud, as `local_cloud` and `Home.running` return it."""
        return cls(cloud["endpoint"], Credentials(**cloud["credentials"]))

    def client(self, service: str) -> Any:
        """A client of a service, by boto3's name for it."""
        session = local_session(self.credentials)
        return session.client(service, endpoint_url=self.endpoint, config=CONFIG)  # type: ignore[call-overload]


def local_session(credentials: Credentials) -> boto3.session.Session:
    """A session with a local cloud's credentials."""
    return boto3.session.Session(
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        region_name=REGION,
    )
