"""What all seedlings have in common: leaves on stalks, in pairs or rosettes, no two alike."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from .surface import Array, Paint, Pose, Surface, fan, ribbon

GOLDEN = math.radians(137.5)


class Chance:
    """The random choices of one seedling."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self._shade = (self.near(1, 0.09), self.near(1, 0.06), self.near(1, 0.15))

    def near(self, value: float, spread: float) -> float:
        return float(value + self.rng.uniform(-spread, spread))

    def bearing(self) -> float:
        return float(self.rng.uniform(0, 2 * math.pi))

    def tint(self, paint: Paint) -> Paint:
        """The paint of one leaf: the plant's own shade, lighter or darker than its other leaves."""
        light = self.near(1, 0.08)
        red, green, blue = (
            channel * shade * light * self.near(1, 0.04)
            for channel, shade in zip(paint.colour, self._shade, strict=True)
        )
        return replace(paint, colour=(red, green, blue))

    def opposite(self, azimuth: float) -> tuple[float, float]:
        """The azimuths of a pair of leaves."""
        return self.near(azimuth, 0.15), self.near(azimuth + math.pi, 0.15)

    def rosette(self, azimuth: float, count: int) -> Iterator[tuple[float, float]]:
        """Azimuths and relative sizes of `count` leaves, the oldest and largest first."""
        for number in range(count):
            yield self.near(azimuth + number * GOLDEN, 0.2), (1 - 0.75 * number / max(count, 3)) * self.near(1, 0.08)


def stalk(pose: Pose, length: float, width: float, paint: Paint) -> Surface:
    half_widths = np.tile(np.linspace(0.6, 0.4, 7) * width, (2, 1))
    return ribbon(replace(pose, roll=0.0, twist=0.0), length, half_widths, paint, fold=-0.5)


def leaf(chance: Chance, stem: Surface, length: float, shape: Array, paint: Paint) -> list[Surface]:
    """A stalk and its blade, which is nearly level and `length` mm long."""
    pose = Pose(
        stem.middle(1),
        chance.near(stem.heading, 0.1),
        rise=chance.near(0.25, 0.2),
        turn=chance.near(0, 0.35),
        droop=chance.near(0.45, 0.35),
        roll=chance.near(0, 0.3),
    )
    return [stem, ribbon(pose, length, shape * length, chance.tint(paint), chance.near(0.15, 0.15))]


def round_leaf(chance: Chance, stem: Surface, radius: float, rim: Array, paint: Paint) -> list[Surface]:
    """A stalk and the round blade around its end, with a radius in mm."""
    pose = Pose(stem.middle(1), chance.near(stem.heading, 0.25), chance.near(0.05, 0.25), roll=chance.near(0, 0.3))
    return [stem, fan(pose, radius * rim, chance.tint(paint), chance.near(0.12, 0.15))]
