"""Endpoint settings for tests that run no job."""

from pathlib import Path

from seedbed.local_cloud.access.credentials import Credentials
from seedbed.local_cloud.sagemaker.settings import EndpointSettings


def endpoint_settings(folder: Path) -> EndpointSettings:
    return EndpointSettings(
        data_dir=folder,
        images={},
        endpoint_url="http://127.0.0.1:1",
        region="us-east-1",
        account="000000000000",
        credentials=Credentials("key", "secret"),
        stop_grace=1.0,
    )
