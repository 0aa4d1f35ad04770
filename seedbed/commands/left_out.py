"""What an upload leaves out: by file the reason, told in a few lines."""

from collections import defaultdict
from collections.abc import Iterator

from ..terminal.console import say
from ..terminal.text import listed
from ..trainer_rules import HIDDEN

NAMES_SHOWN = 5


class LeftOut:
    """The files and folders that an upload leaves out, each with the reason."""

    def __init__(self) -> None:
        self._files: dict[str, list[str]] = defaultdict(list)

    def add(self, file: str, reason: str) -> None:
        """Note one file, relative to the uploaded folder; a folder's name ends with `/`."""
        self._files[reason].append(file)

    def tell(self) -> None:
        """Print the lines to standard error."""
        say(*self.lines())

    def as_json(self) -> list[dict[str, str]]:
        """Each file with its reason, for programs."""
        return [{"file": file, "reason": reason} for reason in sorted(self._files) for file in self._files[reason]]

    def lines(self) -> Iterator[str]:
        """A headline and a line for each reason, hidden files last; nothing if nothing was left out."""
        if not self._files:
            return
        total = sum(map(len, self._files.values()))
        yield f"Left out: {total:,} {'file or folder' if total == 1 else 'files and folders'}"
        for reason in sorted(self._files, key=lambda reason: (reason == HIDDEN, reason)):
            yield f"  {reason}: {listed(sorted(self._files[reason]), NAMES_SHOWN)}"
