"""Two runs side by side."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from ...terminal.table import Column, FittedTable, Row
from ...terminal.text import printable
from .values import minute, number, percent

Run = Mapping[str, Any]
SAME = "Both were scored on the same images."
OTHERS = "They were scored on different images, so a small difference in accuracy says little."
NOT_SCORED = "{} has not been scored: its state is {}."


def figures(one: Run, other: Run) -> FittedTable:
    """What is known of both, a row for each figure; a figure that neither has is left out."""
    columns = (Column(""), Column(one["run_id"]), Column(other["run_id"]))
    rows = [Row((name, value(one), value(other))) for name, value in FIGURES if value(one) or value(other)]
    return FittedTable(columns, rows)


def changes(one: Run, other: Run) -> FittedTable | None:
    """The accuracy under each change that both were scored under; None without one."""
    ours, theirs = ((run["changes"] or {}).get("by_change", {}) for run in (one, other))
    both = [name for name in ours if name in theirs]
    columns = (Column("Under", wraps=True), Column(one["run_id"], right=True), Column(other["run_id"], right=True))
    rows = [Row((printable(name), percent(ours[name]["accuracy"]), percent(theirs[name]["accuracy"]))) for name in both]
    return FittedTable(columns, rows) if rows else None


def hyperparameters(one: Run, other: Run) -> FittedTable | None:
    """The hyperparameters of the chosen models that differ; None if none do."""
    ours, theirs = (run["hyperparameters"] or {} for run in (one, other))
    names = [name for name in sorted({*ours, *theirs}) if ours.get(name) != theirs.get(name)]
    columns = (Column("Hyperparameter"), Column(one["run_id"], right=True), Column(other["run_id"], right=True))
    rows = [
        Row((printable(name.replace("_", " ")), *(number(values.get(name, "")) for values in (ours, theirs))))
        for name in names
    ]
    return FittedTable(columns, rows) if rows and ours and theirs else None


def verdict(one: Run, other: Run) -> Iterator[str]:
    """Sentences on how far the two can be compared."""
    for run in (one, other):
        if run["test_accuracy"] is None:
            yield NOT_SCORED.format(run["run_id"], run["state"])
    if one["test_accuracy"] is None or other["test_accuracy"] is None:
        return
    same = bool(one["content"]) and one["content"] == other["content"] and seed_of(one) == seed_of(other)
    yield SAME if same else OTHERS
    for run, before in ((one, other), (other, one)):
        champion = (run["evaluation"] or {}).get("champion")
        if run["champion_before"] == before["run_id"] and champion and not champion["error"] and not same:
            scores = f"{percent(champion['accuracy'])}, and {run['run_id']} {percent(run['test_accuracy'])}"
            yield f"On the test images of {run['run_id']}, {before['run_id']} gets {scores}."


def seed_of(run: Run) -> object:
    """What the split of a run's images depends on beside the images."""
    return {name: value for name, value in run["plan"].items() if "seed" in name or "share" in name or "split" in name}


def accuracy(run: Run) -> str:
    """The test accuracy with its interval."""
    if run["test_accuracy"] is None:
        return ""
    low, high = run["test_accuracy_interval"] or (None, None)
    return f"{percent(run['test_accuracy'])} ({percent(low)} to {percent(high)})"


def images(run: Run) -> str:
    """How many images were used, of how many labels."""
    dataset = run["dataset"]
    return f"{dataset['used']:,} of {dataset['images']:,}" if dataset else ""


def minutes(run: Run) -> str:
    """How long the run took."""
    if not run["ended_at"]:
        return ""
    took = datetime.fromisoformat(run["ended_at"]) - datetime.fromisoformat(run["created_at"])
    return f"{took.total_seconds() / 60:.1f} min"


def under_changes(run: Run) -> str:
    """The mean accuracy under changes."""
    return percent(run["changes"]["accuracy"]) if run["changes"] else ""


FIGURES: tuple[tuple[str, Callable[[Run], str]], ...] = (
    ("State", lambda run: str(run["state"])),
    ("Started", lambda run: minute(run["created_at"])),
    ("Took", minutes),
    ("Cost", lambda run: f"${run['cost_usd']:.2f}"),
    ("Plan", lambda run: "full" if run["plan"].get("fine_tuning") else "quick"),
    ("Trials", lambda run: str(len(run["trials"]))),
    ("Images used", images),
    ("Labels", lambda run: str(len(run["dataset"]["labels"])) if run["dataset"] else ""),
    ("Test accuracy", accuracy),
    ("On one view", lambda run: percent(run["single_view"]["accuracy"]) if run["single_view"] else ""),
    ("Macro-F1", lambda run: f"{run['macro_f1']:.3f}" if run["macro_f1"] is not None else ""),
    ("Under changes", under_changes),
    ("Validation", lambda run: percent(run["validation_accuracy"])),
    ("Became best", lambda run: "yes" if run["won"] else "no" if run["ended_at"] else ""),
)
