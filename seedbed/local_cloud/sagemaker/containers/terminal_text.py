"""What a terminal would show of a program's output: without colours, cursor movements and what was overwritten."""

import re

SPECIAL = re.compile("[\0\b\r\x1b\x9b]")
# Colours, titles and links, and character sets: they take up no place.
STYLES = re.compile(r"(?:\x1b\[|\x9b)[0-9;:]*m|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()*+][0-9A-Za-z]")
OTHER_CODES = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]|[\x1b\x9b]")


def visible_states(text: str) -> list[str]:
    """The texts that stood in one line, one after the other: a carriage return or another code moves the cursor.

    NULs, as UTF-16 has them between letters, are left out.
    """
    if text.isprintable() or not SPECIAL.search(text):
        return [text]
    plain = OTHER_CODES.sub("\r", STYLES.sub("", text.replace("\0", "")))
    return [state for part in plain.split("\r") for state in _overwritten(part)]


def visible(text: str) -> str:
    """The last text that stood in the line; empty if none but blanks did."""
    return next((state for state in reversed(visible_states(text)) if state.strip()), "")


def _overwritten(text: str) -> list[str]:
    """Carries out the backspaces of a text; those that go back to its beginning begin another."""
    states, shown, cursor = [], list[str](), 0
    for back, part in re.findall("(\b*)([^\b]*)", text):
        cursor -= len(back)
        if cursor <= 0:
            states.append("".join(shown))
            shown, cursor = [], 0
        shown[cursor : cursor + len(part)] = part
        cursor += len(part)
    return [state for state in (*states, "".join(shown)) if state]
