"""The folders that labels become."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..errors import SeedbedError
from ..trainer_rules import clean_label, name_refusal, one_label_each, spelling_notices


def label_folders(names: Sequence[str], numbers: npt.NDArray[np.intp]) -> tuple[list[str], list[str]]:
    """The folder of each label, and notices about labels that look alike: these have one folder.

    `numbers` are the label numbers of all images. Raises SeedbedError if no folder can have a label's name, or two
    labels have the same one.
    """
    for name in names:
        reason = "it has a slash" if "/" in name else name_refusal(clean_label(name))
        if reason:
            raise SeedbedError(f"A label can't be called {name!r}, since a folder is named after it: {reason}.")
    if len(set(names)) < len(names):
        raise SeedbedError(f"Two labels have the same name: {', '.join(names)}.")
    counts = np.bincount(numbers, minlength=len(names)).tolist()
    images = dict(zip(names, counts, strict=True))
    folder_of = one_label_each(images)
    return [folder_of[name] for name in names], spelling_notices(images)
