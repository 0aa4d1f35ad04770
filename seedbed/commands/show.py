"""What the commands print: tables, the best model, the e-mail, commands for the next step."""

from collections.abc import Iterable, Iterator, Mapping
from email.message import Message
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from ..local_cloud.environment import REGION
from ..local_cloud.home.folder import Home
from ..stack import Stack
from ..terminal.hints import quoted
from ..terminal.text import printable, printable_lines

STOP_HINT = "Stop with Ctrl-C."
WIDEST = 1000
FILES_SHOWN = 10
UNHEARD = (
    "Nobody could hear of the latest run's end: no e-mail address is confirmed.\n"
    "Open the link in the e-mail from AWS, or set NotificationEmail."
)


def runs_table(runs: list[dict[str, Any]]) -> Group:
    """The runs, newest first, and below them why runs ended without a model, and what an open one waits for."""
    table = plain_table("Run", "State", "Started", "Images", "Test\naccuracy", "Cost", "")
    for column in table.columns:
        column.no_wrap = column.header != "Started"
    for run in runs:
        table.add_row(
            run["run_id"],
            run["state"],
            run["created_at"][:16].replace("T", " "),
            f"{run['images']:,}" if run["images"] else "",
            percent(run["test_accuracy"]),
            f"${run['cost_usd']:.2f}",
            "best" if run["won"] else "",
        )
    told = [(run["run_id"], run["reason"] or (run["notice"] if not run["ended_at"] else None)) for run in runs]
    unheard = [UNHEARD] if runs and runs[0].get("notified") is False else []
    return Group(table, *(printable(f"{run_id}: {text}") for run_id, text in told if text), *unheard)


class TrialsTable:
    """A run's trials, best first: one column per hyperparameter, or one for all of them on a narrow terminal."""

    def __init__(self, run: Mapping[str, Any]) -> None:
        self._run_id = run["run_id"]
        trained = [head for trial in run["trials"] for head in heads_of(trial)]
        self._trials = sorted(trained, key=lambda trial: trial["objective"] or 0.0, reverse=True)
        self._names = varied(self._trials)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table that fits the console."""
        wide = self._table([[name] for name in self._names])
        needed = Measurement.get(console, options.update(max_width=WIDEST), wide).minimum
        yield wide if needed <= options.max_width else self._table([self._names])

    def _table(self, groups: list[list[str]]) -> Table:
        """A table with one column for each group of hyperparameters."""
        titles = [names[0].replace("_", " ") if len(groups) > 1 else "Hyperparameters" for names in groups]
        table = plain_table("Trial", "Validation", *titles, "Status", "Seconds")
        table.columns[0].no_wrap = True
        for trial in self._trials:
            style = "bold green" if trial is self._trials[0] else None
            short = trial["name"].removeprefix(f"{self._run_id}-")
            cells = [settings_text(trial["hyperparameters"], names, named=len(groups) == 1) for names in groups]
            seconds = str(trial["billable_seconds"])
            table.add_row(short, percent(trial["objective"]), *cells, trial["status"], seconds, style=style)
        return table


def heads_of(trial: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The heads that a trial trained, each as a trial; the trial itself if it trained one network."""
    if not trial.get("heads"):
        yield trial
    for number, head in enumerate(trial.get("heads", ()), start=1):
        best = number == trial["best_head"]
        yield {
            **trial,
            "name": f"{trial['name']} head {number}",
            "hyperparameters": {**trial["hyperparameters"], **head["hyperparameters"]},
            "objective": head["validation_accuracy"],
            "billable_seconds": trial["billable_seconds"] if best else "",
        }


def settings_text(values: Mapping[str, str], names: Iterable[str], *, named: bool = True) -> str:
    """Hyperparameters on one line, with their names or without."""
    texts = {name: number(values[name]) for name in names if name in values}
    return ", ".join(f"{name.replace('_', ' ')} {text}" if named else text for name, text in texts.items())


def varied(trials: list[Mapping[str, Any]]) -> list[str]:
    """The hyperparameters that differ between trials."""
    values: dict[str, set[str]] = {}
    for trial in trials:
        for name, value in trial["hyperparameters"].items():
            values.setdefault(name, set()).add(value)
    return sorted(name for name, different in values.items() if len(different) > 1 or len(trials) == 1)


def labels_table(evaluation: Mapping[str, Any]) -> Table:
    """Each label's scores on the test split, the hardest label first."""
    table = plain_table("Label", "Precision", "Recall", "F1", "Images", "Most often taken for")
    scores = sorted(evaluation["per_label"].items(), key=lambda item: item[1]["f1"])
    for label, score in scores:
        shares = [percent(score[name]) for name in ("precision", "recall", "f1")]
        table.add_row(printable(label), *shares, str(score["images"]), printable(confused_with(evaluation, label)))
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


def best_model(best: Mapping[str, Any], taken_by: str, title: str = "The best model") -> Group:
    """A model's scores in a panel, and below it the command that takes it, on one line."""
    low, high = best["test_accuracy_interval"]
    settings = settings_text(best["hyperparameters"], sorted(best["hyperparameters"]))
    dataset = best["dataset"]
    views, single = best.get("views", 1), best.get("single_view")
    averaged = f", averaged over {views} views ({percent(single['accuracy'])} on one)" if single and views > 1 else ""
    lines = [
        f" of the test images right{averaged}",
        f"95% interval {percent(low)} to {percent(high)}, macro-F1 {best['macro_f1']:.3f}",
        f"Validation accuracy {percent(best['validation_accuracy'])}",
        *under_changes(best.get("changes")),
        f"Hyperparameters: {settings}",
        f"{dataset['used']:,} of {dataset['images']:,} images used, {len(dataset['labels'])} labels",
        f"Cost ${best['cost_usd']:.2f}",
        f"Run {best['run_id']}, {best['created_at'][:16].replace('T', ' ')}",
    ]
    text = Text.assemble((percent(best["test_accuracy"]), "bold green"), printable_lines("\n".join(lines)))
    panel = Panel(text, title=title, title_align="left", box=box.ROUNDED, expand=False)
    return Group(panel, unbroken(f"Take it with: {taken_by}"))


def under_changes(changes: Mapping[str, Any] | None) -> Iterator[str]:
    """How the model holds on changed photographs, on one line; nothing if it was not measured."""
    if changes:
        weakest = changes["weakest"]
        lowest = percent(changes["by_change"].get(weakest, {}).get("accuracy"))
        kinds = f"{len(changes['by_change'])} kinds"
        yield f"Under changes {percent(changes['accuracy'])} over {kinds}, weakest: {weakest} {lowest}".rstrip()


def mail_text(message: Message) -> Group:
    """An e-mail as it was sent."""
    head = "\n".join(f"{name}: {message[name]}" for name in ("From", "To", "Subject"))
    body = message.get_payload(decode=True)
    text = body.decode(errors="replace") if isinstance(body, bytes) else ""
    return Group(Rule("The e-mail", align="left"), unbroken(f"{head}\n\n{text.rstrip()}"), Rule())


def unbroken(text: str) -> Text:
    """Text whose lines only the terminal breaks; print it with `crop=False`."""
    return Text(printable_lines(text), no_wrap=True, overflow="ignore")


def refused_note(dataset: Mapping[str, Any]) -> str:
    """One sentence on the images that were left out, empty if none were."""
    kinds = ("refused", "duplicates", "near_duplicates")
    refused, duplicates, near = (len(dataset[name]) + dataset[f"more_{name}"] for name in kinds)
    if not refused and not duplicates and not near:
        return ""
    return (
        f"Left out: {refused:,} refused files, {duplicates:,} duplicates, and {near:,} near-duplicates of images in "
        "another split. The e-mail and the API name them."
    )


def refused_files(dataset: Mapping[str, Any]) -> Iterator[str]:
    """The first refused files with the reasons, those that a person can mend before the others."""
    refused, more = dataset["refused"], dataset["more_refused"]
    if refused:
        yield f"Refused ({len(refused) + more:,}):"
    yield from (printable(f"  {each['file']}: {each['reason']}") for each in refused[:FILES_SHOWN])
    if len(refused) + more > FILES_SHOWN:
        yield f"  and {len(refused) + more - FILES_SHOWN:,} more"


def report_note(report: Path, mosaic: Path) -> str:
    """Links to the report and the mosaic of the dataset."""
    return f"Report:   {report.as_uri()}\nDataset:  {mosaic.as_uri()}"


def champion_note(run: Mapping[str, Any]) -> str:
    """One sentence on whether the run's model is the new best model."""
    champion = run["evaluation"]["champion"]
    if not champion:
        return "This is the first model, so it is now the best model."
    if champion["error"]:
        return f"The previous best model could not be evaluated: {printable(champion['error'])}"
    before = f"the previous one gets {percent(champion['accuracy'])} of the same images right"
    if run["evaluation"].get("changes") and champion.get("changes"):
        before += f", {percent(champion['changes']['accuracy'])} under changes"
    return f"This is now the best model; {before}." if run["won"] else f"The best model stays the same; {before}."


def curl_best(stack: Stack, home: Home) -> str:
    """The command that gets the best model from the API, without the key among its arguments."""
    return f"curl -K {quoted(home.curl)} '{stack.api_url}/models/best'"


def exports(endpoint: str, credentials: Mapping[str, str]) -> str:
    """The shell command that makes AWS's tools use a local cloud."""
    key, secret = credentials["access_key"], credentials["secret_key"]
    where = f"AWS_ENDPOINT_URL={endpoint} AWS_REGION={REGION} AWS_DEFAULT_REGION={REGION}"
    return f"export {where} AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret}"


def plain_table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", padding=(0, 1, 0, 0), pad_edge=False)
    for column in columns:
        table.add_column(column)
    return table


def percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def number(text: str) -> str:
    try:
        return f"{float(text):.3g}"
    except ValueError:
        return printable(text)


def run_details(run: Mapping[str, Any], taken_by: str) -> Group:
    """One run: its state, trials and scores."""
    state = printable(f"{run['run_id']} {run['state']}{': ' + run['reason'] if run['reason'] else ''}")
    parts: list[RenderableType] = [state, *([printable(run["notice"])] if run["notice"] else []), TrialsTable(run)]
    if run["evaluation"]:
        parts += [champion_note(run), labels_table(run["evaluation"]), best_model(run, taken_by, "The run's model")]
    parts += refused_files(run["dataset"]) if run["dataset"] else []
    return Group(*parts)
