"""How much is sent to a container at once: as the request says, or else as the container wishes."""

import http.client
import json
from dataclasses import dataclass
from typing import Any

from ..containers.launcher import HERE
from ..kinds import Body

MB = 2**20
MOST_MB = 100
"""SageMaker's limit for a payload, and for all payloads that an instance has at once."""
DEFAULT_MB = 6
WISH_SECONDS = 2.0
WISH_BYTES = 2**16
STRATEGIES = {"SINGLE_RECORD": "SingleRecord", "MULTI_RECORD": "MultiRecord"}


@dataclass(frozen=True)
class Parameters:
    """What a container gets. concurrent: calls at once. payload: bytes in a call, at most.

    single: whether a record has a call of its own, where objects are split.
    """

    concurrent: int = 1
    payload: int = DEFAULT_MB * MB
    single: bool = False

    @classmethod
    def of(cls, request: Body, wishes: Body) -> "Parameters":
        """Those of a CreateTransformJob. wishes: what the container answered to `GET /execution-parameters`."""
        payload = request.get("MaxPayloadInMB") or _number(wishes.get("MaxPayloadInMB")) or DEFAULT_MB
        concurrent = request.get("MaxConcurrentTransforms") or _number(wishes.get("MaxConcurrentTransforms")) or 1
        strategy = request.get("BatchStrategy") or STRATEGIES.get(str(wishes.get("BatchStrategy")))
        return cls(min(concurrent, MOST_MB // payload), payload * MB, strategy == "SingleRecord")


def variables(request: Body) -> dict[str, str]:
    """The variables by which SageMaker tells a container what it will get; those not asked for are left out."""
    strategies = {strategy: name for name, strategy in STRATEGIES.items()}
    told = {
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": request.get("MaxPayloadInMB"),
        "SAGEMAKER_BATCH_STRATEGY": strategies.get(request.get("BatchStrategy", "")),
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": request.get("MaxConcurrentTransforms"),
    }
    return {"SAGEMAKER_BATCH": "true", **{name: str(value) for name, value in told.items() if value}}


def wishes_of(port: int) -> Body:
    """What a container answers to `GET /execution-parameters`; empty if it has no such path."""
    connection = http.client.HTTPConnection(HERE, port, timeout=WISH_SECONDS)
    try:
        connection.request("GET", "/execution-parameters", headers={"Connection": "close"})
        response = connection.getresponse()
        content: Any = json.loads(response.read(WISH_BYTES)) if response.status == http.client.OK else None
    except (OSError, ValueError, RecursionError, http.client.HTTPException):
        return {}
    finally:
        connection.close()
    return content if isinstance(content, dict) else {}


def _number(wish: Any) -> int:
    """A number that a container wishes, if it can have it; otherwise 0."""
    return wish if isinstance(wish, int) and not isinstance(wish, bool) and 1 <= wish <= MOST_MB else 0
