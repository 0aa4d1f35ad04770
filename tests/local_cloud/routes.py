"""Every route of the local cloud, read from the emulator's code and the service models."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import botocore.session
import ministack.app
from botocore.exceptions import UnknownServiceError

from seedbed.local_cloud.app import SAGEMAKER_PATH

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")


@dataclass(frozen=True)
class Route:
    """A request that a service answers. `target` is its X-Amz-Target, if its protocol has one."""

    method: str
    path: str
    query: str = ""
    target: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=())


def routes() -> list[Route]:
    """Each path in the emulator's code by every method, each operation of each of its services, and SageMaker's."""
    found = [Route(method, path) for path in emulator_paths() for method in METHODS]
    services = [*ministack.app.SERVICE_REGISTRY, *ministack.app.SERVICE_NAME_ALIASES, "sagemaker"]
    for service in services:
        found += operations(service)
    return list(dict.fromkeys([*found, Route("POST", f"{SAGEMAKER_PATH}interrupt")]))


def emulator_paths() -> list[str]:
    """The paths in the emulator's own code."""
    tree = ast.parse(inspect.getsource(ministack.app))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return sorted({"/", *(text for text in texts if re.fullmatch(r"/[A-Za-z0-9_.{}$/-]+", text))})


def operations(service: str) -> Iterator[Route]:
    """The operations in a service's model; none if there is no model of that name."""
    try:
        model = botocore.session.get_session().get_service_model(service)
    except UnknownServiceError:
        return
    prefix = model.metadata.get("targetPrefix", "")
    for name in model.operation_names:
        http = model.operation_model(name).http
        path, _, query = http["requestUri"].partition("?")
        plain = re.sub(r"\{[^}]*\}", "x", path)
        if prefix:
            yield Route("POST", plain, target=f"{prefix}.{name}")
        elif model.metadata["protocol"] in {"query", "ec2"}:
            yield Route("GET", plain, f"Action={name}&Version={model.api_version}")
        else:
            yield Route(http["method"], plain, query)
