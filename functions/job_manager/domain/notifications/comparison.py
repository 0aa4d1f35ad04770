"""Whether a model is better than the best one before it, by how much, and why."""

from dataclasses import dataclass

from ..results.evaluation import Evaluation
from ..results.scores import ChampionScore
from ..run import Run, RunState
from .notification import Outcome
from .wording import counted, percent, points


@dataclass(frozen=True)
class Comparison:
    """A model beside the best one before it, on the same test images.

    `difference` is in accuracy on those images as they are, `under_changes` on them changed, if both were measured, and
    `macro_f1` is in what decides if all else is equal.
    """

    evaluation: Evaluation
    champion: ChampionScore

    @property
    def difference(self) -> float:
        return self.evaluation.accuracy - self.champion.accuracy

    @property
    def images(self) -> int:
        """The difference as a number of images."""
        return round(abs(self.difference) * self.evaluation.images)

    @property
    def under_changes(self) -> float | None:
        ours, theirs = self.evaluation.changes, self.champion.changes
        return ours.accuracy - theirs.accuracy if ours and theirs and ours.comparable_with(theirs) else None

    @property
    def macro_f1(self) -> float:
        (_, ours), (_, theirs) = self.evaluation.compared_with(self.champion)
        return ours - theirs

    def said(self, won: bool) -> str:
        """By how much it is better or not: first on the images as they are, or else by what decided."""
        sign = 1 if won else -1
        if sign * self.difference > 0:
            return f"{points(self.difference)} {'better' if won else 'less'}"
        if self.under_changes and sign * self.under_changes > 0:
            beside = f"{points(self.difference)} {'less' if won else 'more'}" if self.difference else "equal"
            return f"{beside}, but {points(self.under_changes)} {'better' if won else 'worse'} under changes"
        if sign * self.macro_f1 > 0:
            return f"equal, but a {'higher' if won else 'lower'} macro-F1"
        return "equal"


def comparison_of(run: Run) -> Comparison | None:
    """The run's model beside the best one before it; None if there was none, or it could not be scored."""
    evaluation = run.evaluation
    if evaluation is None or evaluation.champion is None or evaluation.champion.error:
        return None
    return Comparison(evaluation, evaluation.champion)


def outcome_of(run: Run) -> Outcome:
    """What a run that has ended came to."""
    if run.state is not RunState.COMPLETED or run.evaluation is None:
        return Outcome.NO_MODEL
    if not run.won:
        return Outcome.NOT_BETTER
    return Outcome.NEW_BEST if run.champion_before else Outcome.FIRST_MODEL


def better(run: Run) -> bool | None:
    """Whether the run's model is better than the best one before it; None if they were not compared."""
    return run.won if comparison_of(run) else None


def headline(run: Run, evaluation: Evaluation) -> str:
    """Better or not and by how much, for a subject: as short as it can be."""
    compared, right = comparison_of(run), percent(evaluation.accuracy)
    if compared is None:
        which = "the first model" if outcome_of(run) is Outcome.FIRST_MODEL else "a new best model"
        return f"{which}, {right} of {counted(evaluation.images, 'test image')} right"
    said = compared.said(run.won)
    on = "" if "under changes" in said else f" on the same {counted(evaluation.images, 'image')}"
    return f"{'a new best model' if run.won else 'no better model'}, {right} right, {said}{on}"


def verdict(run: Run, evaluation: Evaluation) -> str:
    """Better or not and by how much, as a sentence or two."""
    right = f"{percent(evaluation.accuracy)} of {counted(evaluation.images, 'test image')} right"
    compared = comparison_of(run)
    if compared is None:
        first = outcome_of(run) is Outcome.FIRST_MODEL
        return f"{'Your first model' if first else 'A new best model'} gets {right}."
    images = f" ({counted(compared.images, 'image')})" if compared.images else ""
    before = percent(compared.champion.accuracy)
    if run.won:
        begin, beside = "A new best model gets", f"The best model before it gets {before} of the same images."
    else:
        begin, beside = (
            "No better model: the new one gets",
            f"The best model gets {before} of the same images, and stays.",
        )
    return f"{begin} {right}, {compared.said(run.won)}{images}. {beside}"
