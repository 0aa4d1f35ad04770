"""A serverless endpoint for a model package: made, updated, and taken away."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ..errors import SeedbedError
from ..terminal.aws_errors import sentence_of
from ..watch.stage import StageProgress
from .names import is_of, resource_name, tag_of
from .packages import Package

IN_SERVICE = "InService"
SETTLED = {IN_SERVICE, "Failed", "OutOfService", "UpdateRollbackFailed"}
NOT_OURS = (
    "There is an endpoint {} that Seedbed did not make, so it stays as it is. Choose another name: --endpoint NAME"
)
FAILED = (
    "The endpoint {} could not be started. {} The rest is in the log group /aws/sagemaker/Endpoints/{}. "
    "Run this again once that is dealt with; --memory gives the container more."
)
KEPT = " It still serves the model that it had before."
Show = Callable[[StageProgress], None]


@dataclass(frozen=True)
class Serving:
    """What an endpoint is to be. role: an ARN. memory: in MB. concurrency: requests at once.

    stack: for its tag, which it has none of if that is empty.
    """

    endpoint: str
    package: Package
    role: str
    memory: int
    concurrency: int
    stack: str

    @property
    def resource(self) -> str:
        """The name of its model and its configuration, which another model or size has another of."""
        package = self.package
        facts = (package.arn, package.image, package.model_uri, self.role, self.memory, self.concurrency)
        return resource_name(self.endpoint, *facts)

    @property
    def variant(self) -> str:
        """The run, whose id the answers then name. A stack's role may write logs of streams with such names alone."""
        return self.package.run_id or "AllTraffic"


class Endpoints:
    """SageMaker's endpoints. show: told how far a change is. pause: seconds between two looks at it."""

    def __init__(self, sagemaker: Any, show: Show, pause: float) -> None:
        self._sagemaker = sagemaker
        self._show = show
        self._pause = pause

    def serve(self, wanted: Serving) -> bool:
        """Make or update the endpoint, and wait until it serves. Returns False if it did so already.

        Raises SeedbedError if it does not come into service, or is another program's.
        """
        name = wanted.endpoint
        found = self._settled(name)
        if found and found["EndpointStatus"] == IN_SERVICE and found["EndpointConfigName"] == wanted.resource:
            self._remove_all_but(name, wanted.resource)
            return False
        self._make(wanted)
        config = {"EndpointName": name, "EndpointConfigName": wanted.resource}
        if found and found["EndpointStatus"] == IN_SERVICE:
            self._sagemaker.update_endpoint(**config)
        else:
            if found:
                self._delete(name)
            self._sagemaker.create_endpoint(**config, Tags=tags(wanted))
        self._check_serves(wanted)
        self._remove_all_but(name, wanted.resource)
        return True

    def take_away(self, name: str) -> bool:
        """Delete an endpoint, its configurations and models. Returns False if there is nothing of it.

        Raises SeedbedError if it is another program's.
        """
        found = self._settled(name)
        if found:
            self._delete(name)
        return bool(self._remove_all_but(name, "") or found)

    def of_stack(self, stack: str) -> list[str]:
        """The names of the endpoints that were made for a stack's champions."""
        pages = self._sagemaker.get_paginator("list_endpoints").paginate()
        return [
            each["EndpointName"]
            for page in pages
            for each in page["Endpoints"]
            if tag_of(stack) in self._sagemaker.list_tags(ResourceArn=each["EndpointArn"])["Tags"]
            and self._is_ours(each["EndpointName"])
        ]

    def _is_ours(self, name: str) -> bool:
        found = self._described(name)
        return found is not None and is_of(name, found["EndpointConfigName"])

    def _settled(self, name: str) -> dict[str, Any] | None:
        """The endpoint once nothing changes it; None if there is none. Raises SeedbedError if it is not Seedbed's."""
        while found := self._described(name):
            if not is_of(name, found["EndpointConfigName"]):
                raise SeedbedError(NOT_OURS.format(name))
            if found["EndpointStatus"] in SETTLED:
                return found
            self._wait(found["EndpointStatus"])
        return None

    def _check_serves(self, wanted: Serving) -> None:
        """Wait for the endpoint. Raises SeedbedError if it fails, or has gone back to the model before."""
        found = self._settled(wanted.endpoint) or {}
        serves = found.get("EndpointStatus") == IN_SERVICE
        if serves and found["EndpointConfigName"] == wanted.resource:
            return
        if serves:
            self._remove_all_but(wanted.endpoint, found["EndpointConfigName"])
        reason = sentence_of(found.get("FailureReason") or "SageMaker gives no reason")
        raise SeedbedError(FAILED.format(wanted.endpoint, reason, wanted.endpoint) + (KEPT if serves else ""))

    def _make(self, wanted: Serving) -> None:
        """Make the model and the configuration, unless they are there."""
        name = wanted.resource
        if name not in self._models(name):
            self._sagemaker.create_model(
                ModelName=name,
                PrimaryContainer={"ModelPackageName": wanted.package.arn},
                ExecutionRoleArn=wanted.role,
                Tags=tags(wanted),
            )
        if name not in self._configs(name):
            size = {"MemorySizeInMB": wanted.memory, "MaxConcurrency": wanted.concurrency}
            variant = {"VariantName": wanted.variant, "ModelName": name, "ServerlessConfig": size}
            self._sagemaker.create_endpoint_config(
                EndpointConfigName=name, ProductionVariants=[variant], Tags=tags(wanted)
            )

    def _delete(self, name: str) -> None:
        """Delete an endpoint, and wait until it is gone."""
        self._sagemaker.delete_endpoint(EndpointName=name)
        while self._described(name):
            self._wait("Deleting")

    def _remove_all_but(self, endpoint: str, kept: str) -> bool:
        """Delete what was made for an endpoint but for one configuration and its model. Returns whether any was."""
        configs = [name for name in self._configs(endpoint) if is_of(endpoint, name) and name != kept]
        models = [name for name in self._models(endpoint) if is_of(endpoint, name) and name != kept]
        for name in configs:
            self._sagemaker.delete_endpoint_config(EndpointConfigName=name)
        for name in models:
            self._sagemaker.delete_model(ModelName=name)
        return bool(configs or models)

    def _described(self, name: str) -> dict[str, Any] | None:
        """The endpoint as it is; None if there is none."""
        try:
            return dict(self._sagemaker.describe_endpoint(EndpointName=name))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationException":
                raise
            return None

    def _configs(self, part: str) -> list[str]:
        return self._names("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", part)

    def _models(self, part: str) -> list[str]:
        return self._names("list_models", "Models", "ModelName", part)

    def _names(self, operation: str, key: str, field: str, part: str) -> list[str]:
        """The names of all that an operation lists with this part in its name."""
        pages = self._sagemaker.get_paginator(operation).paginate(NameContains=part)
        return [each[field] for page in pages for each in page[key]]

    def _wait(self, status: str) -> None:
        self._show(StageProgress("endpoint", note=status))
        time.sleep(self._pause)


def tags(wanted: Serving) -> list[dict[str, str]]:
    """The tag by which a stack's bill is told from others."""
    return [tag_of(wanted.stack)] if wanted.stack else []
