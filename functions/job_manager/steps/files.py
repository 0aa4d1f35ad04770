"""The API's answers about single images of a run, such as those that it left out, and about a dataset as a whole."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count

from ..domain import layout
from ..domain.dataset import UPLOADS, DatasetReport, ExcludedFile
from ..domain.errors import NotFound, WrongRequest
from ..domain.images.thumbnails import Thumbnails
from ..domain.images.wrong_label import WrongLabel
from ..domain.results.scores import Mistake
from ..domain.run import Run, RunState, run_id_of
from ..ports import Ports
from .answers.files import Dataset, File, FileKind, FileList, ThumbnailSheet
from .api import NO_CURSOR, summary, trials_under_way

VERSION = re.compile("[0-9a-f]{12,64}")
NAMES_SKIPPED = 5
ELSEWHERE = f"not at {UPLOADS}"
OTHER = re.compile(
    r"(?:nearly )?the same image under another label: (?P<contradicted>.+)"
    r"|the same image as (?P<original>.+)"
    r"|nearly the same as (?P<kept>.+) of the \w+ split"
)


def files(run_id: str, ports: Ports, kind: str | None, limit: int, cursor: str) -> FileList:
    """A run's images of every kind, or of one alone.

    Raises NotFound for an unknown run, WrongRequest for an unknown kind or cursor.
    """
    ports.runs.get(run_id)
    if kind is not None and kind not in set(FileKind):
        raise WrongRequest(f"`kind` is one of: {', '.join(FileKind)}.")
    if not re.fullmatch("[0-9]{0,7}", cursor):
        raise WrongRequest(NO_CURSOR)
    thumbnails = thumbnails_of(run_id, ports)
    every = list(listed(run_id, ports, thumbnails))
    wanted = [file for file in every if kind in {None, file.kind}]
    start = int(cursor or 0)
    page = tuple(with_links(run_id, with_numbers(file, thumbnails), ports) for file in wanted[start : start + limit])
    more = str(start + limit) if len(wanted) > start + limit else None
    return FileList(run_id, counted(every), page, more, sheet_of(run_id, thumbnails, ports))


def counted(every: Sequence[File]) -> dict[str, int]:
    found = Counter(file.kind.value for file in every)
    return {kind.value: found[kind.value] for kind in FileKind}


def listed(run_id: str, ports: Ports, thumbnails: Thumbnails) -> Iterator[File]:
    """All of a run's images to list, as far as its jobs have come."""
    report, refused = DatasetReport(0, 0), tuple[ExcludedFile, ...]()
    mistakes: Sequence[Mistake] = ()
    wrong = wrong_labels(run_id, ports)
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
    yield from (suspected(label) for label in wrong)
    for label, samples in thumbnails.samples.items():
        yield from (File(kind=FileKind.SAMPLE, file=file, url=None, label=label) for file in samples)


def suspected(found: WrongLabel) -> File:
    return File(
        kind=FileKind.LIKELY_WRONG,
        file=found.file,
        url=None,
        label=found.label,
        suggested=found.suggested,
        confidence=found.confidence,
    )


def wrong_labels(run_id: str, ports: Ports) -> Sequence[WrongLabel]:
    """The run's images whose label is likely wrong; none for a run of a release that did not look for them."""
    try:
        return ports.bucket.read_wrong_labels(run_id)
    except NotFound:
        return ()


def thumbnails_of(run_id: str, ports: Ports) -> Thumbnails:
    """The run's thumbnails; none for a run of a release that made none."""
    try:
        return ports.bucket.read_thumbnails(run_id)
    except NotFound:
        return Thumbnails()


def with_numbers(file: File, thumbnails: Thumbnails) -> File:
    """The image with the numbers of its thumbnail and of the other's."""
    number_of = thumbnails.number_of
    other = number_of.get(file.other) if file.other else None
    return replace(file, thumbnail=number_of.get(file.file), other_thumbnail=other)


def sheet_of(run_id: str, thumbnails: Thumbnails, ports: Ports) -> ThumbnailSheet | None:
    """Where the thumbnails are; None if there are none."""
    if not thumbnails.files:
        return None
    url = ports.bucket.link(layout.thumbnails(run_id))
    return ThumbnailSheet(url, thumbnails.side, thumbnails.columns, thumbnails.rows)


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
    runs = tuple(summary(run, trials_under_way(run, ports)) for run in found)
    return Dataset(version, runs, report, mosaic)


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
