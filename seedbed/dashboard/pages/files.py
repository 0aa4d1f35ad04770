"""Files of a run through the page's server: its model in each format, its report."""

import shutil
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from tempfile import mkdtemp

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from ...errors import SeedbedError
from ...fetch import download
from ...model_files import FILE_NAMES, Format, fetched, source_of
from ...stack import Stack
from ..answers.runs import Run
from ..api import ApiError, segment
from ..rendering import site_of

REPORT_POLICY = "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"
NO_FORMAT = "A model has no format of this name. Choose one of: {}."
NO_REPORT = "Run {} has no report: its state is {}."


def model(request: Request) -> Response:
    """A run's model in one format; a SavedModel, which is a folder, as a zip file."""
    run_id, name = request.path_params["run_id"], request.path_params["format"]
    if name not in set(Format):
        raise ApiError(NO_FORMAT.format(", ".join(Format)), HTTPStatus.NOT_FOUND)
    return sent(lambda folder: model_in(site_of(request).api.stack, run_id, Format(name), folder), run_id)


def model_in(stack: Stack, run_id: str, format_: Format, folder: Path) -> Path:
    """The model, fetched to a folder, under the name that people know. Raises SeedbedError."""
    found = fetched(stack, source_of(stack, run_id, format_), folder)
    if found.is_dir():
        return Path(shutil.make_archive(str(folder / FILE_NAMES[format_]), "zip", found))
    return found.replace(folder / FILE_NAMES[format_])


def sent(fetch: Callable[[Path], Path], run_id: str) -> Response:
    """What `fetch` brings to a folder of its own, which is deleted once it was sent."""
    folder = Path(mkdtemp(prefix="seedbed-"))
    try:
        path = fetch(folder)
        name = f"{run_id}-{path.name}"
        ended = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
        return FileResponse(path, media_type="application/octet-stream", filename=name, background=ended)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, SeedbedError) and not isinstance(error, ApiError):
            raise ApiError(str(error), HTTPStatus.NOT_FOUND) from error
        raise


def report(request: Request) -> Response:
    """A run's report, shown without any right to run scripts or to ask for anything."""
    site, run_id = site_of(request), request.path_params["run_id"]
    run = site.api.get(Run, f"/runs/{segment(run_id)}")
    if not run.report_uri:
        raise ApiError(NO_REPORT.format(run.run_id, run.state), HTTPStatus.NOT_FOUND)
    folder = Path(mkdtemp(prefix="seedbed-"))
    try:
        download(site.api.stack, run.report_uri, folder / "report.html")
        content = (folder / "report.html").read_bytes()
    except SeedbedError as error:
        raise ApiError(str(error), HTTPStatus.NOT_FOUND) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Response(content, media_type="text/html", headers={"Content-Security-Policy": REPORT_POLICY})


ROUTES = [
    Route("/runs/{run_id}/model/{format}", model),
    Route("/runs/{run_id}/report", report),
]
