"""The evaluation as one HTML page that can be mailed: it loads nothing from elsewhere and runs no scripts."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from trainer.evaluation.calibration import Reliability
from trainer.evaluation.candidates import Candidate
from trainer.evaluation.mistakes import Mistake
from trainer.evaluation.report.advice import advice
from trainer.evaluation.report.figures import (
    change_rows,
    confusions,
    interval_rows,
    mistake_count,
    reliability_points,
    weakest_first,
)
from trainer.evaluation.report.pictures import data_uri, jpeg, overlay_heat_map
from trainer.evaluation.saliency import can_explain

MAX_LABELS_CROSSED = 40


@dataclass(frozen=True)
class Findings:
    """The results of an evaluation."""

    evaluation: dict[str, Any]
    """The content of evaluation.json."""
    facts: dict[str, Any]
    """The content of the exported model.json."""
    candidates: list[Candidate]
    chosen: Candidate
    validation_counts: list[int]
    """Validation photographs of each label."""
    parameters: int
    reliability_before: Reliability
    """On the test split, before applying the temperature."""
    reliability_after: Reliability
    mistakes: list[Mistake]
    run: str = ""
    """The run's name, if it is known."""
    champion_run: str = ""
    """The name of the run whose model is the champion."""

    @property
    def objective(self) -> float | None:
        """What the chosen trial, or the first of two, measured on the validation photographs while it was trained."""
        value = self.chosen.members[0].facts.get("validation_accuracy")
        return None if value is None else float(value)

    @property
    def only_heads(self) -> bool:
        """Whether no network was trained as a whole."""
        return all(member.facts.get("kind", "head") == "head" for of in self.candidates for member in of.members)


def write_report(path: Path, found: Findings) -> None:
    """Writes the page; labels and file names may hold anything."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    champion = found.evaluation["champion"] or {}
    environment.filters |= {"percent": _percent, "points": _points, "size": _size}
    page = environment.get_template("report.html").render(
        found=found,
        evaluation=found.evaluation,
        facts=found.facts,
        date=f"{datetime.now(UTC):%-d %B %Y}",
        intervals=interval_rows(found.evaluation),
        per_label=weakest_first(found.evaluation),
        changes=change_rows(found.evaluation),
        mistake_count=mistake_count(found.evaluation),
        confusions=confusions(found.evaluation),
        compared=bool(champion) and "error" not in champion,
        advice=advice(
            found.evaluation, [mistake.confidence for mistake in found.mistakes], only_heads=found.only_heads
        ),
        crossed=len(found.evaluation["labels"]) <= MAX_LABELS_CROSSED,
        reliability=[
            ("before", reliability_points(found.reliability_before)),
            ("after", reliability_points(found.reliability_after)),
        ],
        gallery=[(mistake, data_uri(jpeg(mistake.picture)), _heat_map_uri(mistake)) for mistake in found.mistakes],
        can_explain=can_explain(),
    )
    path.write_text(page, encoding="utf-8", errors="replace")


def _heat_map_uri(mistake: Mistake) -> str | None:
    return None if mistake.heat_map is None else data_uri(jpeg(overlay_heat_map(mistake.picture, mistake.heat_map)))


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f}%"


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f}".replace("-", "\N{MINUS SIGN}")


def _size(count: int) -> str:
    return f"{count / 1e6:.1f}\N{NARROW NO-BREAK SPACE}MB"
