"""Whatever openapi.json allows or forbids a client to ask, the handler answers as it describes."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from job_manager.domain.run import Run
from tests.contract.openapi import DOCUMENT, check_answer
from tests.handlers.deployed import Deployed, Event

OPERATIONS = [
    (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


def values(schema: dict[str, Any], known: str) -> st.SearchStrategy[str]:
    """What a client may give for a parameter: what its schema allows, the known run, and what it does not allow."""
    allowed: st.SearchStrategy[str] = st.just(known)
    if schema["type"] == "integer":
        allowed = st.integers(schema["minimum"], schema["maximum"]).map(str)
    elif "enum" in schema:
        allowed = st.sampled_from(schema["enum"])
    elif "pattern" in schema:
        allowed = st.from_regex(schema["pattern"].replace("$", r"\Z"))
    nonsense = st.text(min_size=1, max_size=40).map(lambda text: text.replace("/", ":"))
    return st.one_of(allowed, st.just(known), nonsense)


@st.composite
def requests(draw: st.DrawFn, run_id: str) -> tuple[str, str, dict[str, str]]:
    """A request by method, path and query."""
    method, path, operation = draw(st.sampled_from(OPERATIONS))
    query: dict[str, str] = {}
    for parameter in operation["parameters"]:
        value = draw(values(parameter["schema"], run_id))
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", value)
        elif draw(st.booleans()):
            query[parameter["name"]] = value
    return method, path, query


@pytest.fixture
def known(deployed: Deployed, run: Run) -> str:
    """The name of a run that is in progress."""
    deployed.runs.create(run)
    return run.run_id


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_every_request_is_answered_as_the_document_says(
    deployed: Deployed, event: Callable[[str], Event], known: str, data: st.DataObject
) -> None:
    method, path, query = data.draw(requests(known))
    request = event("api_runs")
    request["rawPath"] = path
    request["requestContext"]["http"] |= {"method": method, "path": path}
    request["queryStringParameters"] = query

    check_answer(method, path, deployed.invoke("Predictions" if path == "/predictions" else "Api", request))
