"""What the best model says about a photograph that a person chose."""

import re
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..answers.predictions import PredictionList
from ..api import ApiError, read_content
from ..pictures import kind_of
from ..rendering import Site, is_part, page, site_of
from ..views import predictions as view

IMAGE = re.compile(r"image/[a-z0-9.+-]{1,40}")
ANY = "application/octet-stream"
NOTHING = "Choose a photograph first."
CANT_PREDICT = "This API does not answer predictions: it is of an earlier release. Ask on this machine with: {}"
LACKS = {HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED}
NO_ROUTE = ("There is nothing here.", "Not Found")


async def predictions(request: Request) -> Response:
    """The best model's answer on the photograph."""
    site = site_of(request)
    async with request.form(max_files=1, max_fields=4) as form:
        photo = form.get("photo")
        content = await photo.read() if isinstance(photo, UploadFile) else b""
        kind = (photo.content_type or "") if isinstance(photo, UploadFile) else ""
    return await run_in_threadpool(answered, request, site, content, kind)


def answered(request: Request, site: Site, content: bytes, kind: str) -> Response:
    """The API's answer on a photograph's bytes, or why there is none."""
    template = "prediction_part.html" if is_part(request) else "prediction.html"
    try:
        said, problem, status = predicted(site, content, kind), "", HTTPStatus.OK
    except ApiError as error:
        said, problem, status = None, sentence(error, site), HTTPStatus(error.status)
    return page(request, template, status, said=said, problem=problem)


def predicted(site: Site, content: bytes, kind: str) -> view.Said:
    """The API's answer on a photograph of this media type, as the browser named it. Raises ApiError if it has none."""
    if not content:
        raise ApiError(NOTHING, HTTPStatus.BAD_REQUEST)
    named = kind if IMAGE.fullmatch(kind) else kind_of(content) or ANY
    answer = site.api.post("/predictions", content, named)
    return view.said(read_content(PredictionList, answer).predictions[0])


def sentence(error: ApiError, site: Site) -> str:
    """Why there is no answer; what an API without that route says would not help."""
    if error.status in LACKS or (error.status == HTTPStatus.NOT_FOUND and str(error).startswith(NO_ROUTE)):
        return CANT_PREDICT.format(site.command("predict", "PHOTO"))
    return str(error)


ROUTES = [Route("/predictions", predictions, methods=["POST"])]
