"""SageMaker in memory: jobs run until a test ends them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from job_manager.domain import layout
from job_manager.domain.errors import Cause, JobDelayed, JobRejected, NameTaken, NotFound
from job_manager.domain.job import Job, JobStatus
from job_manager.domain.refusal import refusal
from job_manager.domain.results.trial import Trial
from job_manager.domain.run import PREFIX, Run
from tests.fakes.neighbours import MemoryClock


class MemoryJobs:
    """Implements `ports.Jobs`; `rejected` maps a job's name to why SageMaker refuses it.

    `delayed_by` is why SageMaker creates no job now. `refuses_warm_starts`: it creates none with parents. `taken` are
    the names of another stack's jobs. `described` counts the calls that describe a trial. `lacking` maps an instance
    type to the error that it meets. `refuses_spot`: the account's quota of spot instances is 0.
    """

    prefix = PREFIX

    def __init__(self, clock: MemoryClock) -> None:
        self._clock = clock
        self.jobs: dict[str, Job] = {}
        self.created: list[str] = []
        self.stopped: list[str] = []
        self.rejected: dict[str, str] = {}
        self.delayed_by: Cause | None = None
        self.refuses_warm_starts = False
        self.taken: set[str] = set()
        self.described = 0
        self.lacking: dict[str, JobRejected | JobDelayed] = {}
        self.refuses_spot = False
        self.tuned: dict[str, Run] = {}
        self.refitted: dict[str, Run] = {}
        self.fine_tuned: dict[str, Run] = {}
        self.fine_tuned_after: dict[str, tuple[str, ...]] = {}
        self.evaluated: dict[str, dict[str, str]] = {}
        self.champion_sha256: dict[str, str | None] = {}
        self._trials: dict[str, dict[str, Trial]] = {}

    def end(self, name: str, status: JobStatus = JobStatus.COMPLETED, reason: str = "", seconds: float = 0.0) -> None:
        """What SageMaker does: end a job."""
        ended = replace(self.jobs[name], status=status, reason=reason or None, seconds=seconds)
        self.jobs[name] = replace(ended, ended_at=self._clock.now())

    def add_trial(self, tuning_job: str, trial: Trial) -> None:
        """What a tuning job does: start a training job, or take it further; the best is the most accurate."""
        trials = self._trials.setdefault(tuning_job, {})
        trials[trial.name] = replace(trial, model_uri=f"s3://seedlings-in-memory/models/{trial.name}.tar.gz")
        scored = [known for known in trials.values() if known.objective is not None]
        best = max(scored, key=lambda known: known.objective or 0.0).name if scored else None
        self.jobs[tuning_job] = replace(self.jobs[tuning_job], best_trial=best)

    def start_prepare(self, run: Run) -> None:
        self._create(layout.prepare_job(run.run_id), run)

    def start_merge(self, run: Run) -> None:
        self._create(layout.merge_job(run.run_id), run)

    def start_tuning(self, run: Run) -> None:
        if run.warm_start_from and self.refuses_warm_starts:
            raise JobRejected("SageMaker refused the tuning job: a parent does not fit.")
        self._check_spot(run)
        self._create(run.run_id, run)
        self.tuned[run.run_id] = run

    def start_refit(self, run: Run) -> None:
        self._check_spot(run)
        name = layout.refit_job(run.run_id)
        self._create(name, run)
        self._trials.setdefault(name, {name: Trial(name, "InProgress", {}, stage="refit")})
        self.refitted[run.run_id] = run

    def start_fine_tuning(self, run: Run, parents: Sequence[str] = ()) -> None:
        if parents and self.refuses_warm_starts:
            raise JobRejected("SageMaker refused the fine-tuning job: a parent does not fit.")
        self.fine_tuned_after[run.run_id] = tuple(parents)
        self._check_spot(run)
        self._create(layout.fine_tuning_job(run.run_id), run)
        self.fine_tuned[run.run_id] = run

    def start_evaluation(self, run: Run, models: Mapping[str, str], champion_sha256: str | None = None) -> None:
        self._create(layout.evaluation_job(run.run_id), run)
        self.champion_sha256[run.run_id] = champion_sha256
        self.evaluated[run.run_id] = dict(models)

    def prepare_job(self, run_id: str) -> Job | None:
        return self._described(layout.prepare_job(run_id))

    def tuning_job(self, name: str) -> Job | None:
        return self._described(name)

    def merge_job(self, run_id: str) -> Job | None:
        return self._described(layout.merge_job(run_id))

    def refit_job(self, run_id: str) -> Job | None:
        return self._described(layout.refit_job(run_id))

    def evaluation_job(self, run_id: str) -> Job | None:
        return self._described(layout.evaluation_job(run_id))

    def stop(self, name: str) -> None:
        self.stopped.append(name)

    def trial(self, name: str) -> Trial:
        self.described += 1
        for trials in self._trials.values():
            if name in trials:
                return trials[name]
        raise NotFound(f"There is no training job {name}.")

    def trials(self, tuning_job: str) -> Sequence[Trial]:
        trials = self._trials.get(tuning_job, {}).values()
        return [replace(trial, billable_seconds=0, model_uri=None) for trial in trials]

    def _described(self, name: str) -> Job | None:
        if name in self.taken:
            raise NameTaken(f"The name {name} is taken.")
        return self.jobs.get(name)

    def _check_spot(self, run: Run) -> None:
        if run.plan.spot and self.refuses_spot:
            message = "The account-level service limit 'ml.m5.large for spot training job usage' is 0 Instances"
            raise refusal("tuning job", "ResourceLimitExceeded", message)

    def _create(self, name: str, run: Run) -> None:
        machine = run.machine.instance_type
        if machine in self.lacking:
            raise self.lacking[machine]
        if name in self.rejected:
            raise JobRejected(f"SageMaker refused the job: {self.rejected[name]}")
        if self.delayed_by:
            raise JobDelayed(self.delayed_by, f"The job waits for a {self.delayed_by}: it is refused.")
        if name not in self.jobs:
            self.created.append(name)
            self.jobs[name] = Job(name, JobStatus.IN_PROGRESS, created_at=self._clock.now(), instance_type=machine)
