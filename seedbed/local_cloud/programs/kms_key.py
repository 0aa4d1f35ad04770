"""S3 takes `aws:kms` without a key, as on AWS, where the account's own key for S3 is then used."""

from collections.abc import Mapping
from typing import Any

from ministack.services import s3

from ..access.credentials import ACCOUNT
from ..environment import REGION

ALGORITHM = "x-amz-server-side-encryption"
KEY = "x-amz-server-side-encryption-aws-kms-key-id"
OWN_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/s3"


def take_kms_without_a_key() -> None:
    """From now on name the account's own key where a write names none, which the emulator refuses."""
    resolve = s3._resolve_sse_write_headers

    def resolve_with_key(headers: Mapping[str, str], bucket: str) -> Any:
        if headers.get(ALGORITHM) == "aws:kms" and not headers.get(KEY):
            headers = {**headers, KEY: OWN_KEY}
        return resolve(headers, bucket)

    s3._resolve_sse_write_headers = resolve_with_key
