"""Cells that a spreadsheet shows and never computes, whatever people called their labels and files."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a formula may begin with (OWASP, CSV Injection)."""


def label_cell(label: str) -> str:
    """The label, behind an apostrophe if it could be a formula."""
    return f"'{label}" if label.startswith(FORMULA) else label


def file_cell(file: str) -> str:
    """The file, still a path to it, behind `./` if it could be a formula."""
    return f"./{file}" if file.startswith(FORMULA) else file
