"""How the four grasses grow: blades from one point. All lengths in mm; `age` runs from 0 to 1."""

import math

from .growth import Chance, stalk
from .outlines import grass, oval
from .surface import Paint, Pose, Surface, ribbon

GROUND = (0.0, 0.0, 1.0)


def black_grass(chance: Chance, age: float) -> list[Surface]:
    """One to three very thin, long blades, purple at the base."""
    paint, purple = Paint((0.34, 0.45, 0.19), veins=0.05), Paint((0.42, 0.31, 0.22))
    azimuth, plant = chance.bearing(), []
    for number in range(1 + int(age * 2.7)):
        length = (28 + 55 * age) * (1 - 0.2 * number) * chance.near(1, 0.12)
        pose = Pose(
            GROUND,
            chance.near(azimuth + number * math.pi, 0.6),
            rise=chance.near(1.0, 0.25),
            turn=chance.near(0, 0.7),
            droop=chance.near(1.1, 0.4),
            twist=chance.near(0, 0.6),
        )
        plant += [stalk(pose, 4, 1.2, purple), ribbon(pose, length, grass(0.5 + 0.6 * age), chance.tint(paint))]
    return plant


def loose_silky_bent(chance: Chance, age: float) -> list[Surface]:
    """A tuft of short thin blades; a young one has two and passes for black-grass."""
    paint = Paint((0.38, 0.51, 0.21), veins=0.05)
    azimuth, plant = chance.bearing(), []
    for number in range(2 + int(age * 5.5)):
        length = (12 + 26 * age) * chance.near(0.85, 0.3)
        pose = Pose(
            GROUND,
            chance.near(azimuth + number * math.pi, 1.0),
            rise=chance.near(0.85, 0.35),
            turn=chance.near(0, 0.7),
            droop=chance.near(0.9, 0.5),
            twist=chance.near(0, 0.8),
        )
        plant.append(ribbon(pose, length, grass(0.4 + 0.4 * age), chance.tint(paint)))
    return plant


def wheat(chance: Chance, age: float) -> list[Surface]:
    """One to three narrow upright blades, bluish."""
    paint, sheath = Paint((0.37, 0.51, 0.28), veins=0.06, gloss=0.15, heart=0.15), Paint((0.56, 0.62, 0.38))
    azimuth, plant = chance.bearing(), []
    for number in range(1 + int(age * 2.8)):
        length = (25 + 65 * age) * (1 - 0.22 * number) * chance.near(1, 0.1)
        pose = Pose(
            GROUND,
            chance.near(azimuth + number * math.pi, 0.4),
            rise=chance.near(1.1, 0.2),
            turn=chance.near(0, 0.4),
            droop=chance.near(0.9, 0.45),
            roll=chance.near(0, 0.4),
            twist=chance.near(0, 1.0),
        )
        blade = ribbon(pose, length, grass(1.4 + 1.3 * age), chance.tint(paint), fold=0.3)
        plant += [stalk(pose, length * 0.15, 2.2 + age, sheath), blade]
    return plant


def maize(chance: Chance, age: float) -> list[Surface]:
    """Two to four broad arching blades in two ranks, the youngest still rolled up."""
    paint = Paint((0.42, 0.57, 0.20), veins=0.22, gloss=0.2, heart=0.15)
    azimuth, plant = chance.bearing(), []
    for number in range(2 + int(age * 2.9)):
        length = (28 + 60 * age) * (1 - 0.18 * number) * chance.near(1, 0.12)
        shape = oval(chance.near(0.125, 0.02) - 0.012 * number, chance.near(0.42, 0.08), 0.75 if number == 0 else 0.95)
        pose = Pose(
            (0, 0, 1 + 4 * number),
            chance.near(azimuth + number * math.pi, 0.35),
            rise=chance.near(0.9, 0.15),
            turn=chance.near(0, 0.6),
            droop=chance.near(1.35, 0.35),
            roll=chance.near(0, 0.2),
        )
        plant.append(ribbon(pose, length, shape * length, chance.tint(paint), chance.near(0.3, 0.15)))
    rolled = Pose((0, 0, 16), chance.bearing(), chance.near(1.2, 0.1), droop=chance.near(0.2, 0.3))
    return [*plant, ribbon(rolled, 12 + 20 * age, oval(0.9 + 2.2 * age, 0.3), chance.tint(paint), fold=0.9)]
