"""The API's answers: the models, the runs, one run, its trials, and how things are."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields
from typing import Any

from ..domain.errors import NotFound, WrongRequest
from ..domain.job import Progress
from ..domain.results.trial import Epoch, Trial
from ..domain.run import STAGES_WITH_TRIALS, Run, RunState, spent
from ..ports import Ports
from .answers.models import Champion, DatasetInShort, Model, ModelList
from .answers.notices import Health
from .answers.runs import OF_THE_RUN, RunInFull, RunInShort, RunList
from .answers.trials import TrialList, TrialWithEpochs

RUNS_SHOWN = 100
TRIALS_SHOWN = 750
CURVES_AT_ONCE = 20
PROCESSING = {RunState.PREPARING, RunState.MERGING, RunState.EVALUATING}
EPOCHS_AT_ONCE = 20_000
"""They take 4 MB: Lambda answers with 6 MB at most."""
NO_CURSOR = "The cursor is not one that an answer gave as `next`. Ask without it."
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


def recent_runs(ports: Ports, limit: int = RUNS_SHOWN, cursor: str = "") -> RunList:
    """The latest runs, newest first, or those before the cursor's, and the change that waits for a run.

    Raises WrongRequest if the cursor is not a run.
    """
    found = ports.runs.recent(limit + 1, before=run_at(cursor, ports))
    more = found[limit - 1].run_id if len(found) > limit else None
    shown = tuple(summary(run, trials_under_way(run, ports)) for run in found[:limit])
    return RunList(shown, ports.runs.pending(), more)


def models(ports: Ports, limit: int, cursor: str = "") -> ModelList:
    """The best model and those before it, newest first. Raises WrongRequest if the cursor is not a run."""
    after = run_at(cursor, ports)
    run = before(after, ports) if after else ports.runs.champion()
    found: list[Run] = []
    while run and len(found) < limit:
        found.append(run)
        run = before(run, ports)
    return ModelList(tuple(map(champion_of, found)), found[-1].run_id if run else None)


def before(run: Run, ports: Ports) -> Run | None:
    """The best model's run before this one; None if it was the first, or if the table no longer has it."""
    try:
        return ports.runs.get(run.champion_before) if run.champion_before else None
    except NotFound:
        return None


def run_at(cursor: str, ports: Ports) -> Run | None:
    try:
        return ports.runs.get(cursor) if cursor else None
    except NotFound:
        raise WrongRequest(NO_CURSOR) from None


def trials(
    run_id: str, ports: Ports, curves: Collection[str] = (), limit: int = TRIALS_SHOWN, cursor: str = ""
) -> TrialList:
    """A run's trials after the cursor's, those named in `curves` with their epochs.

    Raises NotFound if there is no such run, WrongRequest for curves of too many trials or epochs, and for a cursor or
    curves that name no trial of this run.
    """
    run, known = ports.runs.get(run_id), ports.runs.trials(run_id)
    names = [trial.name for trial in known]
    if cursor and cursor not in names:
        raise WrongRequest(NO_CURSOR)
    unknown = set(curves) - set(names)
    if unknown:
        raise WrongRequest(f"The run {run_id} has no trial {min(unknown)}. Ask without `curves` for those it has.")
    if len(curves) > CURVES_AT_ONCE:
        raise WrongRequest(f"At most {CURVES_AT_ONCE} curves are answered at once. Ask for the others separately.")
    start = names.index(cursor) + 1 if cursor else 0
    page = known[start : start + limit]
    epochs = {trial.name: tuple(ports.logs.epochs(trial.name)) for trial in page if trial.name in curves}
    if sum(map(len, epochs.values())) > EPOCHS_AT_ONCE:
        raise WrongRequest(f"These curves have more than {EPOCHS_AT_ONCE} epochs. Ask for fewer of them at once.")
    more = page[-1].name if len(known) > start + limit else None
    return TrialList(run_id, run.state, tuple(with_epochs(trial, epochs.get(trial.name)) for trial in page), more)


def with_epochs(trial: Trial, epochs: tuple[Epoch, ...] | None) -> TrialWithEpochs:
    own = {field.name: getattr(trial, field.name) for field in fields(trial)}
    return TrialWithEpochs(**own, epochs=epochs)


def health(ports: Ports) -> Health:
    """Whether the table can be read, and what is going on."""
    run, champion = ports.runs.open_run(), ports.runs.champion()
    return Health(
        status="ok",
        open_run=run.run_id if run else None,
        waits_for=run.waits_for if run else None,
        best_model=champion.run_id if champion else None,
        pending=ports.runs.pending(),
    )


def one_run(run_id: str, ports: Ports) -> Any:
    """One run in full, with its trials. Raises NotFound if there is none."""
    run, known = ports.runs.get(run_id), ports.runs.trials(run_id)
    recorded = {name: getattr(run, name) for name, _ in OF_THE_RUN}
    answer = {**vars(model_of(run)), **recorded, "notice": notice(run), "cost_usd": round(spent(run, known), 4)}
    return RunInFull(**answer, trials=tuple(known), progress=progress(run, ports))


def progress(run: Run, ports: Ports) -> Progress | None:
    """How far the run's processing job is; None in a stage that trains, and once the run has ended."""
    return ports.logs.progress(run.job) if run.state in PROCESSING else None


def trials_under_way(run: Run, ports: Ports) -> Sequence[Trial]:
    """The trials of a run whose stage has some, for what it has cost so far; none for other runs."""
    return ports.runs.trials(run.run_id) if run.state in STAGES_WITH_TRIALS else ()


def summary(run: Run, trials: Iterable[Trial] = ()) -> RunInShort:
    """A run in short; `trials` are those of its present stage, as far as they count for its cost."""
    return RunInShort(
        run_id=run.run_id,
        state=run.state,
        created_at=run.created_at,
        ended_at=run.ended_at,
        images=run.dataset.used if run.dataset else None,
        test_accuracy=run.evaluation.accuracy if run.evaluation else None,
        won=run.won,
        cost_usd=round(spent(run, trials), 4),
        expected_usd=run.expected_usd,
        reason=run.reason,
        notice=notice(run),
        notified=run.notified,
        request_id=run.request.request_id if run.request else None,
    )


def notice(run: Run) -> str | None:
    """What the run waits for now, or why it departed from its plan, and whether nobody could hear of its end."""
    if run.notified is False:
        return f"{run.notice} {UNHEARD}" if run.notice else UNHEARD
    return run.waits_for or run.notice


def champion_of(run: Run) -> Champion:
    """A run's model, with what it beat."""
    return Champion(
        **vars(model_of(run)),
        ended_at=run.ended_at,
        champion_before=run.champion_before,
        champion=run.evaluation.champion if run.evaluation else None,
    )


def model_of(run: Run) -> Model:
    """A run's model: its address, its scores and what it was made from."""
    trial, evaluation, dataset = run.best_trial, run.evaluation, run.dataset
    return Model(
        run_id=run.run_id,
        model_uri=run.model_uri,
        model_sha256=run.model_sha256,
        objective=trial.objective if trial else None,
        validation_accuracy=evaluation.validation_accuracy if evaluation else None,
        test_accuracy=evaluation.accuracy if evaluation else None,
        test_accuracy_interval=evaluation.accuracy_interval if evaluation else None,
        macro_f1=evaluation.macro_f1 if evaluation else None,
        single_view=evaluation.single_view if evaluation else None,
        views=evaluation.views if evaluation else None,
        changes=evaluation.changes if evaluation else None,
        when_sure=evaluation.when_sure if evaluation else None,
        hyperparameters=trial.hyperparameters if trial else None,
        dataset=DatasetInShort(dataset.images, dataset.used, tuple(sorted(dataset.labels))) if dataset else None,
        cost_usd=round(run.cost_usd, 4),
        created_at=run.created_at,
        report_uri=run.report_uri,
        model_card_uri=run.model_card_uri,
        mosaic_uri=run.mosaic_uri,
    )
