"""What the page on a run shows of its state and of its evaluation."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from markupsafe import Markup

from ..answers.evaluation import ChampionScore, Evaluation, WhenSure
from ..answers.images import File
from ..answers.runs import Run, version_of
from ..charts.bar import bar, interval_bar
from ..words import count, dollars, moment, percent, took
from .matrix import Matrix, matrix
from .now import FREE, expected_of, images_of

Link = Callable[[str | None], str | None]
STATES = {
    "Preparing": "preparing",
    "Merging": "merging",
    "Tuning": "tuning",
    "Refitting": "refitting",
    "FineTuning": "fine-tuning",
    "Evaluating": "evaluating",
}
REFUSED = "Add or mend images as it says: the next upload starts the next run."


@dataclass(frozen=True)
class Head:
    """What a run is, and how far it has come. `next_step` says what to do about one that failed, with a command."""

    run_id: str
    state: str
    active: bool
    failed: bool
    best: bool
    reason: str | None
    notice: str | None
    next_step: str
    again: bool
    started: str
    took: str
    images: str
    dataset: str
    plan: str
    cost: str
    expected: str
    champion_before: str | None
    has_report: bool


@dataclass(frozen=True)
class Fact:
    """A figure with its name and a remark."""

    name: str
    figure: str
    remark: str = ""


@dataclass(frozen=True)
class Scored:
    """A model's accuracy with its interval as a bar."""

    name: str
    accuracy: str
    interval: str
    bar: Markup


@dataclass(frozen=True)
class LabelRow:
    """A label's scores, with bars; `address` leads to its test photographs."""

    label: str
    images: str
    recall: str
    precision: str
    f1: str
    recall_bar: Markup
    precision_bar: Markup
    f1_bar: Markup
    address: str


@dataclass(frozen=True)
class ChangeRow:
    """The accuracy under a harmless change; the champion's is empty if it was not scored."""

    name: str
    accuracy: str
    champion: str
    bar: Markup


@dataclass(frozen=True)
class MistakeView:
    """A confident mistake; `picture`, `heat_map` and `full` are addresses, None where there is none."""

    file: str
    label: str
    predicted: str
    confidence: str
    picture: str | None
    heat_map: str | None
    full: str | None


@dataclass(frozen=True)
class Result:
    """What the test images say of the model."""

    accuracy: str
    images: str
    interval: str
    compared: tuple[Scored, ...]
    against: str
    facts: tuple[Fact, ...]
    matrix: Matrix | None
    labels: tuple[LabelRow, ...]
    changes: tuple[ChangeRow, ...]
    changed_images: str
    unchanged: str
    mistakes: int


def head(run: Run, best_model: str | None) -> Head:
    """The head of a run's page; `best_model` is the run of the best model now."""
    seconds = (run.ended_at - run.created_at).total_seconds() if run.ended_at else None
    again = run.state in {"Failed", "Stopped"}
    return Head(
        run_id=run.run_id,
        state=STATES.get(run.state, run.state.lower()),
        active=run.in_progress,
        failed=run.state in {"Failed", "Refused"},
        best=run.run_id == best_model,
        reason=run.reason,
        notice=run.notice,
        next_step=REFUSED if run.state == "Refused" else "",
        again=again,
        started=moment(run.created_at),
        took=took(seconds),
        images=images_of(run),
        dataset=version_of(run.run_id),
        plan=plan_of(run),
        cost=dollars(run.cost_usd) if run.expected_usd or run.cost_usd else FREE,
        expected=expected_of(run),
        champion_before=run.champion_before,
        has_report=run.report_uri is not None,
    )


def plan_of(run: Run) -> str:
    """What the run was to train."""
    fine = run.plan.fine_tuning
    more = f", then the whole network {fine.trials} times, {fine.epochs} epochs each" if fine else ""
    return f"{'full' if fine else 'quick'}: {count(run.plan.trials)} heads{more}"


def result(run: Run) -> Result | None:
    """The evaluation; None before it."""
    found = run.evaluation
    if not found:
        return None
    mistakes = round(found.images * (1 - found.accuracy))
    return Result(
        accuracy=percent(found.accuracy),
        images=count(found.images),
        interval=" to ".join(map(percent, found.accuracy_interval)),
        compared=compared(found),
        against=against(found, run.champion_before),
        facts=tuple(facts(run, found)),
        matrix=matrix(found.labels, found.confusion, lambda label, said: images_address(run.run_id, label, said)),
        labels=label_rows(run.run_id, found),
        changes=change_rows(found),
        changed_images=count(found.changes.images if found.changes else 0),
        unchanged=percent(found.changes.unchanged.accuracy if found.changes and found.changes.unchanged else None),
        mistakes=mistakes,
    )


def facts(run: Run, found: Evaluation) -> list[Fact]:
    """The figures beside the accuracy."""
    listed = [
        Fact("Macro-F1", percent(found.macro_f1), "every label has equal weight"),
        Fact("Validation accuracy", percent(run.validation_accuracy), "by which it was chosen"),
    ]
    if found.single_view:
        gain = f"averaged over {found.views} views here" if found.views > 1 else "as the model is used"
        listed.append(Fact("A single view", percent(found.single_view.accuracy), gain))
    if found.changes:
        listed.append(Fact("Under changes", percent(found.changes.accuracy), f"weakest: {found.changes.weakest}"))
    if found.when_sure:
        listed.append(Fact("Sure of", percent(found.when_sure.test.sure), wrong_when_sure(found.when_sure)))
    return listed


def wrong_when_sure(when_sure: WhenSure) -> str:
    """How much of what the model is sure of is wrong, beside what was asked for."""
    if when_sure.test.wrong is None:
        return "of the test photographs"
    return f"of the test photographs; {percent(when_sure.test.wrong)} of these are wrong"


def compared(found: Evaluation) -> tuple[Scored, ...]:
    """The model and the champion on one scale; the model alone if there is none to compare with."""
    rows = [("This model", found.accuracy, found.accuracy_interval)]
    champion = found.champion
    if champion and not champion.error:
        rows.append(("The best before it", champion.accuracy, champion.accuracy_interval))
    scale = (max(0.0, min(row[2][0] for row in rows) - 0.03), 1.0)
    return tuple(
        Scored(name, percent(accuracy), " to ".join(map(percent, ends)), interval_bar(accuracy, ends, scale, series))
        for series, (name, accuracy, ends) in enumerate(rows, 1)
    )


def against(found: Evaluation, champion_before: str | None) -> str:
    """How it compares with the best model before it."""
    champion = found.champion
    if not champion or not champion_before:
        return "It was the first model: there was none to compare it with."
    if champion.error:
        return f"The best model before it could not be scored: {champion.error}"
    theirs = f"On the same {count(found.images)} images the best model before it has {percent(champion.accuracy)}"
    return f"{theirs}: {difference(found, champion)}."


def difference(found: Evaluation, champion: ChampionScore) -> str:
    """How many points better or worse, in words."""
    points = round(100 * (found.accuracy - champion.accuracy), 1)
    return "the same" if not points else f"this one is {abs(points):.1f} points {'better' if points > 0 else 'worse'}"


def label_rows(run_id: str, found: Evaluation) -> tuple[LabelRow, ...]:
    """Each label, the lowest F1 first, those without test images last."""
    ranked = sorted(found.per_label.items(), key=lambda item: (not item[1].images, item[1].f1, item[0]))
    return tuple(
        LabelRow(
            label=label,
            images=count(scores.images),
            recall=percent(scores.recall, 0),
            precision=percent(scores.precision, 0),
            f1=percent(scores.f1, 0),
            recall_bar=bar(scores.recall, 1),
            precision_bar=bar(scores.precision, 2),
            f1_bar=bar(scores.f1, 3),
            address=images_address(run_id, label),
        )
        for label, scores in ranked
    )


def change_rows(found: Evaluation) -> tuple[ChangeRow, ...]:
    """Each harmless change, the lowest accuracy first, with a mark at the accuracy unchanged."""
    changes, champion = found.changes, found.champion
    if not changes:
        return ()
    unchanged = changes.unchanged.accuracy if changes.unchanged else None
    others = champion.changes.by_change if champion and champion.changes else {}
    ranked = sorted(changes.by_change.items(), key=lambda item: (item[1].accuracy, item[0]))
    return tuple(
        ChangeRow(
            name=name,
            accuracy=percent(scores.accuracy),
            champion=percent(others[name].accuracy) if name in others else "",
            bar=bar(scores.accuracy, 1, unchanged),
        )
        for name, scores in ranked
    )


def mistakes(files: tuple[File, ...], link: Link) -> tuple[MistakeView, ...]:
    """The most confident mistakes, with their pictures."""
    return tuple(
        MistakeView(
            file=file.file,
            label=file.label or "",
            predicted=file.predicted or "",
            confidence=percent(file.confidence, 0),
            picture=link(file.picture_url or file.url),
            heat_map=link(file.heat_map_url),
            full=link(file.url),
        )
        for file in files
    )


def images_address(run_id: str, label: str = "", predicted: str = "", cursor: str = "") -> str:
    """Where the photographs of a label, or of a cell of the matrix, are shown."""
    given = {"label": label, "predicted": predicted, "cursor": cursor}
    return f"/runs/{run_id}/images?{urlencode({name: text for name, text in given.items() if text})}"
