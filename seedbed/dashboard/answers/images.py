"""A run's images in the API's answers."""

from .part import Answer


class File(Answer, frozen=True):
    """An image that a run left out, or predicted wrongly. `url` shows it for a quarter of an hour.

    `picture_url` shows a mistake small, and `heat_map_url` where the model looked.
    """

    kind: str
    file: str
    url: str | None = None
    reason: str | None = None
    other: str | None = None
    other_url: str | None = None
    label: str | None = None
    predicted: str | None = None
    confidence: float | None = None
    suggested: str | None = None
    thumbnail: int | None = None
    other_thumbnail: int | None = None
    picture_url: str | None = None
    heat_map_url: str | None = None


class ThumbnailSheet(Answer, frozen=True):
    """Thumbnails in one picture, `url`: squares of `side` pixels, numbered row by row from 0."""

    url: str
    side: int
    columns: int
    rows: int


class FileList(Answer, frozen=True):
    """A run's images of some kinds; `counts` counts all by kind, `next` is the cursor of further ones.

    `thumbnails` shows those that have a number in it.
    """

    run_id: str
    counts: dict[str, int]
    files: tuple[File, ...]
    next: str | None = None
    thumbnails: ThumbnailSheet | None = None


class TestImage(Answer, frozen=True):
    """An image of a run's test split, and what its model takes it for. `url` shows it for a quarter of an hour."""

    file: str
    url: str
    label: str
    predicted: str
    confidence: float


class TestImages(Answer, frozen=True):
    """Test images of a run, mistakes first; `images` counts all, `next` is the cursor of further ones."""

    run_id: str
    images: int
    predictions: tuple[TestImage, ...]
    next: str | None = None
