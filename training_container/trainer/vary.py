"""Training photographs as other people's would look: framed, lit, focused and saved otherwise, at random.

A dataset often comes off one camera through one program, and a network learns both. docs/changes.md measures what this
is worth.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from trainer import changes
from trainer.types import Doubles, Pixels

# The widest that each change is drawn; factors are drawn between exp(-x) and exp(x).
ZOOM = 0.3
SHIFT = 0.12
EXPOSURE = 0.35
CONTRAST = 0.4
GAMMA = 0.4
TINT = 0.15
SATURATION = 0.5
SMALLEST_SCALE = 0.33
BLUR = 1.6
SHARPENING = 1.5
NOISE = 14
LOWEST_QUALITY, HIGHEST_QUALITY = 20, 95
WEBP_SHARE = 0.15

# Of cached views.
SECOND_STEP = 0.5
FARTHEST, CLOSEST, CACHED_SHIFT = 0.35, -0.35, 0.1
BORDER_SHARE = 0.75


def changed_once_or_twice(image: Pixels, rng: np.random.Generator) -> Pixels:
    """A square image in any orientation, with one or two kinds of change, as a cached view of it.

    The layers before a head are frozen, so it can't learn to see through many changes at once as a whole network does.
    """
    image = np.rot90(image, int(rng.integers(4)))
    image = np.ascontiguousarray(image[:, ::-1] if rng.random() < 0.5 else image)
    steps, chances = zip(*_CACHED_STEPS, strict=True)
    drawn = rng.choice(len(steps), size=2, replace=False, p=chances)
    for number in drawn[: 1 + int(rng.random() < SECOND_STEP)]:
        image = steps[number](image, rng)
    return image


def varied(image: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """A square image reframed and resaved."""
    return resaved(reframed(image, strength, rng), strength, rng)


def reframed(image: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """A square image turned by any angle and mirrored at random, as seedlings seen from above may be.

    It is also zoomed and shifted, as far as `strength`, 0 to 1. What lies outside a photograph is a reflection; with a
    probability of `strength` it may also be its edge or any colour, as other programs fill it.
    """
    border = int(rng.choice(changes.BORDERS)) if rng.random() < strength else cv2.BORDER_REFLECT_101
    fill = rng.uniform(0, 255, 3)
    return changes.framed(image, _seen_through(image.shape[0], strength, rng), border, fill.tolist())


def resaved(image: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """The image in other light, out of focus, sharpened, with noise or saved by another program.

    Each happens with a probability of `strength` / 2, `strength` being 0 to 1.
    """

    def happens() -> bool:
        return bool(rng.random() < strength / 2)

    if happens():
        image = _relit(image, rng)
    steps = [step for step in (_softened, _hardened) if happens()]
    if len(steps) > 1 and rng.random() < 0.5:
        steps.reverse()
    for step in steps:
        image = step(image, rng)
    return _encoded(image, rng) if happens() else image


def _seen_through(side: int, strength: float, rng: np.random.Generator) -> Doubles:
    """An affine map (2, 3) from positions in the result to positions in the image."""
    angle = rng.uniform(0, 2 * np.pi)
    scale = np.exp(rng.uniform(-ZOOM, ZOOM) * strength)
    mirror = rng.choice((-1.0, 1.0))
    return _affine(side, angle, scale, mirror, rng.uniform(-SHIFT, SHIFT, 2) * strength)


def _affine(side: int, angle: float, scale: float, mirror: float, shift: Doubles) -> Doubles:
    """Turned about the middle, `scale` times as far away, and shifted by shares of the side."""
    cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
    turn = np.array([[cosine * mirror, -sine], [sine * mirror, cosine]])
    middle = (side - 1) / 2
    shown = middle + shift * side
    return np.hstack([turn, (middle * np.ones(2) - turn @ shown)[:, None]])


def _framed(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Half of the time farther away, as often upright as turned; mostly on a border of one colour, often a grey."""
    away = rng.random() < 0.5
    scale = np.exp(rng.uniform(0, FARTHEST) if away else rng.uniform(CLOSEST, 0.1))
    upright = away and rng.random() < 0.5
    angle = 0.0 if upright else rng.uniform(0, 2 * np.pi)
    border = cv2.BORDER_CONSTANT if rng.random() < BORDER_SHARE else int(rng.choice(changes.BORDERS))
    fill = rng.uniform(0, 255, 3) if rng.random() < 0.3 else np.full(3, _grey(rng))
    seen_through = _affine(image.shape[0], angle, scale, 1.0, rng.uniform(-CACHED_SHIFT, CACHED_SHIFT, 2))
    return changes.framed(image, seen_through, border, fill.tolist())


def _grey(rng: np.random.Generator) -> float:
    return float(rng.choice((0.0, 255.0, rng.uniform(0, 255)), p=(0.22, 0.22, 0.56)))


def _relit(image: Pixels, rng: np.random.Generator) -> Pixels:
    gamma = _factor(GAMMA, rng) if rng.random() < 0.5 else 1.0
    saturation = rng.uniform(1 - SATURATION, 1 + SATURATION)
    tint = [_factor(TINT, rng) for _ in range(3)]
    light = changes.Light(_factor(EXPOSURE, rng), _factor(CONTRAST, rng), gamma, saturation, tint)
    return changes.relit(image, light)


def _softened(image: Pixels, rng: np.random.Generator) -> Pixels:
    match rng.choice(3, p=(0.5, 0.35, 0.15)):
        case 0:
            factor = np.exp(rng.uniform(np.log(SMALLEST_SCALE), 0))
            small = changes.scaled(image, factor, int(rng.choice(changes.REDUCTIONS)))
            return changes.enlarged_to(small, image, int(rng.choice(changes.ENLARGEMENTS)))
        case 1:
            return changes.blurred(image, rng.uniform(0.2, BLUR))
    return np.asarray(cv2.medianBlur(image, 3), np.uint8)


def _hardened(image: Pixels, rng: np.random.Generator) -> Pixels:
    if rng.random() < 0.5:
        return changes.sharpened(image, rng.uniform(0.2, SHARPENING), rng.uniform(0.5, 1.5))
    return changes.noisy(image, rng.uniform(1, NOISE), rng, rng.uniform(1, 2.5), grey=bool(rng.random() < 0.4))


def _encoded(
    image: Pixels, rng: np.random.Generator, reduced: float = 0.6, webp: float = WEBP_SHARE, best: int = HIGHEST_QUALITY
) -> Pixels:
    """Saved at its own or a lower resolution: most programs shrink a photograph before they save it."""
    small = changes.scaled(image, np.exp(rng.uniform(-0.9, 0))) if rng.random() < reduced else image
    kind = changes.WEBP if rng.random() < webp else changes.JPEG
    quality = int(rng.integers(LOWEST_QUALITY, best + 1))
    return changes.enlarged_to(changes.encoded(small, kind, quality, bool(rng.random() < 0.3)), image)


def _encoded_strongly(image: Pixels, rng: np.random.Generator) -> Pixels:
    return _encoded(image, rng, reduced=0.8, webp=0.4, best=90)


def _factor(spread: float, rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(-spread, spread)))


_CACHED_STEPS: Sequence[tuple[Callable[[Pixels, np.random.Generator], Pixels], float]] = (
    (_framed, 0.3),
    (_relit, 0.1),
    (_softened, 0.15),
    (_hardened, 0.15),
    (_encoded_strongly, 0.3),
)
"""What a cached view may have been through, and how often each is drawn."""
