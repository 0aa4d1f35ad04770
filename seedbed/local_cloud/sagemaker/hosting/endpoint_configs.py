"""CreateEndpointConfig and DeleteEndpointConfig."""

from .. import tags
from ..errors import Invalid
from ..jobs import JobServices
from ..kinds import ENDPOINT_CONFIG, MODEL, Body
from ..records.ledger import Ledger


class EndpointConfigs:
    """The operations on endpoint configurations."""

    def __init__(self, services: JobServices) -> None:
        self._ledger = services.ledger

    def create(self, request: Body, region: str) -> Body:
        for variant in request["ProductionVariants"]:
            variant.setdefault("InitialVariantWeight", 1.0)
        request.setdefault("EnableNetworkIsolation", False)
        check(request, self._ledger)
        body = self._ledger.create(ENDPOINT_CONFIG, request, tags.take(request), region=region)
        return {"EndpointConfigArn": body["EndpointConfigArn"]}

    def delete(self, request: Body) -> Body:
        """Deletes a configuration. As on AWS, endpoints that have it keep it."""
        name = request["EndpointConfigName"]
        self._ledger.find(ENDPOINT_CONFIG, name)
        self._ledger.store.delete(ENDPOINT_CONFIG, name)
        return {}


def check(request: Body, ledger: Ledger) -> None:
    """Checks the rules for a configuration that the service model doesn't contain. Raises Invalid."""
    variants = request["ProductionVariants"]
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) < len(names):
        raise Invalid("Each of ProductionVariants needs a VariantName of its own.")
    for variant in variants:
        _check_variant(variant, len(variants))
        ledger.find(MODEL, variant["ModelName"])
    _check_async(request)
    check_weights({variant["VariantName"]: variant["InitialVariantWeight"] for variant in variants})


def _check_async(request: Body) -> None:
    """Raises Invalid for an AsyncInferenceConfig that can't be followed."""
    if "AsyncInferenceConfig" not in request:
        return
    if any("ServerlessConfig" in variant for variant in request["ProductionVariants"]):
        raise Invalid("A serverless variant can't have an AsyncInferenceConfig: give an InstanceType.")
    for place in ("S3OutputPath", "S3FailurePath"):
        uri = request["AsyncInferenceConfig"]["OutputConfig"].get(place, "s3://bucket")
        if not uri.startswith("s3://") or not uri.removeprefix("s3://").partition("/")[0] or not uri.isascii():
            raise Invalid(f"The {place} must be s3://bucket/prefix in ASCII, not {uri}.")


def check_weights(weights: dict[str, float]) -> None:
    """Raises Invalid where no variant would get a request."""
    if not sum(weights.values()) > 0:
        raise Invalid(f"At least one of the variants {', '.join(weights)} needs a weight above 0.")


def _check_variant(variant: Body, variants: int) -> None:
    name = variant["VariantName"]
    if "ModelName" not in variant:
        raise Invalid(f"The variant '{name}' needs a ModelName: there are no inference components here.")
    if "ServerlessConfig" in variant:
        if "InitialInstanceCount" in variant or "InstanceType" in variant:
            raise Invalid(f"The variant '{name}' is serverless: it takes no InstanceType and no InitialInstanceCount.")
        if variants > 1:
            raise Invalid("A serverless endpoint has one variant.")
    elif "InitialInstanceCount" not in variant or "InstanceType" not in variant:
        raise Invalid(f"The variant '{name}' needs an InstanceType and an InitialInstanceCount, or a ServerlessConfig.")
