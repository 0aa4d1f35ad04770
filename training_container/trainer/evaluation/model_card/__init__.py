"""The model card: what the model is, its use and its scores, as Markdown and as SageMaker's ModelCard content."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from trainer.evaluation.model_card import statements, usage
from trainer.evaluation.model_card.content import content
from trainer.evaluation.model_card.statements import PREPROCESSING
from trainer.evaluation.model_card.wording import in_markdown, percent, short

MARKDOWN = "model_card.md"
CONTENT = "model_card.json"

__all__ = ["CONTENT", "MARKDOWN", "PREPROCESSING", "write"]


def write(folder: Path, facts: Mapping[str, Any], evaluation: Mapping[str, Any]) -> None:
    """Writes `model_card.md` and `model_card.json` from the contents of model.json and evaluation.json.

    Labels and names may hold anything: both files show them as text, never as markup. The JSON is a single line, as the
    `Content` of CreateModelCard must be.
    """
    (folder / CONTENT).write_text(json.dumps(content(facts, evaluation), ensure_ascii=False), encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=False,  # noqa: S701 - not HTML: `finalize` escapes every text for Markdown
        finalize=in_markdown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "short": short}
    page = environment.get_template("model_card.md.jinja").render(
        facts=facts,
        evaluation=evaluation,
        statements=statements,
        usage=usage,
        formats=usage.formats(evaluation["exports"]),
        licence=statements.licence(str(facts["backbone"])),
        date=f"{datetime.now(UTC):%-d %B %Y}",
    )
    (folder / MARKDOWN).write_text(page, encoding="utf-8")
