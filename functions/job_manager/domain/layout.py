"""Where things are in the bucket; docs/contracts.md tells the same."""

from .dataset import RUNS

PREPARE, EVALUATE = PROCESSING_JOBS = ("-prepare", "-evaluate")


def snapshot(run_id: str) -> str:
    """What the run was started on."""
    return f"{RUNS}{run_id}/snapshot.json"


def manifest(run_id: str) -> str:
    """The list of images prepare reads."""
    return f"{RUNS}{run_id}/manifest.json"


def pack(run_id: str) -> str:
    """What prepare writes."""
    return f"{RUNS}{run_id}/pack/"


def features(run_id: str) -> str:
    """What every trial reads."""
    return f"{RUNS}{run_id}/pack/features/"


def training(run_id: str) -> str:
    """What every fine-tuning trial reads."""
    return f"{RUNS}{run_id}/pack/training/"


def validation_split(run_id: str) -> str:
    """What evaluate chooses on."""
    return f"{RUNS}{run_id}/pack/validation/"


def test_split(run_id: str) -> str:
    """What evaluate scores on."""
    return f"{RUNS}{run_id}/pack/test/"


def dataset_report(run_id: str) -> str:
    """What prepare says of the dataset."""
    return f"{RUNS}{run_id}/pack/report.json"


def mosaic(run_id: str) -> str:
    """A picture of the dataset."""
    return f"{RUNS}{run_id}/pack/mosaic.jpg"


def trials(run_id: str) -> str:
    """Where SageMaker puts the trials' models."""
    return f"{RUNS}{run_id}/trials/"


def trial_model(run_id: str, trial: str) -> str:
    """A trial's model."""
    return f"{RUNS}{run_id}/trials/{trial}/output/model.tar.gz"


def checkpoints(run_id: str) -> str:
    """Where SageMaker keeps what a fine-tuning trial resumes from."""
    return f"{RUNS}{run_id}/checkpoints/"


def evaluation(run_id: str) -> str:
    """What evaluate writes."""
    return f"{RUNS}{run_id}/evaluation/"


def scores(run_id: str) -> str:
    """The evaluation's figures."""
    return f"{RUNS}{run_id}/evaluation/evaluation.json"


def model(run_id: str) -> str:
    """The run's best model, whole."""
    return f"{RUNS}{run_id}/evaluation/model.tar.gz"


def report(run_id: str) -> str:
    """The evaluation for people to read."""
    return f"{RUNS}{run_id}/evaluation/report.html"


def model_card(run_id: str) -> str:
    """What the model is for, and how well it does."""
    return f"{RUNS}{run_id}/evaluation/model_card.md"


def notified(run_id: str) -> str:
    """The outbox mark."""
    return f"{RUNS}{run_id}/notified.json"


def record(run_id: str) -> str:
    """The run as it ended, with its trials."""
    return f"{RUNS}{run_id}/record.json"


def stop(run_id: str) -> str:
    """The mark of a run that somebody wants to stop."""
    return f"{RUNS}{run_id}/stop.json"


def prepare_job(run_id: str) -> str:
    """The name of the processing job that packs the dataset."""
    return run_id + PREPARE


def tuning_job(run_id: str) -> str:
    """The name of the tuning job that trains the heads: the run's own, as warm starts name runs."""
    return run_id


def fine_tuning_job(run_id: str) -> str:
    """The name of the tuning job that trains the whole network."""
    return f"{run_id}-fine"


def stage_of(trial: str) -> str:
    """The stage that a trial, by its name, is of: `tune` or `fine-tune`."""
    return "fine-tune" if trial.split("-")[3:4] == ["fine"] else "tune"


def evaluation_job(run_id: str) -> str:
    """The name of the processing job that scores the winner."""
    return run_id + EVALUATE
