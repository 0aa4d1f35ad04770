"""The notebook of examples/founding_article: what is stored in it, and the whole of it against a real endpoint."""

import ast
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager

from job_manager.domain.costs.prices import PRICES
from tests import children
from tests.contract.template import ROOT
from tests.sagemaker.toy_endpoint import CREDENTIALS, Endpoint
from tools.notebook import EXAMPLE, NOTEBOOK, PARAMETERS

MACHINE = re.compile(r"/(?:home|root|tmp|work|Users|var|private)/|127\.0\.0\.1:\d|localhost:\d|[0-9A-Z]{20}\b")
LARGEST = 600_000
SMALL = ["--set=EACH=4", "--set=JOBS=2", "--set=EPOCHS=(1, 2)"]


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(notebook: Any) -> str:
    return "".join(output.text for cell in cells(notebook) for output in cell.outputs if "text" in output)


def pictures(notebook: Any) -> int:
    return sum("image/png" in output.get("data", {}) for cell in cells(notebook) for output in cell.outputs)


def constant(name: str) -> Any:
    """The value of a name that the notebook sets to a literal."""
    for statement in (line for cell in cells(read(NOTEBOOK)) for line in ast.parse(cell.source).body):
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == name:
            return ast.literal_eval(statement.value)
    raise KeyError(name)


def rows_of(name: str) -> list[tuple[Any, ...]]:
    """The literal rows of a table that the notebook makes."""
    source = next(cell.source for cell in cells(read(NOTEBOOK)) if f"{name} = pd.DataFrame(" in cell.source)
    call = next(
        line.value
        for line in ast.parse(source).body
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == name and isinstance(line.value, ast.Call)
    )
    rows: list[tuple[Any, ...]] = ast.literal_eval(call.args[0])
    return rows


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    if "python3" not in KernelSpecManager().get_all_specs():
        pytest.skip("There is no Jupyter kernel here: make .venv/dev installs it.")
    server = Endpoint(tmp_path_factory.mktemp("notebook"), images={"founding": EXAMPLE})
    yield server
    server.end()


def executed(server: Endpoint, out: Path, *options: str) -> Any:
    """The notebook as it is after a run, from a folder of no meaning."""
    shell = {name: value for name, value in os.environ.items() if name not in {"AWS_PROFILE", "AWS_SESSION_TOKEN"}}
    variables = {"AWS_ENDPOINT_URL": server.url, "AWS_DEFAULT_REGION": "us-east-1", "PYTHONPATH": str(ROOT)}
    done = children.run(
        [sys.executable, "-m", "tools.notebook", "--out", out, *options],
        cwd=out.parent,
        env={**shell, **CREDENTIALS.environment(), **variables},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return read(out)


def test_it_runs_and_an_ended_job_can_be_looked_at_again(endpoint: Endpoint, tmp_path: Path) -> None:
    first = executed(endpoint, tmp_path / "first.ipynb", *SMALL)

    job = re.search(r"^(founding-\d+): Completed", printed(first), re.MULTILINE)
    assert job, printed(first)
    assert pictures(first) == pictures(read(NOTEBOOK))
    assert "The logs are gone" not in printed(first)

    again = executed(endpoint, tmp_path / "again.ipynb", *SMALL, f"--set=EARLIER={job[1]!r}")

    assert printed(again).count("Completed") == 1
    assert job[1] in printed(again)
    assert pictures(again) == pictures(first)
    assert len(endpoint.sagemaker.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]) == 1


def test_the_stored_notebook_was_run_from_top_to_bottom_without_an_error() -> None:
    stored = read(NOTEBOOK)

    assert [cell.execution_count for cell in cells(stored)] == list(range(1, len(cells(stored)) + 1))
    assert {output.output_type for cell in cells(stored) for output in cell.outputs} <= {"stream", "display_data"}
    assert pictures(stored) == 5
    assert PARAMETERS in cells(stored)[0].metadata.tags


def test_the_stored_notebook_tells_nothing_of_the_machine_it_ran_on() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")
    without_pictures = re.sub(r'"image/png": "[^"]*"', "", text).replace("http://127.0.0.1:4777", "")

    assert MACHINE.findall(without_pictures) == []
    assert len(text) < LARGEST


def test_its_prices_are_those_that_a_runs_cost_is_counted_with() -> None:
    assert constant("PRICES").items() <= PRICES.items()


@pytest.mark.parametrize("row", [*rows_of("SPEEDS"), *rows_of("TUNING")], ids=lambda row: f"{row[0]}, {row[1]}")
def test_a_figure_stands_in_the_page_that_is_named(row: tuple[Any, ...]) -> None:
    *_, source = row
    pages = re.findall(r"[\w/-]+\.md", source)
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in pages)

    for figure in [value for value in row if isinstance(value, int | float)]:
        shown = {f"{figure:,}", f"{figure:.3f}", f"{figure:.2f}"}
        assert not pages or any(written in text for written in shown), f"{figure} in {pages}"
