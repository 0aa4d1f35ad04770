"""Makes cells that a spreadsheet shows as text and never computes, whatever the labels and files are called."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Characters that a formula may begin with (OWASP, CSV Injection)."""


def label_cell(label: str) -> str:
    """The label, with an apostrophe before it if it could be a formula."""
    return f"'{label}" if label.startswith(FORMULA) else label


def file_cell(file: str) -> str:
    """The path, with `./` before it if it could be a formula."""
    return f"./{file}" if file.startswith(FORMULA) else file
