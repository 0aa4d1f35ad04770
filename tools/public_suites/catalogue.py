"""Which suites there are, and what of them is out of scope and why: suites.yaml."""

from pathlib import Path

import msgspec

FILE = Path(__file__).with_name("suites.yaml")


class Suite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tests of one folder of a repository, or notebooks, all of which are out of scope so far: only pytest is run."""

    name: str
    repository: str
    folder: str
    """Where the tests run, below the repository's checkout."""
    environment: str
    """The name of an environment: sdk2 or sdk3."""
    files: dict[str, str | None]
    """A file or `file::test` below the folder, and the name of the reason why it is out of scope, if it is."""
    note: str = ""
    """What a reader should know of the last run."""

    def in_scope(self) -> list[str]:
        return [file for file, reason in self.files.items() if reason is None and "::" not in file]

    def left_out_of(self, file: str) -> list[str]:
        """The tests of a file that are out of scope."""
        return [test for test, reason in self.files.items() if reason is not None and test.startswith(f"{file}::")]


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """reasons: names of reasons, and each in a few words. images: what AWS's images are called that jobs ask for.

    role: the name of a role that suites expect in their account. variables: of the environment, by which they find it.
    """

    reasons: dict[str, str]
    images: list[str]
    suites: list[Suite]
    role: str = ""
    variables: dict[str, str] = {}


def load(file: Path = FILE) -> Catalogue:
    """Raises ValueError if the file isn't of this form, or a reason has no words."""
    catalogue = msgspec.yaml.decode(file.read_bytes(), type=Catalogue)
    used = {reason for suite in catalogue.suites for reason in suite.files.values() if reason is not None}
    if unknown := used - catalogue.reasons.keys():
        raise ValueError(f"{file.name} has no words for {', '.join(sorted(unknown))}")
    return catalogue
