"""Rules on the names of labels and files, the same text in the job manager and in the trainer.

Labels that look alike are one label: they are equal in Unicode's caseless compatibility matching (NFKC_Casefold), with
all kinds of blanks, dashes and apostrophes taken as one.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping

HIDDEN = "its name is a hidden or system file's"
MAX_NAME_BYTES = 255
SPELLINGS_SHOWN = 5
SYSTEM_NAMES = frozenset(
    {
        *("__macosx", "icon\r", "lost+found", "__pycache__"),
        *("thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "recycler", "system volume information"),
        *("@eadir", "@recycle", "@recently-snapshot", "#recycle", "#snapshot"),
    }
)
"""What macOS, Linux, Windows and network storage leave in folders, in lower case."""
JOINERS = "\u200c\u200d"
"""Persian, Hindi and emoji are written with them."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029]")
# Those of Unicode's Default_Ignorable_Code_Point that occur in names; the joiners are invisible only at the ends.
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
_KEY_IGNORES = re.compile(f"[{JOINERS}\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_DASHES = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
_APOSTROPHES = re.compile("[`\u00b4\u02b9\u02bc\u2018\u2019\u201b\u2032\uff07]")
_SLIGHT_DIFFERENCE = re.compile(r"[\s_'-]+")
_LATIN_LOOKALIKES = str.maketrans("авекмнорстухіјѕαβεκνορτυχι", "abekmhopctyxijsabeknoptuxi")
"""Cyrillic and Greek letters, to the Latin ones that look the same in capitals or small."""


def hidden(name: str) -> str | None:
    """HIDDEN for the name of a hidden file or folder, or of one that a system made; None for any other."""
    return HIDDEN if name.startswith(".") or name.casefold() in SYSTEM_NAMES else None


def name_refusal(name: str) -> str | None:
    """Why labels and files of this name are never taken; None if they are, as in every script of Unicode."""
    if hidden(name):
        return HIDDEN
    if _SURROGATE.search(name):
        return "its name is not valid UTF-8"
    if _CONTROL.search(name):
        return "its name has a control character"
    if "\\" in name:
        return "its name has a backslash"
    if len(name.encode()) > MAX_NAME_BYTES:
        return f"its name is longer than {MAX_NAME_BYTES} bytes"
    return "its name is blank" if not clean_label(name) else None


def clean_label(name: str) -> str:
    """The label as it is written: composed (NFC), with single blanks and without characters that nobody sees."""
    seen = _INVISIBLE.sub("", unicodedata.normalize("NFC", name))
    return " ".join(seen.split()).strip(f"{JOINERS} ")


def label_key(name: str) -> str:
    """The same text for all labels that look alike."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", _plain(name)).casefold())
    return _plain(unicodedata.normalize("NFKC", folded.casefold()))


def one_label_each(images: Mapping[str, int]) -> dict[str, str]:
    """The label of each spelling, from the number of images of each: the spelling with the most of them, cleaned."""
    groups: dict[str, list[str]] = defaultdict(list)
    for spelling in sorted(images, key=lambda spelling: (-images[spelling], clean_label(spelling), spelling)):
        groups[label_key(spelling)].append(spelling)
    return {spelling: clean_label(group[0]) for group in groups.values() for spelling in group}


def spelling_notices(images: Mapping[str, int]) -> list[str]:
    """A sentence for each label with several spellings, and for labels that might be meant as one."""
    label_of = one_label_each(images)
    alike, similar = defaultdict(list), defaultdict(set)
    for spelling, label in label_of.items():
        alike[label].append(f'"{spelling}" ({images[spelling]:,})')
        similar[_SLIGHT_DIFFERENCE.sub("", label_key(label)).translate(_LATIN_LOOKALIKES)].add(f'"{label}"')
    return [
        f"{listed(spellings)} differ only in capitals, blanks or the form of a character: "
        f'all their images have the label "{label}".'
        for label, spellings in sorted(alike.items())
        if len(spellings) > 1
    ] + [
        f"{listed(sorted(labels))} are different labels: if they mean the same, give their folders one name."
        for _, labels in sorted(similar.items())
        if len(labels) > 1
    ]


def _plain(name: str) -> str:
    return _APOSTROPHES.sub("'", _DASHES.sub("-", _KEY_IGNORES.sub("", clean_label(name))))


def listed(names: list[str]) -> str:
    """The first of two or more names, and how many more there are."""
    more = len(names) - SPELLINGS_SHOWN
    *most, last = [*names[:SPELLINGS_SHOWN], f"{more:,} more"] if more > 0 else names
    return f"{', '.join(most)} and {last}"
