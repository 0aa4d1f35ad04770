"""Input as an attacker, or a broken disk, would have it: mutations of what is whole, the same for the same seed."""

import json
import random
from typing import Any

NASTY = (
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "a\nBcc: everybody@example.com",
    "..",
    "../../etc/passwd",
    "\x1b[2J",
    "\u202egnp.exe",
    "\ud800",
    "\0",
    "%0d%0a",
    "a" * 5000,
    "",
    " ",
    "..\\..\\windows",
    "seedlings/" * 100,
    "٣",
    "𝔪𝔞𝔦𝔷𝔢",
)
VALUES: tuple[Any, ...] = (*NASTY, None, True, -1, 2**70, 1e308, [], {}, [[[[]]]], {"S": {"S": "S"}})


def spoiled_bytes(chance: random.Random, content: bytes) -> bytes:
    """Some bytes changed, cut out, doubled or put in."""
    spoiled = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(spoiled) + 1)
        deed = chance.randrange(4)
        if deed == 0:
            del spoiled[at : at + chance.randint(1, 40)]
        elif deed == 1:
            spoiled[at:at] = chance.randbytes(chance.randint(1, 20))
        elif deed == 2:
            spoiled[at:at] = spoiled[at : at + 200]
        elif spoiled:
            spoiled[at % len(spoiled)] = chance.randrange(256)
    return bytes(spoiled)


def spoiled_tree(chance: random.Random, value: Any) -> Any:
    """JSON of which some values, anywhere, are others."""
    if chance.random() < 0.08:
        return chance.choice(VALUES)
    if isinstance(value, dict):
        return {
            chance.choice(NASTY) if chance.random() < 0.03 else name: spoiled_tree(chance, item)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [spoiled_tree(chance, item) for item in value] * chance.choice((0, 1, 1, 1, 3))
    return value


def spoiled_text(chance: random.Random, text: str) -> str:
    """A JSON text, broken as JSON or in what it says."""
    if chance.random() < 0.5:
        return spoiled_bytes(chance, text.encode()).decode("utf-8", "surrogateescape")
    return json.dumps(spoiled_tree(chance, json.loads(text)))
