"""A bed of gravel seen from above."""

import numpy as np
from PIL import Image

from .surface import Array

STONES = np.array(
    [
        (0.72, 0.61, 0.48),
        (0.65, 0.53, 0.40),
        (0.57, 0.46, 0.34),
        (0.80, 0.72, 0.61),
        (0.65, 0.49, 0.32),
        (0.50, 0.44, 0.37),
        (0.72, 0.48, 0.29),
        (0.38, 0.31, 0.26),
        (0.62, 0.56, 0.50),
    ]
)
FREQUENCY = np.array([0.22, 0.22, 0.17, 0.08, 0.1, 0.09, 0.02, 0.04, 0.06])

LABELLED = 0.2  # share of the beds with the tray's label in view


def gravel(rng: np.random.Generator, size: int, grain: float, light: tuple[float, float]) -> Array:
    """Stones of about `grain` pixels on finer ones, lit from `light` (x, y); RGB 0 to 1 (size, size, 3)."""
    fine, _ = _stones(rng, size, grain * 0.45, light)
    coarse, cover = _stones(rng, size, grain, light)
    bed = fine * 0.72 * (1 - cover) + coarse * cover
    bed *= 1 + _field(rng, size, size / 3, 0.2)[..., None]
    return _with_label(rng, bed) if rng.random() < LABELLED else bed


def _stones(rng: np.random.Generator, size: int, grain: float, light: tuple[float, float]) -> tuple[Array, Array]:
    """One layer of stones, (size, size, 3), and where they lie, 0 to 1 (size, size, 1).

    Each point belongs to the stone with the nearest centre, relative to the stone's size. Coordinates are warped a
    little, so that no edge is straight.
    """
    cells = int(np.ceil(size / grain)) + 4
    row, column = np.indices((cells, cells))
    middle_x = ((column - 2 + rng.random((cells, cells))) * grain).ravel()
    middle_y = ((row - 2 + rng.random((cells, cells))) * grain).ravel()
    radius = rng.uniform(0.4, 0.95, cells * cells) * grain
    y, x = np.indices((size, size)) + 0.5
    first = (y / grain + 1).astype(int) * cells + (x / grain + 1).astype(int)
    x, y = (axis + _field(rng, size, grain * 0.5, grain * 0.22) for axis in (x, y))
    nearest, second = np.full((size, size), 9.0), np.full((size, size), 9.0)
    slope, stone = np.zeros((size, size)), np.zeros((size, size), dtype=int)
    for step in range(9):
        index = first + step // 3 * cells + step % 3
        dx, dy, reach = x - middle_x[index], y - middle_y[index], radius[index]
        distance = np.sqrt(dx * dx + dy * dy) / reach
        closer = distance < nearest
        second = np.where(closer, nearest, np.minimum(second, distance))
        nearest = np.where(closer, distance, nearest)
        slope = np.where(closer, (dx * light[0] + dy * light[1]) / reach, slope)
        stone = np.where(closer, index, stone)
    edge = np.clip(np.minimum((second - nearest) * 2.5, (1.2 - nearest) * 4), 0, 1)
    shade = (1.1 + 0.3 * slope - 0.22 * nearest * nearest) * (0.62 + 0.38 * edge)
    shade *= 1 + _field(rng, size, max(grain * 0.2, 1.5), 0.13) + 0.08 * (rng.random((size, size)) - 0.5)
    colour = STONES[rng.choice(len(STONES), cells * cells, p=FREQUENCY)] * rng.uniform(0.78, 1.15, (cells * cells, 1))
    return colour[stone] * shade[..., None], np.clip((1.25 - nearest) * 6, 0, 1)[..., None]


def _field(rng: np.random.Generator, size: int, cell: float, strength: float) -> Array:
    """Smooth noise of about ± `strength` that changes over `cell` pixels, (size, size)."""
    count = int(size / cell) + 2
    noise = Image.fromarray(rng.uniform(-strength, strength, (count, count)).astype(np.float32))
    return np.asarray(noise.resize((size, size), Image.Resampling.BICUBIC), dtype=np.float64)


def _with_label(rng: np.random.Generator, bed: Array) -> Array:
    """The bed with the tray's bar-coded label along one of its sides."""
    size = len(bed)
    bars = np.repeat(rng.random(size) < 0.5, rng.integers(1, 5, size) * max(size // 75, 1))[:size]
    width, margin = int(size * rng.uniform(0.08, 0.2)), max(size // 40, 1)
    bed[width : width + margin] *= 0.55
    bed[:width] = 0.8 + _field(rng, size, size / 3, 0.08)[:width, :, None]
    bed[: width - margin, bars] = [0.17, 0.16, 0.17]
    return np.ascontiguousarray(np.rot90(bed, int(rng.integers(4))))
