"""The .tar.gz archive of a folder, as SageMaker makes it of a job's model and output."""

import os
import tarfile
from pathlib import Path

from .tree import Entry, Uploaded


def write_archive(tree: Uploaded, file: Path) -> None:
    """Writes all that the tree holds, owned by root. Raises OSError."""
    with tarfile.open(file, "w:gz", compresslevel=6) as archive:
        for entry in tree.entries():
            member = _member(archive, entry)
            if member.isreg():
                with entry.path.open("rb") as content:
                    archive.addfile(member, content)
            else:
                archive.addfile(member)


def _member(archive: tarfile.TarFile, entry: Entry) -> tarfile.TarInfo:
    if entry.link:
        member = tarfile.TarInfo(entry.name)
        member.type, member.linkname, member.mode = tarfile.SYMTYPE, entry.link, 0o777
        member.mtime = int(os.lstat(entry.path).st_mtime)
    else:
        member = archive.gettarinfo(entry.path, entry.name)
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member
