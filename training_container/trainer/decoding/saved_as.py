"""How an image file was saved, as its header tells: its format, quality and size in a few words each."""

from collections.abc import Iterator

from PIL import ImageFile, JpegImagePlugin

from trainer.decoding.kinds import name_of

SAVED_AS = "saved_as"
"""The key of `info` under which an image that was read has these words."""
STANDARD_SUM = 3688
"""Of the 64 numbers of the luminance table in annex K of ITU-T T.81, which most programs scale by their quality."""
QUALITY_STEP = 5
SAMPLINGS = {0: "full", 1: "half", 2: "a quarter of the"}
"""By Pillow's number, the resolution at which a JPEG stores colours."""


def saved_as(image: ImageFile.ImageFile) -> tuple[str, ...]:
    """Words that go on from "is": "PNG", "JPEG of quality 90", "250 x 250 pixels"."""
    return tuple(_words(image))


def _words(image: ImageFile.ImageFile) -> Iterator[str]:
    yield f"{image.width} x {image.height} pixels"
    if isinstance(image, JpegImagePlugin.JpegImageFile):  # one of several pictures is of a format of its own, too
        yield from _of_a_jpeg(image)
        return
    name = name_of(image.format or "")
    yield name
    if image.mode == "P":
        yield f"{name} with a palette"
    elif "A" in image.mode or "transparency" in image.info:
        yield f"{name} with transparency"
    elif image.mode in {"1", "L"}:
        yield f"{name} in grey"


def _of_a_jpeg(image: JpegImagePlugin.JpegImageFile) -> Iterator[str]:
    yield "JPEG"
    if luminance := image.quantization.get(0):
        yield f"JPEG of quality {_quality(sum(luminance))}"
    if sampling := SAMPLINGS.get(JpegImagePlugin.get_sampling(image)):
        yield f"JPEG with colours at {sampling} resolution"
    if image.info.get("progressive"):
        yield "progressive JPEG"
    if image.mode == "L":
        yield "JPEG in grey"


def _quality(table_sum: int) -> int:
    """The quality for which libjpeg's scaling of the standard table has this sum, in steps of five."""
    scale = 100 * table_sum / STANDARD_SUM
    quality = (200 - scale) / 2 if scale <= 100 else 5000 / scale
    return QUALITY_STEP * round(quality / QUALITY_STEP)
