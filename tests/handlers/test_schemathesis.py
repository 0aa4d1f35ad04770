"""Whatever a client sends in the path, the query, the headers and the body is answered as openapi.json says."""

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from job_manager.domain.run import Run, is_run_id
from tests.contract.openapi import DOCUMENT, check_answer
from tests.handlers.deployed import Deployed, Event
from tests.handlers.gateway import gateway

KNOWN = "sb-3f9c1b7a5d2e8046-1"
NOT_SAID = [ignored_auth, positive_data_acceptance]
"""API Gateway checks signatures before, and the document can't say which cursors and names of trials there are."""

BOUNDED = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS: dict[str, Any] = {found.ok().label: found.ok() for found in SCHEMA.get_all_operations()}  # type: ignore[union-attr]
ALLOWED, HOSTILE = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
CASES = [(label, ALLOWED) for label in OPERATIONS]
CASES += [(label, HOSTILE) for label, found in OPERATIONS.items() if found.definition.raw["parameters"]]


@SCHEMA.hook("map_path_parameters")
def about_the_known_run(context: Any, path_parameters: Any) -> Any:
    """Half of the requests that name a run are about the one that is in progress."""
    name = str((path_parameters or {}).get("id", ""))
    if is_run_id(name) and len(name) % 2:
        return {**path_parameters, "id": KNOWN}
    return path_parameters


@pytest.mark.parametrize(("label", "mode"), CASES, ids=[f"{label} {mode.value}" for label, mode in CASES])
def test_every_request_is_answered_as_the_document_says(
    deployed: Deployed, event: Callable[[str], Event], run: Run, label: str, mode: schemathesis.GenerationMode
) -> None:
    deployed.runs.create(run)
    operation = OPERATIONS[label]
    app = gateway(deployed, event("api_runs"))

    @BOUNDED
    @given(operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        answer = case.call_and_validate(app=app, excluded_checks=NOT_SAID)
        if case.method.upper() == "HEAD":
            return
        headers = {name.title().replace("Etag", "ETag"): values[0] for name, values in answer.headers.items()}
        body = (answer.content or b"").decode()
        check_answer(case.method, case.path, {"statusCode": answer.status_code, "headers": headers, "body": body})

    check()
