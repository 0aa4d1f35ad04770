"""The images of a run: how many it used, and what it left out and why."""

from collections.abc import Iterator, Sequence

from .. import layout
from ..dataset import DatasetReport, ExcludedFile
from ..run import Run
from .lines import address, fact, item, said
from .notification import ImageCounts, Line
from .wording import counted, name, sentence

NAMES_SHOWN = 20
KINDS_SHOWN = 5


def counts_of(dataset: DatasetReport) -> ImageCounts:
    """The counts of a dataset report."""
    return ImageCounts(
        found=dataset.images,
        used=dataset.used,
        refused=len(dataset.refused) + dataset.more_refused,
        duplicates=len(dataset.duplicates) + dataset.more_duplicates,
        near_duplicates=len(dataset.near_duplicates) + dataset.more_near_duplicates,
        likely_wrong_labels=dataset.likely_wrong_labels,
    )


def image_lines(dataset: DatasetReport) -> Iterator[Line]:
    """How many images were used and left out, and what the dataset lacks."""
    counts, splits = counts_of(dataset), dataset.labels.values()
    train, validation, test = (sum(getattr(s, part) for s in splits) for part in ("train", "validation", "test"))
    splits_told = f" ({train:,} for training, {validation:,} for validation, {test:,} for testing)"
    labels = f", {counted(len(dataset.labels), 'label')}{splits_told}" if dataset.labels else ""
    yield fact("Used", f"{counts.used:,} of {counts.found:,}{labels}")
    near = counted(counts.near_duplicates, "near-duplicate")
    yield fact("Left out", f"{counts.refused:,} refused, {counted(counts.duplicates, 'duplicate')}, {near}")
    yield from (said(sentence(warning)) for warning in dataset.warnings[:NAMES_SHOWN])
    if len(dataset.warnings) > NAMES_SHOWN:
        yield said(f"and {len(dataset.warnings) - NAMES_SHOWN:,} more such notices")


def left_out(run: Run, dataset: DatasetReport) -> Iterator[tuple[str, Iterator[Line]]]:
    """A section for each kind of files that were left out: the first of them, and where all are named."""
    report = [run.place_of(layout.dataset_report(run.run_id))]
    snapshot = [run.place_of(layout.snapshot(run.run_id))]
    counts, named_in = counts_of(dataset), snapshot + (report if dataset.used else [])
    yield f"Refused ({counts.refused:,})", refused(dataset, counts.refused, named_in)
    yield (
        f"Duplicates, each used once ({counts.duplicates:,})",
        files(dataset.duplicates, counts.duplicates, report),
    )
    yield (
        f"Near-duplicates of images in another split ({counts.near_duplicates:,})",
        files(dataset.near_duplicates, counts.near_duplicates, report),
    )


def refused(dataset: DatasetReport, total: int, named_in: Sequence[str]) -> Iterator[Line]:
    """The refused files: how many for each reason, where there are several, and the first of them."""
    kinds = list(dataset.refused_kinds.items())
    if len(kinds) > 1:
        yield from (item(f"{name(kind)}: {count:,}") for kind, count in kinds[:KINDS_SHOWN])
        if len(kinds) > KINDS_SHOWN:
            yield item(f"other reasons: {sum(count for _, count in kinds[KINDS_SHOWN:]):,}")
    yield from files(dataset.refused, total, named_in)


def files(names: Sequence[ExcludedFile], total: int, named_in: Sequence[str]) -> Iterator[Line]:
    for excluded in names[:NAMES_SHOWN]:
        yield fact(name(excluded.file), sentence(excluded.reason))
    if total > NAMES_SHOWN:
        yield said(f"and {total - NAMES_SHOWN:,} more. The bucket names all of them in")
        yield from map(address, named_in)
