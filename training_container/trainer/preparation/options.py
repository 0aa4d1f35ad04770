"""The arguments of `prepare` and `merge`, and the progress that a job prints."""

from dataclasses import dataclass

from trainer.decoding.limits import DEFAULT_LIMITS, DecodingLimits
from trainer.types import Say

FEATURE_BYTES = 2**32


@dataclass(frozen=True)
class PrepareOptions:
    """The arguments of `prepare` and `merge`."""

    image_size: int
    views: int
    """The most that are kept of a training image, if their features fit `feature_bytes`."""
    minimum_per_label: int
    backbones: tuple[str, ...]
    fine_tune_size: int
    """0 for no `training/`."""
    feature_bytes: int = FEATURE_BYTES
    """Of the whole dataset's cached features."""
    limits: DecodingLimits = DEFAULT_LIMITS
    """Of time and memory for each image."""

    @property
    def sizes(self) -> set[int]:
        """The sides in pixels of the square images that are needed."""
        return {self.image_size, self.fine_tune_size} - {0}


class ProgressPrinter:
    """Prints how many files are done, about a hundred times in a job."""

    def __init__(self, total: int, say: Say) -> None:
        self._total, self._say = total, say
        self._done = self._said = 0

    def add(self, files: int) -> None:
        """Counts files that are done."""
        self._done += files
        if self._done - self._said >= self._total / 100 or (self._done == self._total and self._said < self._done):
            self._said = self._done
            self._say(f"progress: {self._done}/{self._total} images")
