"""Where things are in the bucket; docs/contracts.md tells the same."""

from .dataset import RUNS


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


def test_split(run_id: str) -> str:
    """What evaluate reads."""
    return f"{RUNS}{run_id}/pack/test/"


def dataset_report(run_id: str) -> str:
    """What prepare says of the dataset."""
    return f"{RUNS}{run_id}/pack/report.json"


def trials(run_id: str) -> str:
    """Where SageMaker puts the trials' models."""
    return f"{RUNS}{run_id}/trials/"


def trial_model(run_id: str, trial: str) -> str:
    """A trial's model."""
    return f"{RUNS}{run_id}/trials/{trial}/output/model.tar.gz"


def evaluation(run_id: str) -> str:
    """What evaluate writes."""
    return f"{RUNS}{run_id}/evaluation/"


def scores(run_id: str) -> str:
    """The evaluation's figures."""
    return f"{RUNS}{run_id}/evaluation/evaluation.json"


def model(run_id: str) -> str:
    """The run's best model, whole."""
    return f"{RUNS}{run_id}/evaluation/model.tar.gz"


def notified(run_id: str) -> str:
    """The outbox mark."""
    return f"{RUNS}{run_id}/notified.json"


def prepare_job(run_id: str) -> str:
    """The name of the processing job that packs the dataset."""
    return f"{run_id}-prepare"


def evaluation_job(run_id: str) -> str:
    """The name of the processing job that scores the winner."""
    return f"{run_id}-evaluate"
