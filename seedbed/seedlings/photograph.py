"""A photograph of a plant from above: its surfaces painted on gravel, with light, shadow and camera noise."""

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .soil import gravel
from .surface import Array, Surface

SUPERSAMPLING = 3
GRAIN = 1.6  # mm, of the gravel
EYE = 900.0  # mm, height of the camera


class View:
    """Maps millimetres to pixels. The plant fills the share `fill` of a square image of `size` pixels."""

    def __init__(self, plant: list[Surface], size: int, fill: float, shift: tuple[float, float]) -> None:
        points = np.concatenate([surface.outline[:, :2] for surface in plant])
        low, high = points.min(axis=0), points.max(axis=0)
        self.zoom = fill * size / max(float((high - low).max()), 8.0)
        self._offset = size * (0.5 + np.array(shift)) - self.zoom * (low + high) / 2

    def pixels(self, points: Array) -> Array:
        """(…, 3) in mm to (…, 2) in pixels. Higher points are nearer to the camera, so they appear larger."""
        nearer = self.zoom * (1 + points[..., 2:] / EYE)
        flat: Array = points[..., :2] * nearer + self._offset
        return flat


def photograph(rng: np.random.Generator, plant: list[Surface], size: int) -> Image.Image:
    """The plant as a square RGB image of `size` pixels, with random light and gravel."""
    view = View(plant, size, rng.uniform(0.72, 1.02), (rng.uniform(-0.06, 0.06), rng.uniform(-0.06, 0.06)))
    bearing, steepness = rng.uniform(0, 2 * math.pi), rng.uniform(1.0, 1.3)
    light = np.array(
        [math.cos(bearing) * math.cos(steepness), math.sin(bearing) * math.cos(steepness), math.sin(steepness)]
    )
    grain = min(max(GRAIN * view.zoom * rng.uniform(0.8, 1.25), 3.5), size / 4)
    bed = gravel(rng, size, grain, (light[0], light[1]))
    bed *= 1 - 0.55 * _shadow(plant, view, light, size)
    large = _image(bed).resize((size * SUPERSAMPLING,) * 2, Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(large, "RGBA")
    for surface in sorted(plant, key=lambda surface: float(surface.points[..., 2].max())):
        _paint(rng, pen, surface, view, light)
    return _expose(rng, large.reduce(SUPERSAMPLING), soft=min(0.25 + grain / 40, 1.0))


def _image(values: Array) -> Image.Image:
    return Image.fromarray(np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8))


def _cast(points: Array, light: Array) -> Array:
    """Where the points' shadows fall on the ground, in mm."""
    fallen: Array = points - points[..., 2:] / light[2] * light
    return fallen


def _shadow(plant: list[Surface], view: View, light: Array, size: int) -> Array:
    """How much of the light the plant takes from the ground, 0 to 1 (size, size, 1)."""
    mask = Image.new("L", (size * 2, size * 2))
    pen = ImageDraw.Draw(mask)
    for surface in plant:
        pen.polygon((view.pixels(_cast(surface.outline, light)) * 2).ravel().tolist(), fill=255)
    soft = mask.reduce(2).filter(ImageFilter.GaussianBlur(max(size / 90, 1.2)))
    return np.asarray(soft, dtype=np.float64)[..., None] / 255


def _paint(rng: np.random.Generator, pen: ImageDraw.ImageDraw, surface: Surface, view: View, light: Array) -> None:
    """Paint one surface, cell by cell, with a slight shadow around its rim."""
    falling = surface.outline - 0.6 * light * [1, 1, 0]
    pen.polygon((view.pixels(falling) * SUPERSAMPLING).ravel().tolist(), fill=(10, 14, 4, 40))
    corners = view.pixels(surface.points) * SUPERSAMPLING
    cells = np.concatenate([corners[:-1, :-1], corners[1:, :-1], corners[1:, 1:], corners[:-1, 1:]], axis=-1)
    colours = np.rint(np.clip(_lit(rng, surface, light), 0, 1) * 255).astype(int)
    for cell, colour in zip(cells.reshape(-1, 8).tolist(), colours.reshape(-1, 3).tolist(), strict=True):
        pen.polygon(cell, fill=tuple(colour))
    paint = surface.paint
    pale = tuple(min(int(255 * (channel + 0.35)), 255) for channel in paint.colour)
    for vein in surface.veins:
        line = (view.pixels(vein) * SUPERSAMPLING).ravel().tolist()
        pen.line(line, fill=(*pale, int(255 * paint.veins)), width=max(int(view.zoom * 0.35), 2))


def _lit(rng: np.random.Generator, surface: Surface, light: Array) -> Array:
    """The colours of a surface's cells under the light, RGB 0 to 1 (rows - 1, columns - 1, 3)."""
    mesh, paint = surface.points, surface.paint
    normal = np.cross(mesh[1:, 1:] - mesh[:-1, :-1], mesh[1:, :-1] - mesh[:-1, 1:])
    normal /= np.sqrt((normal * normal).sum(axis=-1, keepdims=True)) + 1e-9
    normal *= np.where(normal[..., 2:] < 0, -1, 1)
    facing = np.clip((normal * light).sum(axis=-1, keepdims=True), 0, 1)
    bisector = light + np.array([0, 0, 1])
    shine = np.clip((normal * bisector).sum(axis=-1, keepdims=True) / np.sqrt((bisector * bisector).sum()), 0, 1) ** 24
    rows, columns = normal.shape[:2]
    uneven = 1 + paint.mottle * rng.uniform(-1, 1, (rows, columns, 1))
    heart = paint.heart * np.clip(1 - np.arange(rows) / (0.5 * rows), 0, 1)[:, None, None]
    lit: Array = np.array(paint.colour) * (0.42 + 0.66 * facing) * uneven * (1 + heart) + 0.5 * paint.gloss * shine
    return lit


def _expose(rng: np.random.Generator, image: Image.Image, soft: float) -> Image.Image:
    """Apply the camera's focus, exposure, white balance and noise."""
    values = np.asarray(image.filter(ImageFilter.GaussianBlur(soft)), dtype=np.float64) / 255
    balance = rng.uniform(0.8, 1.12) * np.array([rng.uniform(0.95, 1.06), 1.0, rng.uniform(0.92, 1.08)])
    noise = rng.uniform(0.01, 0.035) * (rng.random((*values.shape[:2], 1)) + rng.random(values.shape) - 1)
    return _image(values * balance + noise)
