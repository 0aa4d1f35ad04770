"""Harmless changes of a photograph: another camera, program, light or frame, and still the same seedling.

Lengths are in units of 1/150 of the shorter side, so that a change looks the same at every size. Images are RGB,
(height, width, 3), 0 to 255.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from trainer.types import Doubles, Floats, Pixels

UNITS = 150
BORDERS = (cv2.BORDER_REFLECT_101, cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT)
REDUCTIONS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
ENLARGEMENTS = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
JPEG, WEBP = ".jpg", ".webp"
LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
_GRAIN_SIDE = 512
_GRAIN = np.random.default_rng(0).standard_normal((_GRAIN_SIDE, _GRAIN_SIDE, 3)).astype(np.float32)


class Light(NamedTuple):
    """What changes colours; 1 leaves them as they are."""

    exposure: float = 1.0
    contrast: float = 1.0
    gamma: float = 1.0
    """Exponent of the tone curve."""
    saturation: float = 1.0
    tint: Sequence[float] = (1.0, 1.0, 1.0)
    """A factor for red, green and blue: the white balance."""


def encoded(image: Pixels, kind: str, quality: int, full_chroma: bool = False) -> Pixels:
    """Saved as JPEG or WebP of the given quality and read again; JPEG halves the colours' resolution by default."""
    if kind == JPEG:
        sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444 if full_chroma else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
        flags = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    else:
        flags = [cv2.IMWRITE_WEBP_QUALITY, quality]
    _, content = cv2.imencode(kind, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), flags)
    decoded = np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def scaled(image: Pixels, factor: float, interpolation: int = cv2.INTER_AREA) -> Pixels:
    """At another resolution."""
    height, width = image.shape[:2]
    size = max(8, round(width * factor)), max(8, round(height * factor))
    return np.asarray(cv2.resize(image, size, interpolation=interpolation), np.uint8)


def enlarged_to(image: Pixels, like: Pixels, interpolation: int = cv2.INTER_CUBIC) -> Pixels:
    """At the resolution of `like`."""
    if image.shape == like.shape:
        return image
    return np.asarray(cv2.resize(image, like.shape[1::-1], interpolation=interpolation), np.uint8)


def blurred(image: Pixels, radius: float) -> Pixels:
    """Out of focus: a Gaussian of `radius` units."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), _pixels(image, radius)), np.uint8)


def sharpened(image: Pixels, amount: float, radius: float = 1.0) -> Pixels:
    """An unsharp mask of `radius` units, as cameras and programs apply it."""
    soft = cv2.GaussianBlur(image, (0, 0), _pixels(image, radius))
    return np.asarray(cv2.addWeighted(image, 1 + amount, soft, -amount, 0), np.uint8)


def noisy(image: Pixels, deviation: float, rng: np.random.Generator, grain: float = 1.0, grey: bool = False) -> Pixels:
    """With a sensor's noise, of `deviation` levels, each grain `grain` pixels wide; `grey` for brightness alone."""
    height, width = image.shape[:2]
    rows, columns = (min(_GRAIN_SIDE, max(8, round(side / grain))) for side in (height, width))
    top, left = rng.integers(0, _GRAIN_SIDE + 1 - rows), rng.integers(0, _GRAIN_SIDE + 1 - columns)
    grains = _GRAIN[top : top + rows, left : left + columns]
    if grey:
        grains = np.repeat(grains[:, :, :1], 3, axis=2)
    noise: Floats = np.asarray(cv2.resize(grains, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    return _rounded(image + np.float32(deviation) * noise)


def relit(image: Pixels, light: Light) -> Pixels:
    """In another light or by another camera."""
    colours = image.astype(np.float32)
    grey = (colours @ LUMINANCE)[:, :, None]
    colours = np.asarray(grey + np.float32(light.saturation) * (colours - grey), np.float32)
    mean = np.float32(colours.mean())
    contrasted = mean + np.float32(light.contrast) * (colours - mean)
    shown = _rounded(contrasted * (np.float32(light.exposure) * np.asarray(light.tint, np.float32)))
    if light.gamma == 1.0:
        return shown
    curve = _rounded(255 * (np.arange(256) / 255) ** light.gamma)
    return np.asarray(cv2.LUT(shown, curve), np.uint8)


def framed(image: Pixels, seen_through: Doubles, border: int, fill: Sequence[float] = (0.0, 0.0, 0.0)) -> Pixels:
    """The image through an affine map (2, 3) from positions in the result to positions in the image.

    What lies outside the image is one of OpenCV's borders: a reflection, its edge, or the colour `fill`.
    """
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(image, seen_through, image.shape[1::-1], flags=flags, borderMode=border, borderValue=fill)
    return np.asarray(warped, np.uint8)


def _pixels(image: Pixels, units: float) -> float:
    return float(max(0.05, units * min(image.shape[:2]) / UNITS))


def _rounded(values: npt.NDArray[Any]) -> Pixels:
    return np.asarray(np.clip(values + 0.5, 0, 255), np.uint8)
