"""What became of the images that were given, in the API's answers."""

from msgspec import field

from .part import Answer


class DatasetInShort(Answer, frozen=True):
    """How many images were seen and used, and their labels."""

    images: int
    used: int
    labels: tuple[str, ...] = ()


class Excluded(Answer, frozen=True):
    """A file, and why it was left out."""

    file: str
    reason: str


class Split(Answer, frozen=True):
    """How many images of a label are in each split."""

    train: int = 0
    validation: int = 0
    test: int = 0


class SizeRange(Answer, frozen=True):
    """How many images have a longer side of `least` to `most` pixels."""

    least: int
    most: int
    images: int


class DatasetReport(Answer, frozen=True):
    """What became of the images: at most 100 files of each kind are listed, the `more_…` count the rest."""

    images: int
    used: int
    labels: dict[str, Split] = field(default_factory=dict)
    duplicates: tuple[Excluded, ...] = ()
    refused: tuple[Excluded, ...] = ()
    near_duplicates: tuple[Excluded, ...] = ()
    more_duplicates: int = 0
    more_refused: int = 0
    more_near_duplicates: int = 0
    warnings: tuple[str, ...] = ()
    refused_kinds: dict[str, int] = field(default_factory=dict)
    likely_wrong_labels: int = 0
    sizes: tuple[SizeRange, ...] = ()
    label_sizes: dict[str, tuple[int, int, int]] = field(default_factory=dict)
