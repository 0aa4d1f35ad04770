"""Imports run one way, and the functions are what the template says they are."""

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

import msgspec
import pytest

from job_manager.domain.cost import check_budget
from job_manager.settings import Settings
from tests.contract.template import ROOT, Template, references

TEMPLATE = Template()
FUNCTIONS = ROOT / "functions"
TRAINER = ROOT / "training_container"
MAY_IMPORT = {
    "job_manager.domain": {"stdlib", "job_manager.domain"},
    "job_manager.ports": {"stdlib", "job_manager.domain"},
    "job_manager.settings": {"stdlib", "msgspec", "job_manager.domain"},
    "job_manager.steps": {"stdlib", "job_manager.domain", "job_manager.ports", "job_manager.steps"},
    "job_manager.aws": {"stdlib", "msgspec", "botocore", "mypy_boto3", "job_manager.domain", "job_manager.aws"},
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


def modules(folder: Path) -> dict[str, Path]:
    """All modules below a folder by dotted name."""
    files = {path.relative_to(folder).with_suffix(""): path for path in sorted(folder.rglob("*.py"))}
    return {".".join(part for part in name.parts if part != "__init__"): path for name, path in files.items()}


def imports(module: str, path: Path) -> Iterator[str]:
    """What a module imports, each name in full."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{start}.{alias.name}" for alias in node.names)


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


def test_no_two_modules_import_one_another() -> None:
    known = modules(FUNCTIONS)
    graph = {
        module: {name if name in known else name.rpartition(".")[0] for name in imports(module, path)} & known.keys()
        for module, path in known.items()
    }

    assert graph["start_run"] >= {"job_manager.steps.start_run", "job_manager.wiring"}
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize(
    ("folder", "others"), [(FUNCTIONS, {"seedbed", "trainer"}), (TRAINER, {"seedbed", "job_manager"})]
)
def test_what_runs_in_the_cloud_knows_nothing_of_its_neighbours(folder: Path, others: set[str]) -> None:
    found = {kind(name).split(".")[0] for module, path in modules(folder).items() for name in imports(module, path)}

    assert not found & others


def test_clients_are_made_in_wiring_alone() -> None:
    found = {
        module for module, path in modules(FUNCTIONS).items() if "boto3" in {kind(n) for n in imports(module, path)}
    }

    assert found == {"job_manager.wiring"}


@pytest.mark.parametrize("function", TEMPLATE.functions)
def test_every_handler_of_the_template_can_be_called(function: str) -> None:
    module, name = TEMPLATE.functions[function]["Handler"].split(".")

    assert callable(getattr(import_module(module), name))


def test_every_function_file_is_in_the_template() -> None:
    handlers = {function["Handler"].split(".")[0] for function in TEMPLATE.functions.values()}

    assert {path.stem for path in FUNCTIONS.glob("*.py")} == handlers


def test_the_settings_are_the_templates_environment() -> None:
    variables = TEMPLATE.content["Globals"]["Function"]["Environment"]["Variables"]
    fields = {field.encode_name for field in msgspec.structs.fields(Settings)}

    assert {name for name in variables if not name.startswith("POWERTOOLS_")} == fields


@pytest.fixture
def settings() -> Settings:
    """The settings of a stack deployed with every parameter at its default."""
    names = {"Table": "runs", "Topic": "topic", "SettleQueue": "settle"}
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
