"""functions/openapi.json says what the API answers."""

from openapi_spec_validator import validate

from tests.contract.openapi import DOCUMENT
from tests.contract.template import ROUTES
from tools.openapi import FILE, text


def test_the_document_is_what_make_openapi_writes() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run: make openapi"


def test_the_document_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    validate(DOCUMENT)


def test_the_document_has_the_routes_of_the_template() -> None:
    described = {f"{method.upper()} {path}" for path, methods in DOCUMENT["paths"].items() for method in methods}

    assert described == set(ROUTES)
