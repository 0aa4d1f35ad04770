"""The template, the functions and the training container: inside this package in a wheel, beside it in a checkout."""

from pathlib import Path

_IN_A_WHEEL = Path(__file__).with_name("bundled")
_ROOT = _IN_A_WHEEL if _IN_A_WHEEL.is_dir() else Path(__file__).parents[1]

TEMPLATE = _ROOT / "template.yaml"
FUNCTIONS = _ROOT / "functions"
CONTAINER = _ROOT / "training_container"
