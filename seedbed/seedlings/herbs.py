"""How the eight broad-leaved species grow: two seed leaves, then true leaves. Lengths in mm; `age` runs from 0 to 1."""

import math
from dataclasses import replace

import numpy as np

from .growth import Chance, leaf, round_leaf, stalk
from .outlines import ROWS, diamond, grass, kidney, lobed, oval, palmate, strap
from .surface import Paint, Pose, Surface, ribbon

GROUND = (0.0, 0.0, 1.0)
QUARTER = math.pi / 2


def charlock(chance: Chance, age: float) -> list[Surface]:
    """Seed leaves like hearts set on their points; true leaves coarsely lobed and rough."""
    seed, stem = Paint((0.47, 0.60, 0.22), veins=0.08, heart=0.1), Paint((0.52, 0.58, 0.32))
    true = Paint((0.37, 0.52, 0.20), mottle=0.07, veins=0.25, pairs=4)
    azimuth, radius, plant = chance.bearing(), 4.5 + 1.5 * age, list[Surface]()
    for side in chance.opposite(azimuth):
        foot = stalk(Pose(GROUND, side, 0.35), radius * chance.near(1.35, 0.3), 1.3, stem)
        rim = kidney(0.2, chance.near(0.36, 0.08), 0.3)
        plant += round_leaf(chance, foot, radius * chance.near(1, 0.06), rim, seed)
    for number, (side, share) in enumerate(chance.rosette(azimuth + QUARTER, int(age * 4.6))):
        length = (9 + 15 * age) * share
        shape = lobed(chance.near(0.34, 0.03), chance.near(3.6, 0.4), chance.near(0.32, 0.08), 0.6, chance.near(0, 0.2))
        foot = stalk(Pose((0, 0, 3 + number), side, 0.5), 0.3 * length, 0.8 + length * 0.04, stem)
        plant += leaf(chance, foot, length, shape, true)
    return plant


def cleavers(chance: Chance, age: float) -> list[Surface]:
    """Oval seed leaves on long stalks; above them whorls of narrow leaves about a square stem."""
    seed, true, stem = Paint((0.29, 0.43, 0.20), veins=0.1), Paint((0.31, 0.46, 0.20)), Paint((0.45, 0.39, 0.27))
    azimuth, plant = chance.bearing(), list[Surface]()
    for side in chance.opposite(azimuth):
        length = 7.5 + 3 * age
        foot = stalk(Pose(GROUND, side, 0.35), chance.near(2.5, 1) + 4 * age, 0.9, stem)
        plant += leaf(chance, foot, length, oval(chance.near(0.35, 0.04), 0.5, 0.75), seed)
    top = GROUND
    for whorl in range(int(age * 2.9 + 0.25)):
        shoot = stalk(Pose(top, chance.near(azimuth + QUARTER, 0.7), 1.1), 4 + 7 * age, 1.0, stem)
        plant.append(shoot)
        top, count = shoot.middle(1), int(chance.rng.integers(4, 8))
        for number in range(count):
            side = azimuth + whorl * 0.5 + number * 2 * math.pi / count
            length = (4 + 7 * age) * (1 - 0.25 * whorl) * chance.near(1, 0.15)
            pose = Pose(top, chance.near(side, 0.12), chance.near(0.4, 0.25), droop=chance.near(0.5, 0.3))
            plant.append(ribbon(pose, length, oval(0.15, 0.6, 0.9) * length, chance.tint(true)))
    return plant


def chickweed(chance: Chance, age: float) -> list[Surface]:
    """Crossed pairs of small pointed ovals on stalks."""
    paint, stem = Paint((0.47, 0.62, 0.21), veins=0.1, gloss=0.15), Paint((0.52, 0.52, 0.31))
    azimuth, plant = chance.bearing(), list[Surface]()
    for number in range(1 + int(age * 3.6)):
        width, share = (0.19, 1.0) if number == 0 else (0.31, 1.3 - 0.3 * number)
        for side in chance.opposite(azimuth + number * chance.near(1.5, 0.15)):
            length = (6 + 2.5 * age) * share * chance.near(1, 0.12)
            foot = stalk(Pose((0, 0, 1 + 1.5 * number), side, 0.45), length * (0.25 + 0.35 * age), 0.7, stem)
            plant += leaf(chance, foot, length, oval(chance.near(width, 0.03), 0.43, 1.05), paint)
    return plant


def fat_hen(chance: Chance, age: float) -> list[Surface]:
    """Narrow seed leaves; true leaves diamonds, grey-green and dusted with meal towards the middle."""
    seed, stem = Paint((0.42, 0.53, 0.29), mottle=0.06, heart=0.1), Paint((0.56, 0.48, 0.38))
    true = Paint((0.40, 0.52, 0.32), mottle=0.09, heart=0.4, veins=0.15, pairs=3)
    azimuth, plant = chance.bearing(), list[Surface]()
    for side in chance.opposite(azimuth):
        length = (9 + 3 * age) * chance.near(1, 0.08)
        foot = stalk(Pose(GROUND, side, 0.4), 2 + 2 * age, 1.0, stem)
        plant += leaf(chance, foot, length, strap(chance.near(0.16, 0.02), 4), seed)
    for number in range(int(age * 3.6)):
        for side in chance.opposite(azimuth + (number + 1) * QUARTER):
            length = (9 + 12 * age) * (1 - 0.25 * number) * chance.near(1, 0.1)
            foot = stalk(Pose((0, 0, 2 + 2 * number), side, 0.5), 0.3 * length, 1.0, stem)
            shape = diamond(chance.near(0.235, 0.03), chance.near(0.16, 0.08) * age)
            plant += leaf(chance, foot, length, shape, true)
    return plant


def mayweed(chance: Chance, age: float) -> list[Surface]:
    """Tiny seed leaves without stalks; true leaves feathery."""
    seed, true = Paint((0.40, 0.55, 0.22), veins=0.08), Paint((0.37, 0.52, 0.20), veins=0.0)
    azimuth, plant = chance.bearing(), list[Surface]()
    for side in chance.opposite(azimuth):
        foot = stalk(Pose(GROUND, side, 0.3), 0.8, 0.8, seed)
        plant += leaf(chance, foot, 3.4 + age, strap(chance.near(0.27, 0.02), 3.5), seed)
    for number in range(2 * round(0.55 + age * 3.2)):
        side = azimuth + QUARTER + number * math.pi + (number // 2) * 1.25
        length = (3.5 + 20 * age) * (1 - 0.09 * number) * chance.near(1, 0.12)
        pose = Pose((0, 0, 1.5 + 0.3 * number), chance.near(side, 0.2), 0.45, chance.near(0, 0.5), droop=0.5)
        plant += _feather(chance, pose, length, chance.tint(true))
    return plant


def _feather(chance: Chance, pose: Pose, length: float, paint: Paint) -> list[Surface]:
    """A leaf divided into narrow leaflets on both sides of its axis, the longer ones forked."""
    width = 0.32 + 0.007 * length
    axis = ribbon(pose, length, grass(width, 20), paint)
    leaflets, count = [axis], 2 + int(length / 3)
    for number in range(count):
        place = 0.3 + 0.62 * number / count
        reach = (0.9 + length * 0.24 * math.sin(math.pi * place)) * chance.near(1, 0.2)
        for side in (-1, 1):
            azimuth = pose.azimuth + pose.turn * place + side * chance.near(0.9, 0.15)
            leaflet = Pose(axis.middle(place), azimuth, chance.near(0.15, 0.2))
            leaflets.append(ribbon(leaflet, reach, grass(width * 0.9, 5), paint))
            if reach > 3:
                fork = replace(leaflet, base=leaflets[-1].middle(0.5), azimuth=azimuth - side * 0.75)
                leaflets.append(ribbon(fork, reach * 0.5, grass(width * 0.8, 4), paint))
    return leaflets


def shepherds_purse(chance: Chance, age: float) -> list[Surface]:
    """A rosette: first round leaves, then spoons, then leaves cut into lobes."""
    paint, stem = Paint((0.39, 0.54, 0.23), mottle=0.06, heart=0.12), Paint((0.46, 0.56, 0.30))
    azimuth, plant = chance.bearing(), list[Surface]()
    for side in chance.opposite(azimuth):
        foot = stalk(Pose(GROUND, side, 0.3), 1.8 + 1.5 * age, 0.7, stem)
        plant += leaf(chance, foot, 3.8 + age, oval(chance.near(0.36, 0.03), 0.5, 0.7), paint)
    for number, (side, share) in enumerate(chance.rosette(azimuth + QUARTER, 2 + int(age * 6))):
        length = (3.5 + 13 * age) * (0.5 + 0.5 * share) * chance.near(1, 0.12)
        depth = min(age * 0.9 - 0.15 + 0.05 * number, 0.62)
        spoon = oval(chance.near(0.29, 0.03), 0.58, 0.8)
        shape = lobed(0.3, chance.near(4.5, 0.4), depth, 0.45, chance.near(0, 0.12)) if depth > 0.15 else spoon
        foot = stalk(Pose((0, 0, 1.5 + 0.4 * number), side, 0.35), 0.35 * length, 0.8, stem)
        plant += leaf(chance, foot, length, shape, paint)
    return plant


def cranesbill(chance: Chance, age: float) -> list[Surface]:
    """Kidneys, then round leaves of five to seven lobes, all on long reddish stalks."""
    seed, true = Paint((0.45, 0.58, 0.24), veins=0.08), Paint((0.42, 0.56, 0.23), mottle=0.06, veins=0.18)
    stem = Paint((0.55, 0.47, 0.34))
    azimuth, plant = chance.bearing(), list[Surface]()
    for side in chance.opposite(azimuth):
        foot = stalk(Pose(GROUND, side, 0.45), 3.5 + 8 * age, 0.8, stem)
        plant += round_leaf(chance, foot, 3.6 + age, kidney(chance.near(0.62, 0.06)), seed)
    for side, share in chance.rosette(azimuth + QUARTER, int(age * 4.9)):
        length = (7 + 13 * age) * (0.4 + 0.6 * share)
        foot = stalk(Pose(GROUND, side, 0.6, turn=chance.near(0, 0.4)), length, 0.9, stem)
        rim = palmate(2 * int(chance.rng.integers(2, 4)) + 1, chance.near(0.36, 0.08))
        plant += round_leaf(chance, foot, (4 + 5 * age) * (0.5 + 0.5 * share), rim, true)
    return plant


def sugar_beet(chance: Chance, age: float) -> list[Surface]:
    """Long straps, then glossy ovals with a wavy edge, on reddish stalks."""
    seed, red = Paint((0.41, 0.56, 0.23), gloss=0.2), Paint((0.58, 0.42, 0.33))
    true = Paint((0.38, 0.55, 0.20), mottle=0.05, veins=0.3, gloss=0.25, pairs=4)
    azimuth, plant = chance.bearing(), list[Surface]()
    for side in chance.opposite(azimuth):
        foot = stalk(Pose(GROUND, side, 0.35), 2.5 + 2 * age, 1.2, red)
        length = (15 + 8 * age) * chance.near(1, 0.1)
        plant += leaf(chance, foot, length, strap(chance.near(0.13, 0.015), 4), seed)
    for number in range(2 * int(age * 2.8)):
        side = chance.near(azimuth + QUARTER + number * math.pi + (number // 2) * 1.1, 0.25)
        length = (11 + 14 * age) * (1 - 0.13 * number) * chance.near(1, 0.1)
        wave = 1 + 0.05 * np.sin(np.linspace(0, chance.near(22, 4), ROWS))
        foot = stalk(Pose((0, 0, 2.0 + number), side, 0.5), 0.3 * length, 1.3, red)
        plant += leaf(chance, foot, length, oval(chance.near(0.27, 0.03), 0.55, 0.85) * wave, true)
    return plant
