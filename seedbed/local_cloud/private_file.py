"""Files that only their owner can read."""

from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Write a file atomically; only its owner can read it, from the start."""
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    partial.touch(0o600)
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
