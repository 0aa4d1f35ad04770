"""The same folder of a job's hosts as one, as it is uploaded."""

import filecmp
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .tree import Entry, Tree


@dataclass(frozen=True)
class MergedTree:
    """All that the hosts have in a folder; where two have a file of one name, that of the first host counts.

    trees: by the hosts' names, in their order. left_out: a sentence for each name that can't be uploaded, and for each
    file that another host has with other content.
    """

    trees: Mapping[str, Tree]
    left_out: list[str] = field(default_factory=list)

    def files(self) -> list[tuple[Path, str]]:
        """(file, name) of each file. A link counts as what it leads to, since S3 has no links."""
        return [(entry.path, entry.name) for entry in self._walk(keep_links=False) if not entry.is_folder]

    def entries(self) -> Iterator[Entry]:
        """All in it. A link to something in the folder stays a link; another one counts as what it leads to."""
        return self._walk(keep_links=True)

    def _walk(self, keep_links: bool) -> Iterator[Entry]:
        self.left_out.clear()
        taken: dict[str, tuple[str, Entry]] = {}
        for host, tree in self.trees.items():
            prefix = f"{host}: " if len(self.trees) > 1 else ""
            for entry in tree.walk(keep_links):
                earlier = _clash(entry, taken)
                if earlier is None:
                    taken[entry.name] = host, entry
                    yield entry
                elif not _same(entry, earlier[1]):
                    self.left_out.append(f"{prefix}{entry.name}, as {earlier[0]} has another file of that name")
            self.left_out.extend(f"{prefix}{sentence}" for sentence in tree.left_out)


def _clash(entry: Entry, taken: Mapping[str, tuple[str, Entry]]) -> tuple[str, Entry] | None:
    """What an earlier host has in the entry's place, or as a file in the place of a folder that leads to it."""
    names = [entry.name, *(str(parent) for parent in Path(entry.name).parents)]
    found = [taken[name] for name in names if name in taken]
    return next((one for one in found if one[1].name == entry.name or not one[1].is_folder), None)


def _same(one: Entry, other: Entry) -> bool:
    if one.name != other.name or one.is_folder or other.is_folder:
        return one.is_folder and other.is_folder
    return one.link == other.link and (bool(one.link) or filecmp.cmp(one.path, other.path, shallow=False))
