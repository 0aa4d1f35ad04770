"""The outlines of leaves, which distinguish the species.

Blades along a midrib are half-widths (2, rows) left and right of it from base to tip, as shares of the leaf's length;
round blades are rims (n,), radii at equal angles from one side of the stalk round to the other.
"""

import numpy as np

from .surface import Array

ROWS = 26
FINE_ROWS = 60


def oval(width: float, widest: float = 0.5, point: float = 1.0) -> Array:
    """`widest` is where along the leaf it is broadest; a `point` below 1 blunts both ends, above 1 sharpens them."""
    along = np.linspace(0, 1, ROWS)
    base, tip = 1.2 * widest * point, 1.2 * (1 - widest) * point
    return _both(width * along**base * (1 - along) ** tip / (widest**base * (1 - widest) ** tip))


def grass(width: float, rows: int = ROWS) -> Array:
    """Nearly parallel edges that close to a point."""
    along = np.linspace(0, 1, rows)
    return _both(width * (0.7 + 0.3 * np.sin(np.pi * along)) * (1 - along**3) ** 0.8)


def strap(width: float, blunt: float) -> Array:
    """Narrow at the base, then nearly parallel, with a tip that is rounder for a larger `blunt`."""
    along = np.linspace(0, 1, ROWS)
    return _both(width * (1 - along**blunt) ** 0.55 * (0.16 + 0.84 * np.sin(np.pi / 2 * np.minimum(along / 0.6, 1))))


def diamond(width: float, teeth: float) -> Array:
    """A rhombus with a few blunt teeth on its outer edges."""
    along = np.linspace(0, 1, FINE_ROWS)
    rhombus = 1 / ((0.38 / (along + 0.01)) ** 4 + (0.62 / (1.01 - along)) ** 4) ** 0.25
    edge = np.clip(along - 0.25, 0, 1) * (1 - along) ** 1.5 * 10
    return _both(width * 1.1 * rhombus * (1 + teeth * edge * np.cos(2 * np.pi * 4.6 * along)))


def lobed(width: float, lobes: float, depth: float, club: float, shift: float) -> Array:
    """Side lobes, cut more deeply towards the base, and a larger lobe at the tip.

    `club` is how much narrower the leaf is at its base, `shift` by what share of a lobe the sides differ.
    """
    along = np.linspace(0, 1, FINE_ROWS)
    body = width * along**club * (1 - along**4) ** 0.6
    cut = depth * np.minimum((1 - along) * 1.6, 1)
    waves = [0.5 - 0.5 * np.cos(2 * np.pi * (lobes * along + offset)) for offset in (0.0, shift)]
    return np.stack([body * (1 - cut * wave) for wave in waves])


def kidney(notch: float, tip: float = 0.0, breadth: float = 0.12) -> Array:
    """A round blade with a `notch` at the stalk and one, `tip`, opposite, wider than long by `breadth`."""
    angles = np.linspace(-np.pi, np.pi, 49)
    sideways = 1 + breadth * np.sin(angles) ** 2
    return sideways * (1 - notch * _bump(np.pi - np.abs(angles), 0.5) - tip * _bump(angles, 0.45))


def palmate(lobes: int, depth: float) -> Array:
    """A round blade of rounded lobes, each with three blunt teeth."""
    angles = np.linspace(-np.pi, np.pi, 97)
    lobe = np.abs(np.cos(angles * lobes / 2))
    rim = 1 - depth * (1 - lobe**0.8) + 0.15 * depth * lobe * np.cos(angles * lobes * 3)
    return rim * (1 - 0.8 * _bump(np.pi - np.abs(angles), 0.3))


def _bump(offset: Array, breadth: float) -> Array:
    return np.exp(-((offset / breadth) ** 2))


def _both(half: Array) -> Array:
    return np.stack([half, half])
