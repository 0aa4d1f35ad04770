"""The bucket's keys and the jobs' names, as in docs/contracts.md."""

from .dataset import RUNS

PREPARE, MERGE, EVALUATE = PROCESSING_JOBS = ("-prepare", "-merge", "-evaluate")
REFIT = "-refit"


def snapshot(run_id: str) -> str:
    """The run's snapshot of the dataset."""
    return f"{RUNS}{run_id}/snapshot.json"


def manifest(run_id: str) -> str:
    """The list of images that prepare reads."""
    return f"{RUNS}{run_id}/manifest.json"


def pack(run_id: str) -> str:
    """What prepare writes."""
    return f"{RUNS}{run_id}/pack/"


def parts(run_id: str) -> str:
    """What merge reads: each instance's facts about its images."""
    return f"{RUNS}{run_id}/pack/parts/"


def features(run_id: str) -> str:
    """What every trial reads."""
    return f"{RUNS}{run_id}/pack/features/"


def training(run_id: str) -> str:
    """What every fine-tuning trial reads."""
    return f"{RUNS}{run_id}/pack/training/"


def validation_split(run_id: str) -> str:
    """The images that evaluate chooses the model on."""
    return f"{RUNS}{run_id}/pack/validation/"


def test_split(run_id: str) -> str:
    """The images that evaluate scores the model on."""
    return f"{RUNS}{run_id}/pack/test/"


def dataset_report(run_id: str) -> str:
    """Prepare's report about the dataset."""
    return f"{RUNS}{run_id}/pack/report.json"


def mosaic(run_id: str) -> str:
    """A picture of the dataset."""
    return f"{RUNS}{run_id}/pack/mosaic.jpg"


def wrong_labels(run_id: str) -> str:
    """The images whose label is likely wrong."""
    return f"{RUNS}{run_id}/pack/likely_wrong.json"


def thumbnails(run_id: str) -> str:
    """Small pictures of the images that a page about the dataset shows, in one."""
    return f"{RUNS}{run_id}/pack/thumbnails.jpg"


def thumbnail_index(run_id: str) -> str:
    """Which images the thumbnails show."""
    return f"{RUNS}{run_id}/pack/thumbnails.json"


def trials(run_id: str) -> str:
    """Where SageMaker puts the trials' models."""
    return f"{RUNS}{run_id}/trials/"


def checkpoints(run_id: str) -> str:
    """Where SageMaker keeps the trials' checkpoints."""
    return f"{RUNS}{run_id}/checkpoints/"


def heads(run_id: str, trial: str) -> str:
    """What each head of a training job scored."""
    return f"{RUNS}{run_id}/checkpoints/{trial}/heads.json"


def evaluation(run_id: str) -> str:
    """What evaluate writes."""
    return f"{RUNS}{run_id}/evaluation/"


def scores(run_id: str) -> str:
    """The evaluation's scores."""
    return f"{RUNS}{run_id}/evaluation/evaluation.json"


def mistakes(run_id: str) -> str:
    """The most confident mistakes on the test split."""
    return f"{RUNS}{run_id}/evaluation/mistakes.json"


def predictions(run_id: str) -> str:
    """What the model predicts for each image of the test split."""
    return f"{RUNS}{run_id}/evaluation/predictions.json"


def model(run_id: str) -> str:
    """The run's model, as an archive."""
    return f"{RUNS}{run_id}/evaluation/model.tar.gz"


def report(run_id: str) -> str:
    """The evaluation as a report for people."""
    return f"{RUNS}{run_id}/evaluation/report.html"


def model_card(run_id: str) -> str:
    """The model card."""
    return f"{RUNS}{run_id}/evaluation/model_card.md"


def notified(run_id: str) -> str:
    """The outbox mark: the e-mail about the run was sent."""
    return f"{RUNS}{run_id}/notified.json"


def notified_of_delay(run_id: str, stage: str, cause: str) -> str:
    """The outbox mark: the e-mail was sent that the stage's job is delayed by this cause."""
    return f"{RUNS}{run_id}/notices/{stage}-{cause}.json"


def notified_of_start(run_id: str) -> str:
    """The outbox mark: the e-mail was sent that the run has started."""
    return f"{RUNS}{run_id}/notices/started.json"


def announced(mark: str) -> str:
    """The outbox mark for programs beside that of an e-mail: the notification was published to them, too."""
    folder, _, file = mark.removesuffix(".json").rpartition("/")
    return f"{folder if folder.endswith('/notices') else folder + '/notices'}/{file}-event.json"


def record(run_id: str) -> str:
    """The run as it ended, with its trials."""
    return f"{RUNS}{run_id}/record.json"


def stop(run_id: str) -> str:
    """The mark that a person asked for the run to be stopped."""
    return f"{RUNS}{run_id}/stop.json"


def retry(run_id: str) -> str:
    """The mark that a person asked for another attempt after this run."""
    return f"{RUNS}{run_id}/retry.json"


def temporary(run_id: str) -> tuple[str, ...]:
    """Where the objects are that nothing reads once the run has ended: packs, the trials' models and checkpoints."""
    packs = (features(run_id), training(run_id), validation_split(run_id), test_split(run_id), parts(run_id))
    return (*packs, trials(run_id), checkpoints(run_id))


def prepare_job(run_id: str) -> str:
    """The name of the processing job that packs the dataset."""
    return run_id + PREPARE


def merge_job(run_id: str) -> str:
    """The name of the processing job that makes one pack of what several instances prepared."""
    return run_id + MERGE


def refit_job(run_id: str) -> str:
    """The name of the training job that trains the best head, which saw a sample, on all training images."""
    return run_id + REFIT


def is_refit(job: str) -> bool:
    """Whether a job of this name would be a run's training job on all images."""
    return job.endswith(REFIT)


def tuning_job(run_id: str) -> str:
    """The name of the tuning job that trains the heads: the run's own name, as warm starts refer to runs."""
    return run_id


def fine_tuning_job(run_id: str) -> str:
    """The name of the tuning job that trains the whole network."""
    return f"{run_id}-fine"


def stage_of(trial: str) -> str:
    """The stage of a trial, read from its name: `tune`, `refit` or `fine-tune`."""
    of_the_run = trial.split("-")[3:4]
    return "fine-tune" if of_the_run == ["fine"] else "refit" if of_the_run == ["refit"] else "tune"


def evaluation_job(run_id: str) -> str:
    """The name of the processing job that scores the best model."""
    return run_id + EVALUATE
