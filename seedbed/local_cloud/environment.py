"""The environment of the local cloud's process, set before it starts, since MiniStack reads it when imported."""

import os
from collections.abc import Mapping
from pathlib import Path

from .access.credentials import ACCOUNT, Credentials
from .passed_environment import passed_to_cloud

REGION = "us-east-1"
HOST = "127.0.0.1"


def cloud_environment(
    port: int, data: Path, credentials: Credentials, base: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """What passes from the user's environment `base` to the local cloud and its functions, and the cloud's settings.

    AUTH makes MiniStack enforce the functions' roles: a permission missing in the template fails here as on AWS.
    """
    return {
        **passed_to_cloud(base),
        **credentials.environment(),
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint_url(port),
        "AWS_EC2_METADATA_DISABLED": "true",
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "localhost",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(data / "s3"),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "AUTH": "true",
        "TMPDIR": str(data / "scratch"),
        "PYTHONUNBUFFERED": "1",
    }


def endpoint_url(port: int) -> str:
    """The address of all services."""
    return f"http://{HOST}:{port}"
