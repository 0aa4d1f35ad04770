"""How a number, a duration or text from elsewhere is written in an e-mail."""

import unicodedata

from ..names import JOINERS

SUBJECT_LIMIT = 99
NAME_LIMIT, TEXT_LIMIT = 200, 700
"""In bytes: a mail server may break a line of more than 998."""


def percent(share: float) -> str:
    return f"{share:.1%}"


def points(difference: float) -> str:
    """A difference of two shares, without its sign."""
    return "1 point" if f"{abs(difference):.1%}" == "1.0%" else f"{100 * abs(difference):.1f} points"


def counted(number: int, singular: str, plural: str = "") -> str:
    """A number and what it counts, such as "1 label" or "4,027 images"."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def times(number: int) -> str:
    """How often: once, twice, 3 times."""
    return {1: "once", 2: "twice"}.get(number, f"{number:,} times")


def subject_of(text: str) -> str:
    """A subject as SNS takes it."""
    return shortened(ascii_only(text), SUBJECT_LIMIT, "...")


def name(label: str) -> str:
    """A label or a file's name, shortened."""
    return shortened(label, NAME_LIMIT)


def sentence(text: str) -> str:
    """A sentence from elsewhere, shortened."""
    return shortened(text, TEXT_LIMIT)


def interval(bounds: tuple[float, float]) -> str:
    return f"95% interval {percent(bounds[0])} to {percent(bounds[1])}"


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(max(seconds, 0.0)), 60)
    hours, within = divmod(minutes, 60)
    if hours:
        return f"{hours} h {within} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def short(value: str) -> str:
    try:
        return f"{float(value):.4g}"
    except ValueError:
        return printable(value)


def shortened(text: str, limit: int, ellipsis: str = "…") -> str:
    """The text on one line; of a longer one the beginning and the end, which names a file's kind."""
    line = printable(text).encode()
    if len(line) <= limit:
        return line.decode()
    kept = limit - len(ellipsis.encode())
    beginning, end = line[: kept - kept // 3], line[len(line) - kept // 3 :]
    return beginning.decode(errors="ignore") + ellipsis + end.decode(errors="ignore")


def printable(text: str) -> str:
    """The text on one line, with a question mark for any character that could control a mail program or terminal."""
    return "".join(shown(character) for character in text)


def shown(character: str) -> str:
    if character.isprintable() or character in JOINERS:
        return character
    return " " if unicodedata.category(character) == "Zs" else "?"


def ascii_only(text: str) -> str:
    """The text in ASCII: letters without their accents, and a question mark for what ASCII lacks."""
    spelt_out = unicodedata.normalize("NFKD", printable(text))
    letters = (letter for letter in spelt_out if not unicodedata.combining(letter) and letter not in JOINERS)
    return "".join(letter if " " <= letter <= "~" else "?" for letter in letters)
