"""What a person sees of what came out: tables, the best model, the e-mail, the commands to go on with."""

import shlex
from collections.abc import Mapping
from email.message import Message
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from ..local_cloud.environment import REGION
from ..local_cloud.home.folder import Home
from ..stack import Stack


def runs_table(runs: list[dict[str, Any]]) -> Table:
    """The runs, newest first."""
    table = plain_table("Run", "State", "Started", "Images", "Test accuracy", "Cost", "")
    for run in runs:
        mark = "best so far" if run["won"] else escape(run["reason"] or "")
        table.add_row(
            run["run_id"],
            run["state"],
            run["created_at"][:19].replace("T", " "),
            f"{run['images']:,}" if run["images"] else "",
            percent(run["test_accuracy"]),
            f"${run['cost_usd']:.2f}",
            mark,
        )
    return table


def trials_table(run: Mapping[str, Any]) -> Table:
    """A run's trials, best first."""
    trials = sorted(run["trials"], key=lambda trial: trial["objective"] or 0.0, reverse=True)
    names = varied(trials)
    table = plain_table("Trial", "Validation", *[name.replace("_", " ") for name in names], "Status", "Seconds")
    table.columns[0].no_wrap = True
    for trial in trials:
        values = [number(trial["hyperparameters"].get(name, "")) for name in names]
        seconds = str(trial["billable_seconds"])
        style = "bold green" if trial is trials[0] else None
        short = trial["name"].removeprefix(f"{run['run_id']}-")
        table.add_row(short, percent(trial["objective"]), *values, trial["status"], seconds, style=style)
    return table


def varied(trials: list[dict[str, Any]]) -> list[str]:
    """The hyperparameters that are not the same in all trials."""
    values: dict[str, set[str]] = {}
    for trial in trials:
        for name, value in trial["hyperparameters"].items():
            values.setdefault(name, set()).add(value)
    return sorted(name for name, different in values.items() if len(different) > 1 or len(trials) == 1)


def labels_table(evaluation: Mapping[str, Any]) -> Table:
    """Scores of each label on the test split, hardest first."""
    table = plain_table("Label", "Precision", "Recall", "F1", "Test images", "Most often taken for")
    scores = sorted(evaluation["per_label"].items(), key=lambda item: item[1]["f1"])
    for label, score in scores:
        shares = [percent(score[name]) for name in ("precision", "recall", "f1")]
        table.add_row(escape(label), *shares, str(score["images"]), escape(confused_with(evaluation, label)))
    return table


def confused_with(evaluation: Mapping[str, Any], label: str) -> str:
    labels = evaluation["labels"]
    if not evaluation["confusion"]:
        return ""
    mistakes = [
        (count, name)
        for name, count in zip(labels, evaluation["confusion"][labels.index(label)], strict=True)
        if name != label and count
    ]
    return "{1} ({0})".format(*max(mistakes)) if mistakes else ""


def best_panel(best: Mapping[str, Any], title: str = "The best model") -> Panel:
    """A model's scores."""
    low, high = best["test_accuracy_interval"]
    settings = ", ".join(f"{name} {number(value)}" for name, value in sorted(best["hyperparameters"].items()))
    dataset = best["dataset"]
    views, single = best.get("views", 1), best.get("single_view")
    averaged = (
        f", {views} turned views averaged; {percent(single['accuracy'])} by one alone" if single and views > 1 else ""
    )
    lines = [
        f"[bold green]{percent(best['test_accuracy'])}[/] of the test images right, macro-F1 {best['macro_f1']:.3f}",
        f"95 % interval {percent(low)} to {percent(high)}{averaged}",
        f"Validation accuracy {percent(best['validation_accuracy'])}",
        f"Trained with {escape(settings)}",
        f"From {dataset['used']:,} of {dataset['images']:,} images, {len(dataset['labels'])} labels",
        f"For ${best['cost_usd']:.2f}",
        f"Run {best['run_id']}, {best['created_at'][:16].replace('T', ' ')}",
        f"Model {escape(best['model_uri'])}",
    ]
    return Panel("\n".join(lines), title=title, title_align="left", box=box.ROUNDED, expand=False)


def mail_panel(message: Message) -> Panel:
    """An e-mail as it was sent."""
    head = "\n".join(f"{name}: {message[name]}" for name in ("From", "To", "Subject"))
    body = message.get_payload(decode=True)
    text = body.decode() if isinstance(body, bytes) else ""
    return Panel(
        escape(f"{head}\n\n{text.rstrip()}"), title="The e-mail", title_align="left", box=box.ROUNDED, expand=False
    )


def refused_note(dataset: Mapping[str, Any]) -> str:
    """One line on what was left out, empty if nothing was."""
    kinds = ("refused", "duplicates", "near_duplicates")
    refused, duplicates, near = (len(dataset[name]) + dataset[f"more_{name}"] for name in kinds)
    if not refused and not duplicates and not near:
        return ""
    return (
        f"Refused {refused:,} files, used {duplicates:,} duplicates once, and left out {near:,} near-duplicates of "
        "images on the other side of the split; the e-mail and the API name them."
    )


def report_note(report: Path, mosaic: Path) -> str:
    """Where the report and the picture of the dataset are, as links."""
    return f"The report:   {report.as_uri()}\nThe dataset:  {mosaic.as_uri()}"


def champion_note(run: Mapping[str, Any]) -> str:
    """One line on who reigned before and who does now."""
    champion = run["evaluation"]["champion"]
    if not champion:
        return "It is the first model, and reigns."
    if champion["error"]:
        return f"The model before it could not be scored: {escape(champion['error'])}"
    before = f"the model before it, which gets {percent(champion['accuracy'])} of the same images right"
    return f"It reigns, instead of {before}." if run["won"] else f"It does not replace {before}."


def curl_best(stack: Stack, home: Home) -> str:
    """The command that asks a local cloud's API for the best model; no other user sees the key among its arguments."""
    return f"curl -K {shlex.quote(str(home.curl))} '{stack.api_url}/models/best'"


def exports(endpoint: str, credentials: Mapping[str, str]) -> str:
    """The line for a shell after which AWS's tools talk to a local cloud."""
    key, secret = credentials["access_key"], credentials["secret_key"]
    where = f"AWS_ENDPOINT_URL={endpoint} AWS_REGION={REGION} AWS_DEFAULT_REGION={REGION}"
    return f"export {where} AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret}"


def plain_table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold")
    for column in columns:
        table.add_column(column)
    return table


def percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def number(text: str) -> str:
    try:
        return f"{float(text):.3g}"
    except ValueError:
        return escape(text)


def run_details(run: Mapping[str, Any]) -> Group:
    """One run: its state, its trials, its scores."""
    state = f"{run['run_id']} {run['state']}{': ' + escape(run['reason']) if run['reason'] else ''}"
    parts: list[RenderableType] = [state, *([escape(run["notice"])] if run["notice"] else []), trials_table(run)]
    if run["evaluation"]:
        parts += [champion_note(run), labels_table(run["evaluation"]), best_panel(run, title="Its model")]
    return Group(*parts)
