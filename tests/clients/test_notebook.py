"""The notebooks of examples/founding_article: what is stored in them, and the whole of each against a real endpoint."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager

from job_manager.domain.costs.prices import PRICES
from seedbed.seedlings import SPECIES
from tests import children
from tests.contract.template import ROOT
from tests.waiting import wait_for
from tools.endpoint import endpoint
from tools.notebook import IMAGES, NOTEBOOK, PARAMETERS, PYTHONS, SDK2, WITH_SDK2

MACHINE = re.compile(r"/(?:home|root|tmp|work|Users|var|private)/|127\.0\.0\.1:\d|localhost:\d|[0-9A-Z]{20}\b")
LARGEST = 600_000
SMALL = ["--set=EACH=4", "--set=JOBS=2", "--set=EPOCHS=(1, 2)"]
SMALLEST = ["--set=EACH=4", "--set=JOBS=1", "--set=AT_ONCE=1", "--set=EPOCHS=(1, 2)"]


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
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """That of a shell which has read the endpoint's environment.sh."""
    if "python3" not in KernelSpecManager().get_all_specs():
        pytest.skip("There is no Jupyter kernel here: make .venv/dev installs it.")
    with endpoint(tmp_path_factory.mktemp("notebook"), IMAGES) as variables:
        yield variables


@pytest.fixture(scope="module")
def sagemaker(environment: dict[str, str]) -> Any:
    """A client of the endpoint."""
    address, region = environment["AWS_ENDPOINT_URL"], environment["AWS_REGION"]
    keys: Any = {key.lower(): environment[key] for key in environment if re.match("AWS_(ACCESS|SECRET|SESSION)", key)}
    return boto3.client("sagemaker", endpoint_url=address, region_name=region, **keys)


def executed(environment: dict[str, str], out: Path, *options: str) -> Any:
    """The notebook as it is after a run, from a folder of no meaning."""
    words = [sys.executable, "-m", "tools.notebook", "--out", out, *options]
    done = children.run(words, cwd=out.parent, env=environment)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}{printed(read(out))}"
    return read(out)


def test_it_runs_and_an_ended_job_can_be_looked_at_again(
    environment: dict[str, str], sagemaker: Any, tmp_path: Path
) -> None:
    first = executed(environment, tmp_path / "first.ipynb", *SMALL)

    job = re.search(r"^(founding-\d+): Completed", printed(first), re.MULTILINE)
    assert job, printed(first)
    assert pictures(first) == pictures(read(NOTEBOOK))
    assert "The logs are gone" not in printed(first)
    assert re.search(r"^founding-\d+: InService$", printed(first), re.MULTILINE)
    assert left_of_deployments(sagemaker) == []

    again = executed(environment, tmp_path / "again.ipynb", *SMALL, f"--set=EARLIER={job[1]!r}")

    assert printed(again).count("Completed") == 1
    assert job[1] in printed(again)
    assert pictures(again) == pictures(first)
    assert len(sagemaker.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]) == 1


@pytest.mark.skipif(not SDK2.exists(), reason="SDK 2 is not in .venv/sdk2: `make test` puts it there")
def test_sdk_2_goes_from_a_session_to_predictions(environment: dict[str, str], sagemaker: Any, tmp_path: Path) -> None:
    said = printed(executed(environment, tmp_path / "out.ipynb", WITH_SDK2.name, *SMALLEST))

    answers = re.findall(r"^([A-Z][\w -]+): ([A-Z][\w -]+), (\d+)%$", said, re.MULTILINE)
    assert answers, said
    assert {label for truth, answer, _ in answers for label in (truth, answer)} <= set(SPECIES)
    assert left_of_deployments(sagemaker) == []


def left_of_deployments(sagemaker: Any) -> list[Any]:
    """Models and endpoints' configurations that a notebook did not delete, once no endpoint is there."""
    wait_for(lambda: not sagemaker.list_endpoints()["Endpoints"])
    return [*sagemaker.list_models()["Models"], *sagemaker.list_endpoint_configs()["EndpointConfigs"]]


@pytest.mark.parametrize("notebook", PYTHONS, ids=lambda path: path.stem)
def test_a_stored_notebook_was_run_from_top_to_bottom_without_an_error(notebook: Path) -> None:
    stored = read(notebook)

    assert [cell.execution_count for cell in cells(stored)] == list(range(1, len(cells(stored)) + 1))
    assert {output.output_type for cell in cells(stored) for output in cell.outputs} <= {"stream", "display_data"}
    assert pictures(stored) == (5 if notebook == NOTEBOOK else 0)
    assert PARAMETERS in cells(stored)[0].metadata.tags


@pytest.mark.parametrize("notebook", PYTHONS, ids=lambda path: path.stem)
def test_a_stored_notebook_tells_nothing_of_the_machine_it_ran_on(notebook: Path) -> None:
    text = notebook.read_text(encoding="utf-8")
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
        shown = "|".join(re.escape(written) for written in (f"{figure:,}", f"{figure:.3f}", f"{figure:.2f}"))
        assert not pages or re.search(rf"(?<![\d.,])({shown})(?![\d.,]\d|\d)", text), f"{figure} in {pages}"
