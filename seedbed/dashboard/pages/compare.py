"""The page on two runs side by side."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..answers.comparison import Comparison
from ..answers.runs import Run, RunList
from ..api import ApiError, segment
from ..rendering import page, site_of
from ..views import compare as view

LISTED = 100
TWICE = "These are the same run. Choose another one to compare it with."


def compare(request: Request) -> Response:
    """Two runs; those to choose from while fewer than two are given."""
    site = site_of(request)
    first, second = (request.query_params.get(name, "").strip() for name in ("a", "b"))
    listed = site.api.get(RunList, "/runs", limit=LISTED)
    context: dict[str, Any] = {"first": first, "second": second, "choices": view.choices(listed.runs, first, second)}
    if not first or not second or first == second:
        return page(request, "compare.html", **context, why=TWICE if first and first == second else "", runs=None)
    runs = [site.api.get(Run, f"/runs/{segment(run_id)}") for run_id in (first, second)]
    same, why = None, ""
    try:
        path = f"/runs/{segment(first)}/comparison/{segment(second)}"
        same = view.same(site.api.get(Comparison, path), site.pictures.link)
    except ApiError as error:
        if error.is_away:
            raise
        why = str(error)
    return page(
        request,
        "compare.html",
        **context,
        runs=runs,
        why=why,
        same=same,
        rows=view.rows(*runs),
        hyperparameters=view.hyperparameters(*runs),
        changes=view.changes(*runs),
        recorded=view.as_recorded(*runs),
    )


ROUTES = [Route("/compare", compare)]
