"""Text of the picture's one size, cut into lines."""

import textwrap

SIZE, LINE = 12.5, 16


def wrapped(text: str, width: float) -> list[str]:
    """Lines that fit a width, by the width of an average letter."""
    return textwrap.wrap(text, int(width / (SIZE * 0.54)))
