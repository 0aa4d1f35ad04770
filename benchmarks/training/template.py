"""The template's defaults as arguments for the container's verbs."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Ignores CloudFormation's tags, such as !Ref, which parameters don't have."""


_Loader.add_multi_constructor("!", lambda *_: None)


@lru_cache
def _parameters() -> dict[str, dict[str, Any]]:
    content = yaml.load(TEMPLATE.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  a safe loader
    parameters: dict[str, dict[str, Any]] = content["Parameters"]
    return parameters


def default(parameter: str) -> str:
    return str(_parameters()[parameter]["Default"])


def backbone() -> str:
    """Name of the first pretrained network."""
    return default("Backbones").split(",")[0]


def prepare_arguments() -> list[str]:
    options = {
        "--image-size": "ImageSize",
        "--views": "CachedViews",
        "--minimum-per-label": "MinimumImagesPerLabel",
        "--backbones": "Backbones",
        "--fine-tune-size": "FineTuneSize",
    }
    return [word for option, parameter in options.items() for word in (option, default(parameter))]


def evaluate_arguments(exports: str) -> list[str]:
    return ["--views", default("EvaluationViews"), f"--exports={exports}", "--changed-images", default("ChangedImages")]
