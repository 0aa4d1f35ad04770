"""How good a model is: its accuracy, under changes, and which labels it confuses."""

from collections.abc import Iterator

from ..results.evaluation import Evaluation
from ..results.scores import UnderChanges
from ..run import Run
from .comparison import comparison_of
from .lines import fact
from .notification import Line, Scores
from .wording import counted, interval, name, percent, points, sentence, times

HOLDS = 0.05
"""A model holds under changes if its accuracy falls by less than this."""
HARDEST = 3


def scores_of(run: Run) -> Scores | None:
    """The scores for programs; None without an evaluation."""
    evaluation, compared = run.evaluation, comparison_of(run)
    if evaluation is None:
        return None
    confused = most_confused(evaluation)
    return Scores(
        test_images=evaluation.images,
        accuracy=evaluation.accuracy,
        accuracy_interval=evaluation.accuracy_interval,
        macro_f1=evaluation.macro_f1,
        champion=evaluation.champion,
        difference=round(compared.difference, 4) if compared else None,
        under_changes=evaluation.changes.accuracy if evaluation.changes else None,
        most_confused=(name(confused[0]), name(confused[1])) if confused else None,
    )


def score_lines(run: Run, evaluation: Evaluation) -> Iterator[Line]:
    """The scores for people, the most important first."""
    told = f"{percent(evaluation.accuracy)}, {interval(evaluation.accuracy_interval)}"
    yield fact("Accuracy", f"{told}, macro-F1 {evaluation.macro_f1:.3f}")
    yield from beside_champion(run, evaluation)
    if evaluation.changes:
        yield fact("Under changes", under_changes(evaluation.changes))
    yield from compared_by(evaluation)
    confused = most_confused(evaluation)
    if confused:
        yield fact("Most confused", confusion(*confused))
    elif evaluation.confusion:
        yield fact("Most confused", "no two labels, as every test image was right")
    tested = [(label, score) for label, score in evaluation.per_label.items() if score.images]
    weakest = sorted(tested, key=lambda entry: entry[1].f1)[:HARDEST]
    if weakest:
        yield fact("Hardest labels", ", ".join(f"{name(label)} (F1 {score.f1:.2f})" for label, score in weakest))


def beside_champion(run: Run, evaluation: Evaluation) -> Iterator[Line]:
    champion = evaluation.champion
    if champion is None:
        return
    if champion.error:
        yield fact("The best before it", f"could not be scored: {sentence(champion.error)}")
        return
    scored = f"{percent(champion.accuracy)} of the same images, {interval(champion.accuracy_interval)}"
    named = f", run {run.champion_before}" if run.champion_before else ""
    yield fact("The best before it", f"{scored}, macro-F1 {champion.macro_f1:.3f}{named}")


def under_changes(changes: UnderChanges) -> str:
    """How the model holds on changed photographs."""
    weakest, loss = changes.by_change.get(changes.weakest), changes.unchanged.accuracy - changes.accuracy
    which = f", weakest: {name(changes.weakest)}, {percent(weakest.accuracy)}" if weakest else ""
    verdict = "holds" if loss < HOLDS else f"loses {points(loss)}"
    over = f"{percent(changes.accuracy)} over {counted(len(changes.by_change), 'kind')} of change"
    return f"{verdict}, {over} ({percent(changes.unchanged.accuracy)} unchanged){which}"


def compared_by(evaluation: Evaluation) -> Iterator[Line]:
    """What the model was compared with the best one before it by, where changes count too."""
    champion, ours = evaluation.champion, evaluation.changes
    if ours and champion and champion.changes and ours.comparable_with(champion.changes):
        (mine, _), (theirs, _) = evaluation.compared_with(champion)
        yield fact("The best before it under changes", percent(champion.changes.accuracy))
        means = f"{percent(mine)} against {percent(theirs)}"
        yield fact("Compared by", f"the mean of the accuracies on the test images and under changes, {means}")


def most_confused(evaluation: Evaluation) -> tuple[str, str, int, int] | None:
    """The two labels most often taken for each other, and how often the one for the other and the other for the one.

    None if no image was, or no confusion is known.
    """
    labels, counts = evaluation.labels, evaluation.confusion
    pairs = ((both, -i, -j) for i in range(len(counts)) for j in range(i) if (both := counts[i][j] + counts[j][i]))
    worst = max(pairs, default=None)
    if worst is None:
        return None
    one, other = -worst[1], -worst[2]
    if counts[one][other] < counts[other][one]:
        one, other = other, one
    return labels[one], labels[other], counts[one][other], counts[other][one]


def confusion(label: str, taken_for: str, count: int, back: int) -> str:
    """How often two labels were taken for each other."""
    both = f", and the other way round {times(back)}" if back else ""
    return f"{name(label)}, taken for {name(taken_for)} {times(count)}{both}"
