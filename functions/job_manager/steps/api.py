"""The API's answers: the best model, the runs, and one run with its trials."""

from typing import Any

from ..domain.errors import NotFound
from ..domain.run import Run
from ..ports import Ports
from .answers import OF_THE_RUN, DatasetInShort, Model, RunInFull, RunInShort, RunList

RUNS_SHOWN = 100
UNHEARD = (
    "Nobody could hear of its end: no e-mail address is confirmed. Open the link in the e-mail from AWS, or set "
    "NotificationEmail."
)


def best_model(ports: Ports) -> Model:
    """The best model. Raises NotFound while there is none."""
    run = ports.runs.champion()
    if run is None:
        raise NotFound("There is no model yet. Upload labelled images and wait for the first run.")
    return model_of(run)


def recent_runs(ports: Ports) -> RunList:
    """The latest hundred runs, newest first, and the change that waits for a run."""
    return RunList(tuple(map(summary, ports.runs.recent(RUNS_SHOWN))), ports.runs.pending())


def one_run(run_id: str, ports: Ports) -> Any:
    """One run in full, with its trials. Raises NotFound if there is none."""
    run = ports.runs.get(run_id)
    recorded = {name: getattr(run, name) for name, _ in OF_THE_RUN}
    answer = {**vars(model_of(run)), **recorded, "notice": notice(run)}
    return RunInFull(**answer, trials=tuple(ports.runs.trials(run_id)))


def summary(run: Run) -> RunInShort:
    """A run in short."""
    return RunInShort(
        run_id=run.run_id,
        state=run.state,
        created_at=run.created_at,
        ended_at=run.ended_at,
        images=run.dataset.used if run.dataset else None,
        test_accuracy=run.evaluation.accuracy if run.evaluation else None,
        won=run.won,
        cost_usd=round(run.cost_usd, 4),
        reason=run.reason,
        notice=notice(run),
        notified=run.notified,
    )


def notice(run: Run) -> str | None:
    """What the run waits for now, or why it departed from its plan, and whether nobody could hear of its end."""
    if run.notified is False:
        return f"{run.notice} {UNHEARD}" if run.notice else UNHEARD
    return run.waits_for or run.notice


def model_of(run: Run) -> Model:
    """A run's model: its address, its scores and what it was made from."""
    trial, evaluation, dataset = run.best_trial, run.evaluation, run.dataset
    return Model(
        run_id=run.run_id,
        model_uri=run.model_uri,
        model_sha256=run.model_sha256,
        validation_accuracy=trial.objective if trial else None,
        test_accuracy=evaluation.accuracy if evaluation else None,
        test_accuracy_interval=evaluation.accuracy_interval if evaluation else None,
        macro_f1=evaluation.macro_f1 if evaluation else None,
        single_view=evaluation.single_view if evaluation else None,
        views=evaluation.views if evaluation else None,
        hyperparameters=trial.hyperparameters if trial else None,
        dataset=DatasetInShort(dataset.images, dataset.used, tuple(sorted(dataset.labels))) if dataset else None,
        cost_usd=round(run.cost_usd, 4),
        created_at=run.created_at,
        report_uri=run.report_uri,
        model_card_uri=run.model_card_uri,
        mosaic_uri=run.mosaic_uri,
    )
