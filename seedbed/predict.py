"""Labels for images nobody has labelled, by the best model and the container's own code."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import seedbed

from .errors import SeedbedError
from .home import Home
from .stack import Stack

CONTAINER = Path(seedbed.__file__).parent.parent / "training_container"


def fetch_best_model(stack: Stack, home: Home) -> Path:
    """The best model's archive on this machine, fetched once."""
    best = stack.get("/models/best")
    path: Path = home.models / best["run_id"] / "model.tar.gz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        uri = urlsplit(best["model_uri"])
        partial = path.with_suffix(".partial")
        stack.client("s3").download_file(uri.netloc, uri.path.lstrip("/"), str(partial))
        partial.replace(path)
    return path


def predict(model: Path, paths: list[Path], csv: Path | None) -> None:
    """Write file,label,confidence for the images at `paths`. Raises SeedbedError if none could be read."""
    for path in paths:
        if not path.exists():
            raise SeedbedError(f"{path} does not exist.")
    target = "-" if csv is None else str(csv.absolute())
    command = [sys.executable, "-m", "trainer", "predict", "--model", str(model), "--csv", target]
    done = subprocess.run(
        [*command, *[str(path.absolute()) for path in paths]],
        check=False,
        env={**os.environ, "PYTHONPATH": str(CONTAINER)},
    )
    if done.returncode:
        raise SeedbedError("No image could be labelled; the lines above say why.")
