"""Small pictures, as files and as text for a page."""

import base64
from io import BytesIO

import numpy as np
from PIL import Image

from trainer.types import Floats, Pixels

SIDE = 220
QUALITY = 82
GLOW = np.array([255, 176, 32], np.float32)
GLOWING, DIMMED = 0.62, 0.45


def jpeg(picture: Pixels) -> bytes:
    """An RGB picture (h, w, 3) as a JPEG of 220 by 220 pixels."""
    content = BytesIO()
    _resized(Image.fromarray(picture)).save(content, "JPEG", quality=QUALITY, optimize=True)
    return content.getvalue()


def data_uri(content: bytes) -> str:
    """A JPEG as a `data:` URI."""
    return "data:image/jpeg;base64," + base64.b64encode(content).decode("ascii")


def overlay_heat_map(picture: Pixels, heat_map: Floats) -> Pixels:
    """The picture (220, 220, 3), dimmed where the heat map (h, w) is 0 and glowing where it is 1."""
    pixels = np.asarray(_resized(Image.fromarray(picture)), np.float32)
    warmth = np.asarray(_resized(Image.fromarray(heat_map)), np.float32).clip(0, 1)[:, :, None]
    lit = pixels * (1 - DIMMED * (1 - warmth))
    return np.asarray(lit + (GLOW - lit) * GLOWING * warmth**1.5, np.uint8)


def _resized(image: Image.Image) -> Image.Image:
    return image.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
