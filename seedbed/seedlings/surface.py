"""Leaves and stalks as curved surfaces in space, in millimetres with z up."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Point = tuple[float, float, float]

COLUMNS = 8
RIBS = 5


@dataclass(frozen=True)
class Pose:
    """Where a leaf begins and how it runs from there; angles in radians.

    `rise` is the angle above the ground and `roll` the tilt around the leaf's axis, both at the base; `turn`, `droop`
    and `twist` are the changes of azimuth, rise and roll from base to tip.
    """

    base: Point
    azimuth: float
    rise: float
    turn: float = 0.0
    droop: float = 0.0
    roll: float = 0.0
    twist: float = 0.0


@dataclass(frozen=True)
class Paint:
    """A surface's look: its colour as RGB 0 to 1, and the rest as shares of it.

    `mottle` is random unevenness, `heart` how much paler the base is, `veins` how much paler the veins are,
    `gloss` the strength of its highlight, `pairs` the number of veins on each side of its midrib.
    """

    colour: tuple[float, float, float]
    mottle: float = 0.04
    heart: float = 0.0
    veins: float = 0.2
    gloss: float = 0.1
    pairs: int = 0


@dataclass(frozen=True)
class Surface:
    """A mesh of points (rows, columns, 3), and its veins as lines of points (n, 3)."""

    points: Array
    paint: Paint
    veins: tuple[Array, ...] = ()

    def middle(self, share: float) -> Point:
        """The point on the middle line at a share of its length, 0 to 1 from base to tip."""
        rows, columns, _ = self.points.shape
        x, y, z = self.points[int(share * (rows - 1)), columns // 2].tolist()
        return x, y, z

    @property
    def heading(self) -> float:
        """The azimuth at which the middle line ends."""
        (x, y, _), (end_x, end_y, _) = self.middle(0.7), self.middle(1)
        return math.atan2(end_y - y, end_x - x)

    @property
    def outline(self) -> Array:
        """The mesh's rim as a closed line of points (n, 3)."""
        mesh = self.points
        return np.concatenate([mesh[0], mesh[1:, -1], mesh[-1, -2::-1], mesh[-2::-1, 0]])


def _frame(pose: Pose, along: Array) -> tuple[Array, Array, Array]:
    """Unit vectors forward, sideways and upwards of the leaf, each (n, 3), at the shares `along` of its length."""
    azimuth, rise, roll = (
        pose.azimuth + pose.turn * along,
        pose.rise - pose.droop * along,
        pose.roll + pose.twist * along,
    )
    level = np.zeros_like(along)
    forward = np.stack([np.cos(rise) * np.cos(azimuth), np.cos(rise) * np.sin(azimuth), np.sin(rise)], axis=-1)
    side = np.stack([-np.sin(azimuth), np.cos(azimuth), level], axis=-1)
    up = np.cross(forward, side)
    tilt = roll[:, None]
    return forward, side * np.cos(tilt) + up * np.sin(tilt), up * np.cos(tilt) - side * np.sin(tilt)


def ribbon(pose: Pose, length: float, widths: Array, paint: Paint, fold: float = 0.1) -> Surface:
    """A blade along a curved midrib.

    `widths` (2, rows) are the half-widths to the left and right of the midrib, in mm, from base to tip; `fold` is how
    steeply both halves rise towards their edges.
    """
    rows = widths.shape[1]
    along = np.linspace(0, 1, rows)
    forward, side, up = _frame(pose, along)
    spine = np.cumsum(forward, axis=0) * (length / rows) + np.array(pose.base)
    across = np.linspace(-1, 1, COLUMNS + 1)
    reach = np.where(across < 0, widths[0][:, None], widths[1][:, None]) * across
    points = spine[:, None] + reach[..., None] * side[:, None] + fold * (reach * across)[..., None] * up[:, None]
    return Surface(points, paint, _ribbon_veins(points, paint.pairs))


def _ribbon_veins(points: Array, pairs: int) -> tuple[Array, ...]:
    rows, middle = len(points), COLUMNS // 2
    veins = [points[: rows - 1, middle]]
    for start in np.linspace(0.1, 0.75, pairs):
        first, last = int(start * rows), min(int((start + 0.17) * rows), rows - 1)
        veins += [np.stack([points[first, middle], points[last, edge]]) for edge in (1, COLUMNS - 1)]
    return tuple(veins)


def fan(pose: Pose, rim: Array, paint: Paint, cup: float) -> Surface:
    """A round blade around the end of its stalk.

    `rim` (n,) are the radii in mm at equal angles around the blade, starting and ending at the stalk; `cup` is how much
    the rim is raised.
    """
    forward, side, up = (vector[0] for vector in _frame(pose, np.zeros(1)))
    angles = np.linspace(-np.pi, np.pi, len(rim))
    out = np.linspace(0, 1, COLUMNS // 2 + 2)
    direction = np.cos(angles)[:, None] * forward + np.sin(angles)[:, None] * side
    reach = rim[:, None] * out
    points = np.array(pose.base) + reach[..., None] * direction[:, None] + (cup * reach * out)[..., None] * up
    spread = np.linspace(0.2, 0.8, RIBS) * (len(rim) - 1)
    return Surface(points, paint, tuple(points[int(row), :-1] for row in spread))
