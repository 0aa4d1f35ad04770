"""Two runs' models on the same images, in the API's answers."""

from .part import Answer, Interval


class Compared(Answer, frozen=True):
    """One of two runs that are compared: its scores on the images that both were tested on."""

    run_id: str
    test_images: int
    accuracy: float
    accuracy_interval: Interval
    confusion: tuple[tuple[int, ...], ...] = ()


class Differing(Answer, frozen=True):
    """An image that only one of two models predicts right. `url` shows it for a quarter of an hour."""

    file: str
    url: str
    label: str
    first: str
    second: str


class Comparison(Answer, frozen=True):
    """Two runs' models on the same images; `difference` is the second's accuracy less the first's."""

    images: int
    labels: tuple[str, ...]
    first: Compared
    second: Compared
    both_right: int
    only_first_right: int
    only_second_right: int
    neither_right: int
    difference: float
    difference_interval: Interval
    p_value: float
    differing: tuple[Differing, ...] = ()
