"""How a number, a duration or text from elsewhere is written in an e-mail."""

import unicodedata

from .names import JOINERS


def percent(share: float) -> str:
    return f"{share:.1%}"


def interval(bounds: tuple[float, float]) -> str:
    return f"95% interval {percent(bounds[0])} to {percent(bounds[1])}"


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(max(seconds, 0.0)), 60)
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
