"""Words and variables of Dockerfiles, by the rules of Docker: like a shell's, but fewer."""

import fnmatch
import re
from collections.abc import Mapping

# No system passes a longer value to a program.
MAX_LENGTH = 2**17
MAX_TRIMMED = 1024
MAX_DEPTH = 20
NAME = re.compile(r"\d+|\w+|[@*#?\-$!]")


class WordError(Exception):
    """A sentence on what can't be read."""


def split_words(text: str, escape: str) -> list[str]:
    """The words between blanks, with their quotes and escapes, which may hold blanks."""
    mark = re.escape(escape)
    return re.findall(rf"""(?:{mark}.?|'[^']*'?|"(?:{mark}.|[^"{mark}])*"?|[^\s'"{mark}])+""", text, re.DOTALL)


def expand(text: str, variables: Mapping[str, str], escape: str) -> str:
    """The text without its quotes and escapes, with the values of variables; unknown ones are empty.

    `${NAME:-word}`, `${NAME:+word}`, `${NAME:?word}`, also without the colon, `#`, `##`, `%`, `%%` and `/` work as in a
    shell. Raises WordError.
    """
    return _Expansion(text, variables, escape).until("")


class _Expansion:
    def __init__(self, text: str, variables: Mapping[str, str], escape: str) -> None:
        self._text = text
        self._variables = variables
        self._escape = escape
        self._at = 0
        self._depth = 0
        self._length = 0

    def until(self, stop: str, keep_escapes: bool = False) -> str:
        parts: list[str] = []
        while letter := self._next():
            if letter == stop:
                return "".join(parts)
            if letter == "'":
                parts.append(self._single_quoted())
            elif letter == '"':
                parts.append(self._double_quoted())
            elif letter == "$":
                parts.append(self._variable())
            elif letter == self._escape:
                parts.append((letter if keep_escapes else "") + self._next())
            else:
                parts.append(letter)
        if stop:
            raise WordError(f"a closing {stop} is missing")
        return "".join(parts)

    def _next(self) -> str:
        letter = self._peek()
        self._at += 1
        return letter

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _single_quoted(self) -> str:
        end = self._text.find("'", self._at)
        if end < 0:
            raise WordError("a closing ' is missing")
        inner, self._at = self._text[self._at : end], end + 1
        return inner

    def _double_quoted(self) -> str:
        parts: list[str] = []
        while (letter := self._next()) != '"':
            if not letter:
                raise WordError('a closing " is missing')
            if letter == "$":
                parts.append(self._variable())
            elif letter == self._escape and self._peek() in ('"', "$", self._escape):
                parts.append(self._next())
            else:
                parts.append(letter)
        return "".join(parts)

    def _variable(self) -> str:
        braces = self._peek() == "{"
        self._at += braces
        match = NAME.match(self._text, self._at)
        if match is None:
            if braces:
                raise WordError("${ needs the name of a variable")
            return "$"
        self._at = match.end()
        value = self._in_braces(match[0]) if braces else self._variables.get(match[0], "")
        self._length += len(value)
        if self._length > MAX_LENGTH:
            raise WordError("a value is longer than 128 KiB")
        return value

    def _in_braces(self, name: str) -> str:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise WordError("${ is nested too deeply")
        value = self._modified(name)
        self._depth -= 1
        return value

    def _modified(self, name: str) -> str:
        value = self._variables.get(name)
        operator = self._next()
        if operator == "}":
            return value or ""
        if operator == ":":
            value, operator = value or None, self._next()
        if operator and operator in "#%":
            operator += self._next() if self._peek() == operator else ""
            return _trimmed(value or "", operator, self.until("}", keep_escapes=True))
        if operator == "/":
            every = self._peek() == "/"
            self._at += every
            return _replaced(value or "", self.until("/"), self.until("}"), every)
        if not operator or operator not in "-+?":
            raise WordError(f"${{{name} is followed by a form that Dockerfiles don't have")
        word = self.until("}")
        if operator == "+":
            return "" if value is None else word
        if value is None and operator == "?":
            raise WordError(f"{name} is not set: {word or 'it needs a value'}")
        return word if value is None else value


def _trimmed(value: str, operator: str, pattern: str) -> str:
    """The value without its shortest (`#`, `%`) or longest (`##`, `%%`) beginning or end that matches."""
    matches, front = _glob(value, pattern).fullmatch, operator[0] == "#"
    cuts = range(len(value) + 1)
    for cut in cuts if front == (len(operator) == 1) else reversed(cuts):
        if matches(value[:cut] if front else value[cut:]):
            return value[cut:] if front else value[:cut]
    return value


def _replaced(value: str, pattern: str, replacement: str, every: bool) -> str:
    return _glob(value, pattern).sub(lambda _: replacement, value, count=0 if every else 1)


def _glob(value: str, pattern: str) -> re.Pattern[str]:
    """A pattern for a part of the value, with `*` and `?`, as a regular expression that takes no long time."""
    if max(len(value), len(pattern)) > MAX_TRIMMED:
        raise WordError(f"a value to change with a pattern is longer than {MAX_TRIMMED} letters")
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]"))[:-2])
