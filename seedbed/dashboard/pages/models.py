"""The page on the best model and those before it."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..answers.models import ModelList
from ..answers.runs import Run
from ..api import segment
from ..rendering import page, site_of
from ..views import models as view

SHOWN = 20


def models(request: Request) -> Response:
    """The best model and its history."""
    site = site_of(request)
    found = site.api.get(ModelList, "/models", limit=SHOWN, cursor=request.query_params.get("cursor"))
    older = "cursor" in request.query_params
    best = None
    if found.models and not older:
        run = site.api.get(Run, f"/runs/{segment(found.models[0].run_id)}")
        best = view.best(found.models[0], run)
    return page(
        request,
        "models.html",
        best=best,
        history=view.history(found.models),
        next=found.next,
        older=older,
        commands={form.format: site.command("model", "--format", form.format) for form in best.forms} if best else {},
        upload=site.command("upload", "FOLDER"),
    )


ROUTES = [Route("/models", models)]
