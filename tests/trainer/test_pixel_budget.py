"""Large images are decoded at the same time only as far as there is room for their pixels."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from tests.waiting import PATIENCE, wait_for
from trainer.decoding.pixel_budget import PixelBudget


def test_images_that_fit_together_are_decoded_together() -> None:
    budget = PixelBudget(100)
    with budget.taken(60), budget.taken(40):
        pass


@pytest.mark.parametrize("wanted", [60, 1000], ids=["more than is left", "more than there is"])
def test_an_image_waits_until_there_is_room(wanted: int) -> None:
    budget, started, order = PixelBudget(100), Event(), list[str]()

    def decode() -> None:
        started.set()
        with budget.taken(wanted):
            order.append("second")

    with ThreadPoolExecutor(1) as threads:
        with budget.taken(60):
            second = threads.submit(decode)
            assert started.wait(PATIENCE)
            order.append("first")
        second.result(PATIENCE)
    assert order == ["first", "second"]


def test_an_image_that_fails_leaves_its_room() -> None:
    budget = PixelBudget(100)
    with pytest.raises(ValueError, match="damaged"), budget.taken(100):
        raise ValueError("damaged")
    with ThreadPoolExecutor(1) as threads:
        again = threads.submit(lambda: budget.taken(100).__enter__())
        assert wait_for(again.done, "room")
