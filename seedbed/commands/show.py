"""What the commands print: tables, the best model, the e-mail, commands for the next step."""

from collections.abc import Iterator, Mapping
from email.message import Message
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from ..local_cloud.environment import REGION
from ..local_cloud.home.folder import Home
from ..local_cloud.notifications.kept import text_of
from ..stack import Stack
from ..terminal.hints import quoted
from ..terminal.text import printable, printable_lines
from .tables.labels import labels_table
from .tables.trials import TrialsTable, settings_text
from .tables.values import minute, percent

STOP_HINT = "Stop with Ctrl-C."
FILES_SHOWN = 10


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
        *validation(best),
        *under_changes(best.get("changes")),
        *when_sure(best.get("when_sure")),
        f"Hyperparameters: {settings}",
        f"{dataset['used']:,} of {dataset['images']:,} images used, {len(dataset['labels'])} labels",
        f"Cost ${best['cost_usd']:.2f}",
        f"Run {best['run_id']}, {minute(best['created_at'])}",
    ]
    text = Text.assemble((percent(best["test_accuracy"]), "bold green"), printable_lines("\n".join(lines)))
    panel = Panel(text, title=title, title_align="left", box=box.ROUNDED, expand=False)
    return Group(panel, unbroken(f"Take it with: {taken_by}"))


def validation(best: Mapping[str, Any]) -> Iterator[str]:
    """The accuracy of the model as it is used on the images that it was chosen on; older runs do not know it."""
    if best["validation_accuracy"] is not None:
        yield f"Validation accuracy {percent(best['validation_accuracy'])}"


def when_sure(found: Mapping[str, Any] | None) -> Iterator[str]:
    """How much the model is sure of, and how rightly; older runs don't know it."""
    if found:
        test = found["test"]
        wrong = f", {percent(test['wrong'])} of these wrong" if test["wrong"] is not None else ""
        yield f"Sure of {percent(test['sure'])} of the test images{wrong}"


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
    text = text_of(message).rstrip()
    return Group(Rule("The e-mail", align="left"), unbroken(f"{head}\n\n{text}"), Rule())


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


def run_details(run: Mapping[str, Any], taken_by: str) -> Group:
    """One run: its state, trials and scores."""
    state = printable(f"{run['run_id']} {run['state']}{': ' + run['reason'] if run['reason'] else ''}")
    parts: list[RenderableType] = [state, *([printable(run["notice"])] if run["notice"] else []), TrialsTable(run)]
    if run["evaluation"]:
        parts += [champion_note(run), labels_table(run["evaluation"]), best_model(run, taken_by, "The run's model")]
    parts += refused_files(run["dataset"]) if run["dataset"] else []
    return Group(*parts)
