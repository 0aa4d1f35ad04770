"""`python -m tools.notebook [NAME]`: runs a notebook of examples/founding_article against an endpoint.

It is the one that AWS_ENDPOINT_URL names, or else one that runs meanwhile. What the notebook printed and drew is kept
in it, or in the file that --out names. Each notebook runs with the Python that has its SDK.
"""

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

from tools.endpoint import ROOT, endpoint

EXAMPLE = ROOT / "examples" / "founding_article"
IMAGES = {"founding": EXAMPLE}
NOTEBOOK = EXAMPLE / "tuning.ipynb"
WITH_SDK2 = EXAMPLE / "tuning_sdk2.ipynb"
SDK2 = ROOT / ".venv/sdk2/bin/python"
PYTHONS = {NOTEBOOK: Path(sys.executable), WITH_SDK2: SDK2}
PARAMETERS = "parameters"
CELL_LIMIT = 900
"""Seconds for one cell."""


def run(notebook: Any, python: Path, folder: Path, environment: dict[str, str]) -> None:
    """Executes the notebook in place with this Python and these variables, from `folder`, which gets its files.

    Raises CellExecutionError for a cell that fails.
    """
    by_file = Config(KernelManager={"transport": "ipc", "ip": str(folder / "kernel")})
    specs = KernelSpecManager(kernel_dirs=[str(folder / "kernels")])
    kernel = KernelManager(kernel_name=kernel_of(python, folder), kernel_spec_manager=specs, config=by_file)
    place, variables = {"metadata": {"path": str(folder)}}, {**environment, "TMPDIR": str(folder)}
    try:
        NotebookClient(notebook, km=kernel, timeout=CELL_LIMIT, resources=place).execute(env=variables)
    finally:
        kernel.shutdown_kernel()


def kernel_of(python: Path, folder: Path) -> str:
    """The name of a kernel, in the folder `kernels`, that this Python is."""
    place = folder / "kernels" / "notebook"
    place.mkdir(parents=True)
    words = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": words, "display_name": "Python 3", "language": "python"}
    (place / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    return place.name


def with_parameters(notebook: Any, values: dict[str, str]) -> None:
    """Gives the names in the notebook's first cell of code other values, as Python writes them."""
    cell = next(cell for cell in notebook.cells if PARAMETERS in cell.metadata.get("tags", []))
    cell.source += "".join(f"\n{name} = {value}" for name, value in values.items())


def tidy(notebook: Any) -> None:
    """Takes away what tells a reader nothing: times, the kernel's version, and what libraries say on standard error.

    What was printed piece by piece becomes one text.
    """
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if "outputs" in cell:
            cell.outputs = joined([output for output in cell.outputs if output.get("name") != "stderr"])
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }


def joined(outputs: list[Any]) -> list[Any]:
    """The outputs, with neighbours of one stream as one."""
    whole: list[Any] = []
    for output in outputs:
        if whole and output.output_type == whole[-1].output_type == "stream" and output.name == whole[-1].name:
            whole[-1].text += output.text
        else:
            whole.append(output)
    return whole


def named(text: str) -> Path:
    notebook = EXAMPLE / text
    if notebook not in PYTHONS:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(path.name for path in PYTHONS)}")
    if not PYTHONS[notebook].exists():
        raise argparse.ArgumentTypeError(f"{text} needs {PYTHONS[notebook]}: make .venv/sdk2/kernel")
    return notebook


def assignment(text: str) -> tuple[str, str]:
    found = re.fullmatch(r"([A-Z_]+)=(.+)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return found[1], found[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebook", nargs="?", type=named, default=NOTEBOOK, metavar="NAME")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--set", type=assignment, action="append", default=[], metavar="NAME=VALUE")
    given = parser.parse_args()
    notebook: Any = nbformat.read(given.notebook, as_version=4)  # type: ignore[no-untyped-call]
    with_parameters(notebook, dict(given.set))
    with tempfile.TemporaryDirectory() as scratch, endpoint(Path(scratch), IMAGES) as environment:
        try:
            run(notebook, PYTHONS[given.notebook], Path(scratch), environment)
        except CellExecutionError as error:
            raise SystemExit(f"The notebook has failed.\n{error}") from error
        finally:
            tidy(notebook)
            nbformat.write(notebook, given.out or given.notebook)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
