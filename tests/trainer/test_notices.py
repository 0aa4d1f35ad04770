"""The dataset's report names images that were stretched, or that show almost nothing."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.trainer.painting import paint
from trainer.decoding.inspection import FLAT, STRETCHED, Inspection
from trainer.decoding.pool import DecoderPool
from trainer.preparation.notices import notice_lines

TWELVE_BITS = STRETCHED.format(bits=12)
NOISE = np.random.default_rng(1).integers(0, 4096, (32, 32)).astype(np.uint16)

NOTICED: dict[str, tuple[Image.Image, tuple[str, ...]]] = {
    "a plain picture": (paint((40, 160, 60), 1), ()),
    "12 bits in 16": (Image.fromarray(NOISE), (TWELVE_BITS,)),
    "16 bits": (Image.fromarray(NOISE << 4), ()),
    "black": (Image.new("RGB", (32, 32)), (FLAT,)),
    "a single red": (Image.new("RGB", (32, 32), "red"), (FLAT,)),
    "almost gray": (Image.fromarray((NOISE % 6 + 100).astype(np.uint8)), (FLAT,)),
    "two colours of equal brightness": (Image.fromarray(np.array([[[200, 0, 0], [0, 102, 0]]] * 2, np.uint8)), ()),
}


@pytest.mark.parametrize("name", NOTICED)
def test_a_picture_is_noticed_for_its_bits_and_contrast(name: str, decoders: DecoderPool, tmp_path: Path) -> None:
    image, notices = NOTICED[name]
    image.save(tmp_path / "image.png")
    (found,) = decoders.inspections([tmp_path / "image.png"], [16])
    assert isinstance(found, Inspection)
    assert found.notices == notices


def test_a_notice_is_one_line_with_a_count_and_few_names() -> None:
    files = [f"Maize/{number}.png" for number in range(8)]
    notices = dict.fromkeys(files, (FLAT,)) | {"Maize/0.png": (TWELVE_BITS,), "Maize/unused.png": (FLAT,)}
    assert notice_lines(files, notices) == [
        f"{FLAT} (7 images): Maize/1.png, Maize/2.png, Maize/3.png, Maize/4.png, Maize/5.png and 2 more.",
        f"{TWELVE_BITS} (1 image): Maize/0.png.",
    ]
