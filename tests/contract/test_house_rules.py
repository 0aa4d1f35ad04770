"""Imports run one way, and the functions are what the template says they are."""

import sys
from collections import Counter
from graphlib import TopologicalSorter
from importlib import import_module
from itertools import chain
from pathlib import Path

import msgspec
import pytest

from job_manager.domain.cost import check_budget
from job_manager.settings import Settings
from tests.contract.template import ROOT, Template, references
from tools.architecture.floors import FLOORS, floor_of, inner_imports, parts_of
from tools.architecture.imports import import_graph, imports, modules

TEMPLATE = Template()
FUNCTIONS = ROOT / "functions"
TRAINER = ROOT / "training_container"
PREDICTIONS = ROOT / "predictions"
MOST_MODULES = 20
MAY_IMPORT = {
    "job_manager.domain": {"stdlib", "job_manager.domain"},
    "job_manager.ports": {"stdlib", "job_manager.domain"},
    "job_manager.settings": {"stdlib", "msgspec", "job_manager.domain"},
    "job_manager.steps": {"stdlib", "job_manager.domain", "job_manager.ports", "job_manager.steps"},
    "job_manager.aws": {
        "stdlib",
        "aws_lambda_powertools",
        "botocore",
        "msgspec",
        "mypy_boto3",
        "job_manager.aws",
        "job_manager.domain",
    },
    "job_manager.wiring": {"stdlib", "boto3", "botocore", "job_manager.aws", "job_manager.settings"},
    "job_manager": set(),
    "function": {
        "stdlib",
        "aws_lambda_powertools",
        "job_manager.aws",
        "job_manager.domain",
        "job_manager.settings",
        "job_manager.steps",
        "job_manager.wiring",
    },
}


def kind(name: str) -> str:
    """The layer or library that an imported name is of."""
    if name.split(".", maxsplit=1)[0] in sys.stdlib_module_names:
        return "stdlib"
    if name.startswith("mypy_boto3"):
        return "mypy_boto3"
    return ".".join(name.split(".")[:2]) if name.startswith("job_manager.") else name.split(".", maxsplit=1)[0]


@pytest.mark.parametrize("module", modules(FUNCTIONS))
def test_imports_run_one_way(module: str) -> None:
    layer = kind(module) if module.startswith("job_manager") else "function"
    imported = {kind(name) for name in imports(module, modules(FUNCTIONS)[module])}

    assert imported - MAY_IMPORT[layer] == set()


@pytest.mark.parametrize(
    ("folder", "package"),
    [(FUNCTIONS, ""), (PREDICTIONS, ""), (TRAINER, "trainer"), (ROOT, "seedbed")],
    ids=["functions", "predictions", "trainer", "seedbed"],
)
def test_no_modules_import_one_another_in_a_circle(folder: Path, package: str) -> None:
    graph = import_graph(folder, package)

    assert sum(len(imported) for imported in graph.values()) >= len(graph)
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize(
    ("folder", "others"),
    [
        (FUNCTIONS, {"seedbed", "trainer", "predictor"}),
        (TRAINER, {"seedbed", "job_manager", "predictor"}),
        (PREDICTIONS, {"seedbed"}),
    ],
)
def test_what_runs_in_the_cloud_knows_nothing_of_its_neighbours(folder: Path, others: set[str]) -> None:
    found = {kind(name).split(".")[0] for module, path in modules(folder).items() for name in imports(module, path)}

    assert not found & others


@pytest.mark.parametrize(
    "folder", [FUNCTIONS, PREDICTIONS, TRAINER, ROOT / "seedbed", ROOT / "benchmarks"], ids=lambda path: path.name
)
def test_no_folder_holds_more_than_twenty_modules(folder: Path) -> None:
    sizes = Counter(path.parent.relative_to(ROOT) for path in folder.rglob("*.py"))

    assert {str(room): count for room, count in sizes.items() if count > MOST_MODULES} == {}


@pytest.mark.parametrize("package", FLOORS)
def test_every_part_of_a_package_has_a_floor(package: str) -> None:
    assert sorted(chain.from_iterable(FLOORS[package])) == parts_of(package)


@pytest.mark.parametrize("package", FLOORS)
def test_imports_run_down_from_floor_to_floor(package: str) -> None:
    wrong = {
        f"{module} imports {name}"
        for module, own, name, other in inner_imports(package)
        if own != other and floor_of(package, own) >= floor_of(package, other)
    }

    assert wrong == set()


def test_clients_are_made_in_wiring_alone() -> None:
    found = {
        module for module, path in modules(FUNCTIONS).items() if "boto3" in {kind(n) for n in imports(module, path)}
    }

    assert found == {"job_manager.wiring"}


@pytest.mark.parametrize("function", TEMPLATE.functions)
def test_every_handler_of_the_template_can_be_called(function: str) -> None:
    module, name = TEMPLATE.functions[function]["Handler"].split(".")

    assert callable(getattr(import_module(module), name))


def test_what_predictions_share_is_all_that_they_import_of_other_folders() -> None:
    shared = (PREDICTIONS / "shared.txt").read_text(encoding="utf-8").split()
    known = {**modules(FUNCTIONS), **modules(TRAINER)}
    waiting = list(modules(PREDICTIONS).items())
    reached: set[Path] = set()
    while waiting:
        module, path = waiting.pop()
        found = {name if name in known else name.rpartition(".")[0] for name in imports(module, path)} & known.keys()
        waiting += [(name, known[name]) for name in found if known[name] not in reached]
        reached |= {known[name] for name in found}

    needless = [part for part in shared if not any(path.is_relative_to(ROOT / part) for path in reached)]
    missing = [path for path in reached if not any(path.is_relative_to(ROOT / part) for part in shared)]
    assert (needless, missing) == (["training_container/trainer/__init__.py"], [])


def test_every_function_file_is_in_the_template() -> None:
    handlers = {function["CodeUri"] + function["Handler"].split(".")[0] for function in TEMPLATE.functions.values()}
    files = [path.relative_to(ROOT) for folder in (FUNCTIONS, PREDICTIONS) for path in folder.glob("*.py")]

    assert {path.with_suffix("").as_posix() for path in files} == handlers


def test_the_settings_are_the_templates_environment() -> None:
    variables = TEMPLATE.content["Globals"]["Function"]["Environment"]["Variables"]
    fields = {field.encode_name for field in msgspec.structs.fields(Settings)}

    assert {name for name in variables if not name.startswith("POWERTOOLS_")} == fields


@pytest.fixture
def settings() -> Settings:
    """The settings of a stack deployed with every parameter at its default."""
    names = {"Bucket": "seedlings", "Table": "runs", "Topic": "topic", "EventTopic": "events", "SettleQueue": "settle"}
    template = Template(physical=names, attributes={("TrainingRole", "Arn"): "role"})
    return msgspec.convert(template.environment, Settings, strict=False)


def test_the_settings_read_the_templates_defaults(settings: Settings) -> None:
    assert settings.plan.trials == 20
    assert settings.training_image == "123456789012.dkr.ecr.us-east-1.amazonaws.com/seedbed-trainer:latest"
    assert settings.settle_rule.quiet.total_seconds() == 120


def test_the_templates_defaults_keep_to_its_budget(settings: Settings) -> None:
    check_budget(settings.plan)


@pytest.mark.parametrize(("name", "value"), [("TRIAL_COUNT", "many"), ("TRIAL_COUNT", "0"), ("RUN_BUDGET", "-1")])
def test_a_setting_that_makes_no_sense_is_named(settings: Settings, name: str, value: str) -> None:
    environment = {field: str(found) for field, found in msgspec.to_builtins(settings).items()}

    with pytest.raises(msgspec.ValidationError, match=name):
        msgspec.convert({**environment, name: value}, Settings, strict=False)


def test_every_parameter_of_the_template_is_used_and_explained_to_people() -> None:
    used = set(references([TEMPLATE.content[part] for part in ("Globals", "Conditions", "Resources")]))
    grouped = TEMPLATE.content["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]

    assert set(TEMPLATE.parameters) <= used
    assert {name for group in grouped for name in group["Parameters"]} == set(TEMPLATE.parameters)
