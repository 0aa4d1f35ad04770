"""`seedbed logs`: what a run's jobs have printed."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from ..errors import SeedbedError
from ..local_cloud.home.demo import home_to_query
from ..local_cloud.home.folder import default_home
from ..terminal.text import printable
from ..watch.logs import CloudWatchSource, FileSource, Line, RunLogs, Source, plain
from ..watch.stage import ENDED
from ..watch.status import POLL_SECONDS, POLL_SECONDS_ON_AWS, Api
from .options import AsJsonLines, OnAws, api_for, is_at_rest, stack_for

NOTHING = "There is no log of {}{}: {}."


def logs(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")],
    job: Annotated[
        str, typer.Argument(metavar="TRIAL", help="One trial, by its name or number, or prepare, or evaluate.")
    ] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run has ended.")] = False,
    as_json: AsJsonLines = False,
    aws: OnAws = "",
) -> None:
    """Print what a run's jobs have printed. On AWS that takes the permission to read CloudWatch Logs."""
    with opened(aws) as (api, sources):
        run = api.get(f"/runs/{run_id}")
        found, printed = RunLogs(run_id, sources, job), 0
        for line in lines(found, api, run, follow=follow):
            printed += 1
            write(found, line, as_json=as_json)
    if not printed:
        why = "its jobs were too long ago, or it had none" if run["state"] in ENDED else "none has begun to print"
        raise SeedbedError(NOTHING.format(run_id, f" {job}" if job else "", why))


@contextmanager
def opened(aws: str) -> Iterator[tuple[Api, list[Source]]]:
    """The API, and where the logs are; of a local cloud that is not running they are in files alone."""
    home = home_to_query(default_home())
    if is_at_rest(aws):
        with api_for(aws) as api:
            yield api, [FileSource(home)]
        return
    with stack_for(aws) as stack:
        yield stack, [CloudWatchSource(stack), *([] if aws else [FileSource(home)])]


def lines(found: RunLogs, api: Api, run: dict[str, Any], *, follow: bool) -> Iterator[Line]:
    """The lines that there are, and if they are followed, those that come until the run has ended."""
    yield from found.new_lines()
    while follow and run["state"] not in ENDED:
        time.sleep(POLL_SECONDS if api.endpoint else POLL_SECONDS_ON_AWS)
        run = api.get(f"/runs/{found.run_id}")
        yield from found.new_lines()
    if follow:
        time.sleep(POLL_SECONDS if api.endpoint else POLL_SECONDS_ON_AWS)  # the last lines may arrive after the end
        yield from found.new_lines()


def write(found: RunLogs, line: Line, *, as_json: bool) -> None:
    """Print a line at once, with its job unless that was asked for."""
    if as_json:
        text = json.dumps({"job": line.job, "at": line.at, "line": line.text})
    else:
        text = printable(plain(line.text) if found.wanted else f"{found.short(line.job)}: {plain(line.text)}")
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
