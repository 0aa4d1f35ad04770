"""The predictions and the pictures of mistakes that evaluate leaves beside its scores."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainer.evaluation.mistakes import Mistake
from trainer.evaluation.predictions import write_pictures
from trainer.types import Floats

WARM = np.eye(4, dtype=np.float32)


def mistake(heat_map: Floats | None) -> Mistake:
    picture = np.full((32, 32, 3), 90, np.uint8)
    return Mistake(
        file="Maize/1.png", truth="Maize", predicted="Fat Hen", confidence=0.9, picture=picture, heat_map=heat_map
    )


def test_each_mistake_leaves_its_picture_and_where_the_model_looked(tmp_path: Path) -> None:
    first, second = write_pictures([mistake(WARM), mistake(None)], tmp_path)

    assert (first["picture"], first["heat_map"]) == ("mistakes/01.jpg", "mistakes/01-heat-map.jpg")
    assert (second["picture"], second["heat_map"]) == ("mistakes/02.jpg", None)
    assert sorted(path.name for path in (tmp_path / "mistakes").iterdir()) == ["01-heat-map.jpg", "01.jpg", "02.jpg"]
    with Image.open(tmp_path / "mistakes/01.jpg") as plain, Image.open(tmp_path / "mistakes/01-heat-map.jpg") as lit:
        assert plain.size == lit.size == (220, 220)
        assert np.asarray(lit).max() > np.asarray(plain).max() + 20


@pytest.mark.parametrize("count", [0, 24])
def test_the_pictures_stay_small(tmp_path: Path, count: int) -> None:
    write_pictures([mistake(WARM)] * count, tmp_path)

    assert sum(path.stat().st_size for path in (tmp_path / "mistakes").iterdir()) <= count * 2 * 30_000
