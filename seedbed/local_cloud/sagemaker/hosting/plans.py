"""What a production variant runs: its configuration and its model, as they were when the endpoint took them."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ..kinds import ENDPOINT_CONFIG, MODEL, Body
from ..records.ledger import Ledger

STARTUP_SECONDS = 480
"""For which SageMaker pings a new container, unless the variant says otherwise."""


@dataclass(frozen=True)
class ModelData:
    """Where a model is in S3: an archive, or all objects below a prefix. uri: empty for a container without model."""

    uri: str = ""
    data_type: str = "S3Object"
    compression: str = "Gzip"

    @classmethod
    def of(cls, container: Body) -> "ModelData":
        """That of a container of a model."""
        source = container.get("ModelDataSource", {}).get("S3DataSource")
        if source:
            return cls(source["S3Uri"], source["S3DataType"], source["CompressionType"])
        return cls(container.get("ModelDataUrl", ""))


@dataclass(frozen=True)
class VariantPlan:
    """One production variant. count: its containers. max_concurrency: of a serverless variant, 0 for others.

    serverless: its ServerlessConfig. startup_seconds: in which a container must answer its first ping.
    """

    name: str
    model: str
    image: str
    data: ModelData
    environment: dict[str, str] = field(default_factory=dict)
    count: int = 1
    weight: float = 1.0
    startup_seconds: int = STARTUP_SECONDS
    serverless: dict[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, stored: Body) -> "VariantPlan":
        """A plan from the records, where `as_stored` put it."""
        return cls(**{**stored, "data": ModelData(**stored["data"])})

    def as_stored(self) -> Body:
        """The plan as the records have it."""
        return asdict(self)

    @property
    def max_concurrency(self) -> int:
        """How many invocations a serverless variant takes at once; 0 for others, which have no limit of their own."""
        return self.serverless.get("MaxConcurrency", 0)

    def changed(self, desired: Body) -> "VariantPlan":
        """The plan with what one of DesiredWeightsAndCapacities asks for."""
        return replace(
            self,
            weight=desired.get("DesiredWeight", self.weight),
            count=desired.get("DesiredInstanceCount", self.count),
            serverless={**self.serverless, **desired.get("ServerlessUpdateConfig", {})},
        )

    def retained(self, earlier: "VariantPlan", excluded: set[str]) -> "VariantPlan":
        """The plan with the weight and count of an earlier one of the same name, unless they are excluded."""
        return replace(
            self,
            weight=self.weight if "DesiredWeight" in excluded else earlier.weight,
            count=self.count if "DesiredInstanceCount" in excluded or self.serverless else earlier.count,
        )


def container_of(model: Body) -> Body:
    """The one container of a model."""
    container: Body = model["PrimaryContainer"] if "PrimaryContainer" in model else model["Containers"][0]
    return container


def plans_of(ledger: Ledger, config: str) -> list[VariantPlan]:
    """The variants of an endpoint configuration. Raises Invalid if it, or a model of it, does not exist."""
    return [_plan(ledger, variant) for variant in ledger.find(ENDPOINT_CONFIG, config).body["ProductionVariants"]]


def plan_of_model(ledger: Ledger, model: str, name: str) -> VariantPlan:
    """One container of a model, under a name of its own. Raises Invalid if there is no such model."""
    record = ledger.find(MODEL, model)
    container = record.private.get("container") or container_of(record.body)
    return VariantPlan(
        name=name,
        model=model,
        image=container["Image"],
        data=ModelData.of(container),
        environment=container.get("Environment", {}),
    )


def _plan(ledger: Ledger, variant: Body) -> VariantPlan:
    return replace(
        plan_of_model(ledger, variant["ModelName"], variant["VariantName"]),
        count=variant.get("InitialInstanceCount", 1),
        weight=variant["InitialVariantWeight"],
        startup_seconds=variant.get("ContainerStartupHealthCheckTimeoutInSeconds", STARTUP_SECONDS),
        serverless=variant.get("ServerlessConfig", {}),
    )


def described(plan: VariantPlan, resolved: float, *, earlier: VariantPlan | None = None, creating: bool = False) -> Any:
    """A variant in DescribeEndpoint. resolved: when its image was found, in epoch seconds.

    earlier: what it is while it changes to `plan`. creating: whether it has no container yet.
    """
    now = earlier or plan
    image = {"SpecifiedImage": plan.image, "ResolvedImage": plan.image, "ResolutionTime": resolved}
    shown = {
        "VariantName": plan.name,
        "DeployedImages": [image],
        "CurrentWeight": now.weight,
        "DesiredWeight": plan.weight,
    }
    if plan.serverless:
        shown |= {"CurrentServerlessConfig": now.serverless, "DesiredServerlessConfig": plan.serverless}
    else:
        shown |= {"CurrentInstanceCount": 0 if creating else now.count, "DesiredInstanceCount": plan.count}
    if creating:
        shown["VariantStatus"] = [{"Status": "Creating", "StartTime": resolved}]
    return shown
