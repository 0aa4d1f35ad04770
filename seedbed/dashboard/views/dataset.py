"""What the page on a dataset shows: its labels, sizes and photographs, and what may be wrong with them."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from ..answers.dataset import DatasetReport
from ..answers.images import File, FileList
from ..answers.runs import Dataset, RunInShort
from ..charts.sizes import histogram, split_bar
from ..charts.thumbnail import thumbnail
from ..words import count, percent

Link = Callable[[str | None], str | None]
UPLOADS = "seedlings/"
SUREST = 0.99
"""Of what is certain nothing more can be said."""


@dataclass(frozen=True)
class Picture:
    """An image: its thumbnail, None if there is none, and the address of the whole photograph."""

    file: str
    small: Markup | None
    address: str | None


@dataclass(frozen=True)
class Listed:
    """An image of a kind: why it is listed, and the `other` that shows the same picture."""

    picture: Picture
    other: Picture | None
    reason: str
    label: str
    suggested: str
    confidence: str


@dataclass(frozen=True)
class Section:
    """The images of one kind; `total` is how many there are, `next` the cursor of further ones."""

    kind: str
    total: int
    files: tuple[Listed, ...]
    next: str | None

    @property
    def rest(self) -> int:
        """How many are not shown."""
        return self.total - len(self.files)


@dataclass(frozen=True)
class Label:
    """A label: how many images it has in each split, and a few of them."""

    name: str
    images: str
    splits: str
    bar: Markup
    sizes: str
    samples: tuple[Picture, ...]


@dataclass(frozen=True)
class DatasetView:
    """A version of the dataset as a run found it."""

    version: str
    runs: tuple[RunInShort, ...]
    report: DatasetReport
    labels: tuple[Label, ...]
    sizes: Markup | None
    left_out: int


def prepared_run(found: Dataset) -> RunInShort:
    """The latest run that prepared the images, or the latest of all if none did."""
    return next((run for run in found.runs if run.images is not None and run.state != "Refused"), found.runs[0])


def dataset_view(found: Dataset, report: DatasetReport, samples: FileList, link: Link) -> DatasetView:
    """The whole dataset; `samples` are photographs of its labels."""
    pictures: dict[str, list[Picture]] = {}
    for file in samples.files:
        pictures.setdefault(file.label or "", []).append(_picture(file, samples, link))
    most = max((label.train + label.validation + label.test for label in report.labels.values()), default=1)
    return DatasetView(
        version=found.version,
        runs=found.runs,
        report=report,
        labels=tuple(_label(name, report, most, pictures) for name in sorted(report.labels)),
        sizes=histogram(report.sizes) if len(report.sizes) > 1 else None,
        left_out=max(0, report.images - report.used),
    )


def section(kind: str, found: FileList, link: Link) -> Section:
    """The images of a kind that the API listed."""
    listed = tuple(
        Listed(
            picture=_picture(file, found, link),
            other=_other(file, found, link),
            reason=file.reason or "",
            label=file.label or "",
            suggested=file.suggested or "",
            confidence=percent(min(file.confidence or 0, SUREST), 0),
        )
        for file in found.files
    )
    return Section(kind, found.counts.get(kind, 0), listed, found.next)


def move_command(bucket: str, file: Listed) -> str:
    """The command of the AWS command line that puts an image into the folder of the suggested label."""
    name = file.picture.file.partition("/")[2]
    places = (f"s3://{bucket}/{UPLOADS}{key}" for key in (file.picture.file, f"{file.suggested}/{name}"))
    return shlex.join(["aws", "s3", "mv", *places])


def _label(name: str, report: DatasetReport, most: int, pictures: Mapping[str, list[Picture]]) -> Label:
    split = report.labels[name]
    parts = (split.train, split.validation, split.test)
    least, middle, largest = report.label_sizes.get(name, (0, 0, 0))
    sizes = f"{least} to {largest} pixels, half of them up to {middle}" if largest > least else f"{largest} pixels"
    return Label(
        name=name,
        images=count(sum(parts)),
        splits=f"{count(split.train)} train, {count(split.validation)} validation, {count(split.test)} test",
        bar=split_bar(parts, most),
        sizes=sizes if largest else "",
        samples=tuple(pictures.get(name, ())),
    )


def _picture(file: File, found: FileList, link: Link) -> Picture:
    return Picture(file.file, _small(file.file, file.thumbnail, found, link), link(file.url))


def _other(file: File, found: FileList, link: Link) -> Picture | None:
    if not file.other:
        return None
    return Picture(file.other, _small(file.other, file.other_thumbnail, found, link), link(file.other_url))


def _small(name: str, number: int | None, found: FileList, link: Link) -> Markup | None:
    sheet = found.thumbnails
    address = link(sheet.url) if sheet else None
    if not sheet or not address or number is None:
        return None
    return thumbnail(address, number, sheet.columns, sheet.rows, f"Photograph {name}")
