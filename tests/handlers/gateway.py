"""API Gateway's part, as a WSGI app: an HTTP request becomes the event that the function gets, and its answer HTTP."""

import base64
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from werkzeug.wrappers import Request

from tests.handlers.deployed import Deployed, Event


def gateway(deployed: Deployed, template: Event) -> Callable[..., Iterable[bytes]]:
    """The app that passes requests on to the function; what they lack of an event is as in the template."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = deployed.invoke("Api", event_of(Request(environ), template))
        status = HTTPStatus(answer["statusCode"])
        start_response(f"{status.value} {status.phrase}", list(answer["headers"].items()))
        return [answer["body"].encode()]

    return app


def event_of(request: Request, template: Event) -> Event:
    """A request in payload format 2.0: names of headers in lower case, repeated values joined by commas."""
    http = {**template["requestContext"]["http"], "method": request.method, "path": request.path}
    query = {name: ",".join(values) for name, values in request.args.lists()}
    own = {name.lower(): value for name, value in request.headers.items()}
    body = request.get_data()
    return {
        **template,
        "rawPath": request.path,
        "rawQueryString": request.query_string.decode("latin-1"),
        "headers": {**template["headers"], **own},
        "requestContext": {**template["requestContext"], "http": http},
        **({"queryStringParameters": query} if query else {}),
        **({"body": base64.b64encode(body).decode()} if body else {}),
        "isBase64Encoded": bool(body),
    }
