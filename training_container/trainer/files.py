"""Which files there are below a folder."""

import os
from pathlib import Path


def list_files(folder: Path) -> list[str]:
    """Every file below `folder`, sorted, relative to it with `/` between the parts. Links are listed, not followed."""
    files = []
    for directory, folders, names in os.walk(folder):
        links = [name for name in folders if Path(directory, name).is_symlink()]
        files += [Path(directory, name).relative_to(folder).as_posix() for name in names + links]
    return sorted(files)
