"""Augmentation of training photographs: seedlings seen from above may be turned in any way."""

import cv2
import numpy as np

from trainer.types import Doubles, Floats, Pixels

# Ranges at full strength.
ZOOM = 0.3
SHIFT = 0.12
BRIGHTNESS = 0.25
CONTRAST = 0.25
TINT = 0.08


def augment(images: Pixels, strength: float, rng: np.random.Generator) -> Floats:
    """Square RGB images (n, size, size, 3), each turned, mirrored, zoomed, shifted and recoloured; still 0 to 255.

    `strength`, 0 to 1, scales all but turning and mirroring, as any orientation is equally likely.
    """
    maps = _affine_maps(len(images), images.shape[1], strength, rng)
    warped = np.stack([_warped(image, affine) for image, affine in zip(images, maps, strict=True)])
    return _recoloured(warped.astype(np.float32), strength, rng)


def _affine_maps(images: int, size: int, strength: float, rng: np.random.Generator) -> Doubles:
    """For each image the affine map (2, 3) from positions in the result to positions in the image."""
    angle = rng.uniform(0, 2 * np.pi, images)
    scale = np.exp(rng.uniform(-ZOOM, ZOOM, images) * strength)
    mirror = rng.choice((-1.0, 1.0), images)
    cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
    turn = np.stack([np.stack([cosine * mirror, -sine], -1), np.stack([sine * mirror, cosine], -1)], 1)
    middle = (size - 1) / 2
    shown = middle + rng.uniform(-SHIFT, SHIFT, (images, 2)) * strength * size
    offset = middle - np.einsum("nij,nj->ni", turn, shown)
    return np.concatenate([turn, offset[:, :, None]], axis=2)


def _warped(image: Pixels, affine: Doubles) -> Pixels:
    side = image.shape[0]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(image, affine, (side, side), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(warped, np.uint8)


def _recoloured(images: Floats, strength: float, rng: np.random.Generator) -> Floats:
    def factors(spread: float, channels: int) -> Floats:
        drawn = np.exp(rng.uniform(-spread, spread, (len(images), 1, 1, channels)) * strength)
        return drawn.astype(np.float32)

    mean = images.mean(axis=(1, 2), keepdims=True)
    contrasted = mean + (images - mean) * factors(CONTRAST, 1)
    recoloured: Floats = np.clip(contrasted * factors(BRIGHTNESS, 1) * factors(TINT, 3), 0, 255)
    return recoloured


def cutmix(images: Floats, targets: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Each image with a rectangle of another, targets in proportion (CutMix: Yun et al. 2019, arXiv 1905.04899)."""
    size = images.shape[1]
    half = np.sqrt(rng.uniform()) * size / 2
    middle = rng.uniform(0, size, 2)
    (top, left), (bottom, right) = (np.clip(middle + side * half, 0, size).astype(int) for side in (-1, 1))
    other = rng.permutation(len(images))
    images = images.copy()
    images[:, top:bottom, left:right] = images[other, top:bottom, left:right]
    share = np.float32((bottom - top) * (right - left) / size**2)
    return images, (1 - share) * targets + share * targets[other]
