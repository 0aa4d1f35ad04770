"""Files that are for their owner alone."""

from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Puts a file in place whole or not at all, readable by its owner alone from the first moment."""
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    partial.touch(0o600)
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
