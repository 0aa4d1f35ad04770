"""CreateModel and DeleteModel."""

from .. import tags
from ..containers.images import folder_of
from ..errors import Invalid
from ..jobs import JobServices
from ..kinds import MODEL, Body
from ..registry.packages import container_of_package
from .plans import ModelData, container_of


class Models:
    """The operations on models."""

    def __init__(self, services: JobServices) -> None:
        self._services = services

    def create(self, request: Body, region: str) -> Body:
        run = check(request, self._services)
        container_of(request).setdefault("Mode", "SingleModel")
        container_of(request).setdefault("Environment", {})
        request.setdefault("EnableNetworkIsolation", False)
        body = self._services.ledger.create(MODEL, request, tags.take(request), region=region, container=run)
        return {"ModelArn": body["ModelArn"]}

    def delete(self, request: Body) -> Body:
        """Deletes a model. Endpoints that have it keep it."""
        name = request["ModelName"]
        self._services.ledger.find(MODEL, name)
        self._services.ledger.store.delete(MODEL, name)
        return {}


def check(request: Body, services: JobServices) -> Body:
    """Checks the rules for a model that the service model doesn't contain. Raises Invalid.

    Returns the container to run, which may be that of a model package.
    """
    containers = request.get("Containers", [])
    if len(containers) > 1:
        raise Invalid("This endpoint runs a model in one container: give one of the Containers.")
    if ("PrimaryContainer" in request) == bool(containers):
        raise Invalid("A model needs either a PrimaryContainer or one of Containers.")
    container = resolved(container_of(request), services)
    if "Image" not in container:
        raise Invalid("The model's container needs an Image: this endpoint has none of its own.")
    if "ModelDataUrl" in container and "ModelDataSource" in container:
        raise Invalid("Give a ModelDataUrl or a ModelDataSource, not both.")
    folder_of(container["Image"], services.settings.images)
    check_data(ModelData.of(container), services)
    return container


def resolved(container: Body, services: JobServices) -> Body:
    """A model's container, with what its model package gives. Raises Invalid."""
    if "ModelPackageName" not in container:
        return container
    clashing = [name for name in ("Image", "ModelDataUrl", "ModelDataSource") if name in container]
    if clashing:
        raise Invalid(f"A container with a ModelPackageName can't have {clashing[0]}: the package has its own.")
    package = container_of_package(services.ledger, container["ModelPackageName"])
    environment = {**package.get("Environment", {}), **container.get("Environment", {})}
    return {**package, "Environment": environment}


def check_data(data: ModelData, services: JobServices) -> None:
    """Raises Invalid for a model that is not in S3, or that is of a form which isn't read."""
    if not data.uri:
        return
    if not data.uri.startswith("s3://"):
        raise Invalid(f"The model's data must be at s3://bucket/key, not at {data.uri}.")
    if data.data_type == "S3Prefix" and data.compression == "Gzip":
        raise Invalid("A model below an S3Prefix has the CompressionType None; an archive is an S3Object.")
    said = services.transfer.finder.missing(data.uri)
    if said is not None:
        raise Invalid(f"Could not find model data at {data.uri}.{said and ' '}{said}")
