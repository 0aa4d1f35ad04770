"""The API's answers about images: those that a run left out or predicted wrongly, and a dataset as a whole."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count

from ..domain import layout
from ..domain.dataset import UPLOADS, DatasetReport, ExcludedFile
from ..domain.errors import NotFound, WrongRequest
from ..domain.result import Mistake
from ..domain.run import Run, RunState, run_id_of
from ..ports import Ports
from .answers import Dataset, File, FileKind, FileList
from .api import summary

VERSION = re.compile("[0-9a-f]{12,64}")
NAMES_SKIPPED = 5
ELSEWHERE = f"not at {UPLOADS}"
OTHER = re.compile(
    r"(?:nearly )?the same image under another label: (?P<contradicted>.+)"
    r"|the same image as (?P<original>.+)"
    r"|nearly the same as (?P<kept>.+) of the \w+ split"
)


def files(run_id: str, ports: Ports, kind: str, limit: int, cursor: str) -> FileList:
    """A run's refused images, duplicates, near-duplicates and mistakes, or one kind of these alone.

    Raises NotFound for an unknown run, WrongRequest for an unknown kind or cursor.
    """
    ports.runs.get(run_id)
    if kind and kind not in set(FileKind):
        raise WrongRequest(f"`kind` is one of: {', '.join(FileKind)}.")
    if not re.fullmatch("[0-9]{0,7}", cursor):
        raise WrongRequest("The cursor is not one that an answer gave as `next`. Ask without it.")
    every = list(listed(run_id, ports))
    wanted = [file for file in every if not kind or file.kind == kind]
    start = int(cursor or 0)
    page = tuple(with_links(run_id, file, ports) for file in wanted[start : start + limit])
    more = str(start + limit) if len(wanted) > start + limit else None
    return FileList(run_id, counted(every), page, more)


def counted(every: Sequence[File]) -> dict[str, int]:
    found = Counter(file.kind.value for file in every)
    return {kind.value: found[kind.value] for kind in FileKind}


def listed(run_id: str, ports: Ports) -> Iterator[File]:
    """All of a run's images to list, as far as its jobs have come."""
    report, refused = DatasetReport(0, 0), tuple[ExcludedFile, ...]()
    mistakes: Sequence[Mistake] = ()
    try:
        refused = tuple(ports.bucket.read_refused(run_id))
        report = ports.bucket.read_dataset_report(run_id)
        mistakes = ports.bucket.read_mistakes(run_id)
    except NotFound:  # the later ones are not there yet either
        pass
    yield from (left_out(FileKind.REFUSED, file) for file in (*refused, *report.refused))
    yield from (left_out(FileKind.DUPLICATE, file) for file in report.duplicates)
    yield from (left_out(FileKind.NEAR_DUPLICATE, file) for file in report.near_duplicates)
    yield from (mistaken(mistake) for mistake in mistakes)


def left_out(kind: FileKind, file: ExcludedFile) -> File:
    found = OTHER.fullmatch(file.reason)
    other = next(filter(None, found.groups()), None) if found else None
    return File(kind=kind, file=file.file, url=None, reason=file.reason, other=other)


def mistaken(mistake: Mistake) -> File:
    return File(
        kind=FileKind.MISTAKE,
        file=mistake.file,
        url=None,
        label=mistake.truth,
        predicted=mistake.predicted,
        confidence=mistake.confidence,
        picture_url=mistake.picture,
        heat_map_url=mistake.heat_map,
    )


def with_links(run_id: str, file: File, ports: Ports) -> File:
    """The image with its addresses, and that of the other: only what is under `seedlings/<label>/` has one."""
    here = not (file.reason or "").startswith(ELSEWHERE)
    made = layout.evaluation(run_id)
    return replace(
        file,
        url=ports.bucket.link(UPLOADS + file.file) if here else None,
        other_url=ports.bucket.link(UPLOADS + file.other) if file.other else None,
        picture_url=ports.bucket.link(made + file.picture_url) if file.picture_url else None,
        heat_map_url=ports.bucket.link(made + file.heat_map_url) if file.heat_map_url else None,
    )


def dataset(version: str, ports: Ports, prefix: str) -> Dataset:
    """A version of the dataset, by the first 12 or more digits of it that its runs' names have after `prefix`.

    Raises NotFound if no run is of that version.
    """
    found = list(runs_of(version, ports, prefix)) if VERSION.fullmatch(version) else []
    if not found:
        raise NotFound(f"There is no run of a dataset {version}. List the runs that there are: seedbed runs")
    found.reverse()
    prepared = next((run for run in found if run.dataset and run.state is not RunState.REFUSED), None)
    report = next((run.dataset for run in (prepared, *found) if run and run.dataset), None)
    mosaic = ports.bucket.link(layout.mosaic(prepared.run_id)) if prepared else None
    return Dataset(version, tuple(map(summary, found)), report, mosaic)


def runs_of(version: str, ports: Ports, prefix: str) -> Iterator[Run]:
    """The runs of a dataset version, oldest first. A few of their names may be another stack's, and are passed over."""
    missing = 0
    for attempt in count(1):
        try:
            yield ports.runs.get(run_id_of(version, attempt, prefix))
        except NotFound:
            missing += 1
        if missing == NAMES_SKIPPED:
            return
