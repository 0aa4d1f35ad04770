"""The trainer's version. A job reads what earlier jobs of its run wrote, so all must have the same version."""

import hashlib
from functools import cache
from pathlib import Path


@cache
def version(folder: Path = Path(__file__).parent) -> str:
    """A digest of the package's source, 16 hexadecimal digits: any change makes another version."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]
