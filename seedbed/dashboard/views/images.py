"""Test photographs, and what a run's model takes them for."""

from collections.abc import Callable
from dataclasses import dataclass

from ..answers.images import TestImages
from ..words import count, percent
from .run import images_address

Link = Callable[[str | None], str | None]


@dataclass(frozen=True)
class Photograph:
    """A test photograph; `address` is that of the picture, None if a browser can't show it."""

    file: str
    address: str | None
    label: str
    predicted: str
    confidence: str
    right: bool


@dataclass(frozen=True)
class Images:
    """Photographs under a title; `more` is the address of further ones, empty if there are none."""

    title: str
    photographs: tuple[Photograph, ...]
    more: str


def images_view(found: TestImages, label: str, predicted: str, link: Link) -> Images:
    """The photographs that were asked for, by label and predicted label."""
    return Images(
        title=title(found.images, label, predicted),
        photographs=tuple(
            Photograph(
                file=image.file,
                address=link(image.url),
                label=image.label,
                predicted=image.predicted,
                confidence=percent(image.confidence, 0),
                right=image.label == image.predicted,
            )
            for image in found.predictions
        ),
        more=images_address(found.run_id, label, predicted, found.next) if found.next else "",
    )


def title(images: int, label: str, predicted: str) -> str:
    """What the photographs are, in words."""
    many = f"{count(images)} test {'photograph' if images == 1 else 'photographs'}"
    if label and label == predicted:
        return f"{many} of {label}, predicted right"
    of = f" of {label}" if label else ""
    return f"{many}{of} predicted as {predicted}" if predicted else f"{many}{of}"
