"""The page on what happens now."""

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..answers.runs import Health, Run, RunList
from ..api import segment
from ..rendering import is_part, page, site_of
from ..views import now as view


def now(request: Request) -> Response:
    """The run in progress, or the latest, and what waits."""
    site = site_of(request)
    health = site.api.get(Health, "/health")
    listed = site.api.get(RunList, "/runs", limit=1)
    opened = None
    if health.open_run:
        run = site.api.get(Run, f"/runs/{segment(health.open_run)}")
        curves = site.curves.of(site.api, run.run_id, view.with_curves(run))
        opened = view.open_run(run, curves, datetime.now(UTC)) if run.in_progress else None
    latest = listed.runs[0] if listed.runs else None
    return page(
        request,
        "now_live.html" if is_part(request) else "now.html",
        open=opened,
        ended=view.ended_run(latest) if latest and not latest.in_progress else None,
        waiting=view.waiting(listed.pending, in_progress=opened is not None),
        upload=site.command("upload", "FOLDER"),
    )


ROUTES = [Route("/", now)]
