"""Checks of the training image: whether it was pushed, and whether SageMaker's instances can run it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.httpsession import URLLib3Session

from ..local_cloud.clients import CONFIG
from ..terminal.hints import seedbed
from .account import Deployed
from .finding import Finding, failed, ok, warning

PERMISSIONS = "ecr:DescribeImages"
URI = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z.]+/(?P<repository>[^:@]+)"
    r"(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
DOCKER, OCI = "application/vnd.docker.distribution.manifest.v2+json", "application/vnd.oci.image.manifest.v1+json"
NEVER_PUSHED = {"RepositoryNotFoundException", "ImageNotFoundException"}
NEEDED = "amd64"
TIMEOUT = 10


@dataclass(frozen=True)
class Image:
    """Where an image is in ECR."""

    uri: str
    account: str
    region: str
    repository: str
    image_id: Mapping[str, str]


def image_of(deployed: Deployed, account: str) -> Image | None:
    """The stack's training image; None if it is not in ECR."""
    region = deployed.stack.session.region_name
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    usual = f"{account}.dkr.ecr.{region}.{suffix}/seedbed-trainer:latest"
    uri = deployed.parameters.get("TrainingImage") or usual
    found = URI.fullmatch(uri)
    if not found:
        return None
    digest, tag = found["digest"], found["tag"] or "latest"
    image_id = {"imageDigest": digest} if digest else {"imageTag": tag}
    return Image(uri, found["account"], found["region"], found["repository"], image_id)


def training_image(deployed: Deployed, account: str) -> Iterator[Finding]:
    """Whether the training image is there, and of the right kind."""
    image = image_of(deployed, account)
    if image is None:
        yield warning("Image", f"{deployed.parameters['TrainingImage']} is not in ECR, so it was not looked for.")
        return
    client = deployed.stack.session.client("ecr", region_name=image.region, config=CONFIG)
    where = {"registryId": image.account, "repositoryName": image.repository}
    try:
        details = client.describe_images(**where, imageIds=[image.image_id])["imageDetails"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] not in NEVER_PUSHED:
            raise
        yield failed("Image", f"{image.uri} was never pushed.", f"Build it: {seedbed('deploy --stack', deployed.name)}")
        return
    yield judged(image.uri, details, architecture(client, where, image.image_id))


def judged(uri: str, details: Mapping[str, Any], processor: str) -> Finding:
    """The finding about an image that is there."""
    size = f", {details['imageSizeInBytes'] / 1e9:.1f} GB" if details.get("imageSizeInBytes") else ""
    sentence = f"{uri}, pushed {details['imagePushedAt']:%Y-%m-%d}{size}."
    if processor and processor != NEEDED:
        return failed("Image", f"{sentence} It is for {processor}.", "Build it for linux/amd64.")
    return ok("Image", f"{sentence} It is for {processor}." if processor else sentence)


def architecture(client: Any, where: Mapping[str, str], image_id: Mapping[str, str]) -> str:
    """The processor that the image is for; empty if that can't be read, which takes two more permissions."""
    try:
        answer = client.batch_get_image(**where, imageIds=[image_id], acceptedMediaTypes=[DOCKER, OCI])
        config = json.loads(answer["images"][0]["imageManifest"])["config"]["digest"]
        address = client.get_download_url_for_layer(**where, layerDigest=config)["downloadUrl"]
        content = URLLib3Session(timeout=TIMEOUT).send(AWSRequest("GET", address).prepare()).content
        return str(json.loads(content).get("architecture", ""))
    except (BotoCoreError, ClientError, HTTPClientError, LookupError, TypeError, ValueError):
        return ""
