"""The index of a part, which is what one instance made of its files: light facts of each, without pixels or features.

Facts go to disk as they are found. `merge` needs nothing else of a part to find duplicates, splits and labels.
"""

import json
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from trainer.decoding.thumbnail import THUMBNAIL_BYTES
from trainer.errors import BadInput, OtherTrainer
from trainer.pack import ROWS
from trainer.preparation.dataset import SPLITS, CheckedImage, SplitName
from trainer.preparation.survey import Survey
from trainer.types import Pixels, Places
from trainer.version import version

FACTS, THUMBNAILS, PICTURES, HEADER = "{}.jsonl", "{}.thumbnails", "{}.pictures", "{}.json"


@dataclass(frozen=True)
class Part:
    """What one of the instances `hosts` made, beside the facts of its images."""

    host: str
    hosts: list[str]
    image_size: int
    fine_tune_size: int
    backbones: list[str]
    views: int
    """That are kept of each training image."""
    rows: Mapping[SplitName, int]
    """How many rows each split's shards have."""
    seconds: float
    wrong: list[dict[str, Any]] = field(default_factory=list)
    """As in likely_wrong.json: of this part's images, judged by one another."""
    trainer: str = field(default_factory=version)


def shard_name(host: str, number: int) -> str:
    """The name of a shard, which no other part has."""
    return f"{host}-{number:04}"


@dataclass(frozen=True)
class Parts:
    """All parts of a dataset: the survey of their images, and where the features and photographs of its rows are."""

    parts: list[Part]
    survey: Survey
    places: Places
    """(n, 2)"""
    shards: Mapping[SplitName, list[str]]

    @property
    def views(self) -> int:
        """How many views every part has kept."""
        return min(part.views for part in self.parts)


def write_header(folder: Path, part: Part) -> None:
    """Writes what completes the index of a part."""
    (folder / HEADER.format(part.host)).write_text(json.dumps(asdict(part)), encoding="utf-8")


def read_headers(folder: Path) -> list[Part]:
    """What the instances whose indexes are in the folder made; BadInput if one is missing or damaged."""
    parts = [_read_header(file) for file in sorted(folder.glob(HEADER.format("*")))]
    hosts = sorted(part.host for part in parts)
    if not parts or any(sorted(part.hosts) != hosts for part in parts):
        lacking = sorted({host for part in parts for host in part.hosts} - set(hosts))
        raise BadInput(f"What {', '.join(lacking) or 'each instance'} prepared is missing: run prepare again.")
    return parts


def read_facts(folder: Path, parts: list[Part]) -> Parts:
    """The facts of all images of the parts; BadInput if some are missing or damaged, or several parts have a file."""
    shards: dict[SplitName, list[str]] = {split: [] for split in SPLITS}
    facts = _Facts()
    for part in parts:
        try:
            facts.read(folder, part, {split: len(shards[split]) for split in SPLITS})
            for split in SPLITS:
                shards[split] += [shard_name(part.host, number) for number in range(-(-part.rows[split] // ROWS))]
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise _damaged(part.host) from error
    return Parts(parts, *facts.sorted_by_file(), shards)


class _Facts:
    """The facts of all parts, in compact form: some 800 bytes an image."""

    def __init__(self) -> None:
        self._checked: list[CheckedImage] = []
        self._sides, self._places, self._pictures = array("q"), array("q"), array("q")
        self._refused: dict[str, str] = {}
        self._notices: dict[str, tuple[str, ...]] = {}
        self._saved_as: dict[str, tuple[str, ...]] = {}
        self._ways: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._files: list[Path] = []

    def read(self, folder: Path, part: Part, first_shards: Mapping[SplitName, int]) -> None:
        """Adds those of a part."""
        thumbnails = _memory_of(folder / THUMBNAILS.format(part.host))
        self._files.append(folder / PICTURES.format(part.host))
        with (folder / FACTS.format(part.host)).open("rb") as lines:
            place = 0
            for line in lines:
                facts = json.loads(line)
                if "refused" in facts:
                    self._refused[facts["file"]] = facts["refused"]
                    continue
                thumbnail = thumbnails[place : place + THUMBNAIL_BYTES]
                place += THUMBNAIL_BYTES
                self._add(facts, thumbnail, first_shards)
        if place != len(thumbnails):
            raise ValueError("the facts and the thumbnails are not of the same images")

    def _add(self, facts: dict[str, Any], thumbnail: memoryview, first_shards: Mapping[SplitName, int]) -> None:
        file, (row, start, size) = facts["file"], facts["kept"]
        image = CheckedImage(file, facts["digest"], bytes.fromhex(facts["hash"]), thumbnail)
        shard, row = divmod(row, ROWS)
        self._checked.append(image)
        self._sides.append(facts["side"])
        self._places.extend((first_shards[image.split] + shard, row))
        self._pictures.extend((len(self._files) - 1, start, size))
        ways = tuple(facts["saved_as"])
        self._saved_as[file] = self._ways.setdefault(ways, ways)
        if "notices" in facts:
            self._notices[file] = tuple(facts["notices"])

    def sorted_by_file(self) -> tuple[Survey, Places]:
        """The survey and the places of its rows, in the order of the file names."""
        order = sorted(range(len(self._checked)), key=lambda row: self._checked[row].file)
        checked = [self._checked[row] for row in order]
        if any(one.file == other.file for one, other in pairwise(checked)):
            raise BadInput("Several instances have the same files: each needs its share of them (ShardedByS3Key).")
        pictures = _Pictures(self._files, np.reshape(self._pictures, (-1, 3))[order])
        sides = [self._sides[row] for row in order]
        survey = Survey(checked, sides, self._refused, pictures.read, self._notices, self._saved_as)
        return survey, np.reshape(self._places, (-1, 2))[order].astype(np.int64)


class _Pictures:
    """The small pictures of all images in the order of the survey, read one at a time."""

    def __init__(self, files: Sequence[Path], places: Places) -> None:
        self._files, self._places = files, places

    def read(self, row: int) -> Pixels:
        number, start, size = self._places[row].tolist()
        with self._files[number].open("rb") as file:
            file.seek(start)
            content = np.frombuffer(file.read(size), np.uint8)
        picture = np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def _memory_of(file: Path) -> memoryview:
    """The file's content, which is read from disk when it is needed."""
    return np.memmap(file, np.uint8, "r").data if file.stat().st_size else memoryview(b"")


def _read_header(file: Path) -> Part:
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
        if facts["trainer"] != version():
            raise OtherTrainer("A part of the pack")
        return Part(**facts)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _damaged(file.stem) from error


def _damaged(host: str) -> BadInput:
    return BadInput(f"The part that {host} prepared is missing or damaged: run prepare again.")
