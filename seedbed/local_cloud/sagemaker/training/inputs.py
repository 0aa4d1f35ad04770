"""A Create request's inputs in S3: those that aren't there are refused, in AWS's words."""

from ..errors import Invalid, JobFailure
from ..kinds import Body
from ..s3.paths import split_uri
from ..s3.transfer import DataTransfer


def check(request: Body, transfer: DataTransfer, region: str) -> None:
    """Raises Invalid if a channel's S3Uri is not in S3 or has no objects. What S3 can't tell now is no fault."""
    for channel in request.get("InputDataConfig", []):
        uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
        try:
            bucket, _ = split_uri(uri)
        except JobFailure as failure:
            raise Invalid(str(failure).removeprefix("ClientError: ")) from failure
        missing = transfer.finder.missing(uri)
        if missing is not None:
            raise Invalid(
                f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket'
                f" exists in the selected region ({region}), that objects exist under that S3 prefix, and that the role"
                f' "{request["RoleArn"]}" has "s3:ListBucket" permissions on bucket "{bucket}".'
                f"{missing and f' Error message from S3: {missing}'}"
            )
