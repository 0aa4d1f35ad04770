"""The ranges that are compared."""

from collections.abc import Mapping

from job_manager.domain.search_space import (
    FIXED_HYPERPARAMETERS,
    SEARCH_SPACE,
    Choice,
    Continuous,
    Integer,
    SearchSpace,
    as_text,
    heads_of_a_job,
)

NARROW: SearchSpace = {
    "learning_rate": Continuous(2e-3, 8e-3, logarithmic=True),
    "epochs": Integer(10, 16),
    "batch_size": Integer(64, 192, logarithmic=True),
    "augmentation": Continuous(0.6, 0.9),
    "dropout": Continuous(0.1, 0.4),
    "weight_decay": Continuous(0.3, 3.0, logarithmic=True),
}
"""The usual ranges before this benchmark, where heads of seedling photographs are good."""
SPACES: Mapping[str, SearchSpace] = {"narrow": NARROW, "usual": SEARCH_SPACE}


def fixed(space: str, heads: int) -> dict[str, str]:
    """The hyperparameters that a job gets beside those that are searched."""
    return dict(heads_of_a_job(SPACES[space], FIXED_HYPERPARAMETERS, heads))


def middle(space: str) -> dict[str, str]:
    """The middle of each range, on its scale: the first that a search tries, and what no search would take."""
    return {name: _middle(of) for name, of in SPACES[space].items()}


def identity(space: str) -> str:
    """A text that is another one for other ranges or other fixed values."""
    return as_text(SPACES[space], FIXED_HYPERPARAMETERS)


def _middle(of: Continuous | Integer | Choice) -> str:
    assert not isinstance(of, Choice)
    middle = (of.low * of.high) ** 0.5 if of.logarithmic else (of.low + of.high) / 2
    return str(round(middle)) if isinstance(of, Integer) else f"{middle:.4g}"
