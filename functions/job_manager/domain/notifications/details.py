"""Time, money and how a model was found."""

from collections.abc import Iterator

from ..cost import upper_bound
from ..results.evaluation import Evaluation
from ..run import Run
from .lines import fact
from .notification import Line
from .wording import counted, duration, percent, points, printable, sentence, short


def time_and_cost(run: Run) -> Iterator[Line]:
    """How long the run took, and what it cost beside what was expected and the most it could have."""
    if run.ended_at:
        yield fact("Time", duration((run.ended_at - run.created_at).total_seconds()))
    bound = upper_bound(run.plan)
    beside = f" ({expected(run)}at most ${bound:.2f})" if bound else ""
    yield fact("Cost", f"${run.cost_usd:.2f}{beside}")


def expected(run: Run) -> str:
    """What the run was expected to cost, in front of its bound."""
    if run.expected_usd is None:
        return ""
    low, high = run.expected_usd
    return f"expected ${low:.2f} to ${high:.2f}, "


def how_found(run: Run) -> Iterator[Line]:
    """The best trial and its model."""
    yield fact("Run", run.run_id)
    evaluation, best = run.evaluation, run.best_trial
    if evaluation:
        yield from model_lines(evaluation)
    if best:
        head = f", head {best.best_head} of {len(best.heads)}" if best.heads else ""
        yield fact("Best trial", f"{best.name}{head} (of {trials(run)})")
        if best.objective is not None:
            yield fact("Its objective", f"{percent(best.objective)} of the validation images right in training")
        if run.samples:
            then = ", then trained on all" if run.best_head and run.best_head.stage == "refit" else ""
            yield fact("Tuned on", f"{run.plan.head_sample:,} of {run.training_images:,} training images{then}")
        yield from gain_of_fine_tuning(run)
        settings = (f"{key} {short(value)}" for key, value in best.hyperparameters.items())
        yield fact("Hyperparameters", ", ".join(settings))


def model_lines(evaluation: Evaluation) -> Iterator[Line]:
    """What the model is as it is used."""
    if evaluation.validation_accuracy is not None:
        yield fact("Validation accuracy", f"{percent(evaluation.validation_accuracy)}, of the model as it is used")
    if evaluation.single_view and evaluation.views > 1:
        averaged, single = percent(evaluation.accuracy), percent(evaluation.single_view.accuracy)
        yield fact("Views averaged", f"{averaged} with {evaluation.views} turned views, {single} with one")
    if evaluation.calibration:
        fit = evaluation.calibration
        yield fact("Calibration", f"error {fit.ece_before:.3f} before, {fit.ece_after:.3f} after temperature scaling")
    made = [export.format for export in evaluation.exports if not export.error]
    if made:
        yield fact("Formats", ", ".join(printable(each) for each in made))
    for export in evaluation.exports:
        if export.error:
            yield fact("Not made", f"{printable(export.format)}: {sentence(export.error)}")


def trials(run: Run) -> str:
    """How many trials the plan has."""
    plan = run.plan
    fine_tuned = plan.fine_tuning.trials if plan.fine_tuning else 0
    told = f", {fine_tuned} of them fine-tuned" if fine_tuned else ""
    return counted(plan.head_jobs * plan.heads_in_each_job + fine_tuned, "trial") + told


def gain_of_fine_tuning(run: Run) -> Iterator[Line]:
    head, best = run.best_head, run.best_trial
    if head and best and head != best and head.objective is not None and best.objective is not None:
        gain = best.objective - head.objective
        more = f"{points(gain)} {'more' if gain >= 0 else 'less'}"
        yield fact("Fine-tuning", f"objective {percent(best.objective)}, {percent(head.objective)} before: {more}")
