"""`python -m tools.notebook`: runs the notebook of examples/founding_article against an endpoint.

It is the one that AWS_ENDPOINT_URL names, or else one that runs meanwhile. What the notebook printed and drew is kept
in it, or in the file that --out names.
"""

import argparse
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

from seedbed.local_cloud.access.credentials import Credentials
from seedbed.local_cloud.environment import REGION
from seedbed.local_cloud.home.folder import Home
from seedbed.local_cloud.process import served

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "founding_article"
NOTEBOOK = EXAMPLE / "tuning.ipynb"
PARAMETERS = "parameters"
CELL_LIMIT = 900
"""Seconds for one cell."""


def run(notebook: Any, folder: Path, environment: dict[str, str]) -> None:
    """Executes the notebook in place, from `folder`, with these variables.

    Raises CellExecutionError for a cell that fails.
    """
    by_file = Config(KernelManager={"transport": "ipc", "ip": str(folder / "kernel")})
    place = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=CELL_LIMIT, kernel_name="python3", resources=place, config=by_file).execute(
        env=environment
    )


def with_parameters(notebook: Any, values: dict[str, str]) -> None:
    """Gives the names in the notebook's first cell of code other values, as Python writes them."""
    cell = next(cell for cell in notebook.cells if PARAMETERS in cell.metadata.get("tags", []))
    cell.source += "".join(f"\n{name} = {value}" for name, value in values.items())


def tidy(notebook: Any) -> None:
    """Takes away what tells a reader nothing: times, the kernel's version, and what libraries say on standard error."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }


@contextmanager
def endpoint(scratch: Path) -> Iterator[dict[str, str]]:
    """The variables by which clients find the endpoint, with all others of this process."""
    if "AWS_ENDPOINT_URL" in os.environ:
        yield dict(os.environ)
        return
    options = ["--no-template", "--containers", "process", "--image", f"founding={EXAMPLE}"]
    with served(Home(scratch / "sagemaker"), 0, options) as cloud:
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        found = {"AWS_ENDPOINT_URL": cloud["endpoint"], "AWS_DEFAULT_REGION": REGION}
        yield {**own, **Credentials(**cloud["credentials"]).environment(), **found}


def assignment(text: str) -> tuple[str, str]:
    found = re.fullmatch(r"([A-Z_]+)=(.+)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return found[1], found[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=NOTEBOOK)
    parser.add_argument("--set", type=assignment, action="append", default=[], metavar="NAME=VALUE")
    given = parser.parse_args()
    notebook: Any = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    with_parameters(notebook, dict(given.set))
    with tempfile.TemporaryDirectory() as scratch, endpoint(Path(scratch)) as environment:
        try:
            run(notebook, Path(scratch), environment)
        except CellExecutionError as error:
            raise SystemExit(f"The notebook has failed.\n{error}") from error
        finally:
            tidy(notebook)
            nbformat.write(notebook, given.out)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
