"""`seedbed cost`: what a run on AWS is expected to cost, before anything is spent."""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from ..bundle import TEMPLATE
from ..deploy.expected_cost import expected_cost
from ..deploy.template import TemplateFile
from ..local_cloud.parameters import PARAMETERS, PlanName
from ..stack import aws_stack
from ..terminal.console import results
from ..terminal.table import Column, FittedTable, Row
from .options import AsJson, stack_name, whole_number

PRICES = {
    "prepare": "Processing",
    "merge": "Processing",
    "heads": "Training",
    "refit": "Training",
    "fine-tune": "FineTune",
    "evaluate": "Processing",
}
LIMITS = {
    "prepare": "ProcessingTimeLimitSeconds",
    "merge": "ProcessingTimeLimitSeconds",
    "heads": "TrialTimeLimitSeconds",
    "refit": "TrialTimeLimitSeconds",
    "fine-tune": "FineTuneTimeLimitSeconds",
    "evaluate": "ProcessingTimeLimitSeconds",
}
CONTINUES = {"heads", "refit", "fine-tune"}
COLUMNS = (
    Column("Stage"),
    Column("Jobs", rank=1),
    Column("Minutes", rank=2, right=True),
    Column("Expected US$", right=True),
    Column("At most", rank=3, right=True),
)


def cost(
    images: Annotated[
        int, typer.Option(parser=whole_number(1, 10_000_000), metavar="NUMBER", help="How many images the run has.")
    ] = 4027,
    plan: Annotated[
        PlanName | None, typer.Option(help="quick or full, as on this machine, instead of the template's defaults.")
    ] = None,
    as_json: AsJson = False,
    aws: Annotated[
        str, typer.Option("--aws", metavar="STACK", callback=stack_name, help="Take this stack's parameters.")
    ] = "",
) -> None:
    """Print what a run on AWS is expected to cost and to take, by stage, and the most it can cost."""
    template = TemplateFile(TEMPLATE)
    values = {**template.defaults, **(parameters_of(aws) if aws else {}), **(PARAMETERS[plan] if plan else {})}
    expected = expected_cost(template, values, images)
    if as_json:
        sys.stdout.write(json.dumps(expected, indent=2) + "\n")
        return
    results().print(f"A run of {images:,} images on AWS:")
    results().print(table(expected), crop=False)
    for line in remarks(expected, values):
        results().print(line, soft_wrap=True)


def parameters_of(name: str) -> dict[str, str]:
    """The values of a deployed stack's parameters."""
    described = aws_stack(name).client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    return {known["ParameterKey"]: known.get("ParameterValue", "") for known in described.get("Parameters", [])}


def table(expected: Mapping[str, Any]) -> FittedTable:
    """A row for each stage, for the run, and for what its uploads cost beside it."""
    stages = [
        Row((stage["stage"], jobs(stage), *figures(stage), f"{stage['bound_usd']:.3f}")) for stage in expected["stages"]
    ]
    bound = sum(stage["bound_usd"] for stage in expected["stages"])
    total = Row(("the run", "", *figures(expected), f"{bound:.3f}"), style="bold", begins_section=True)
    beside = Row(("uploads and requests", "", "", f"{expected['requests_usd']:.3f}", ""))
    return FittedTable(COLUMNS, [*stages, total, beside])


def jobs(stage: Mapping[str, Any]) -> str:
    """How many jobs, and on which instances."""
    return f"{stage['jobs']} x {stage['instance_type']}"


def figures(of: Mapping[str, Any]) -> tuple[str, str]:
    """The minutes and the cost, each from and to."""
    seconds, usd = of["seconds"], of["usd"]
    return f"{seconds['low'] / 60:.0f} to {seconds['high'] / 60:.0f}", f"{usd['low']:.3f} to {usd['high']:.3f}"


def remarks(expected: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[str]:
    """What a stage may run into, and where the prices are from."""
    for stage in (stage for stage in expected["stages"] if stage["is_cut"]):
        name = stage["stage"]
        then = "what is best by then counts" if name in CONTINUES else "the run would fail"
        yield f"{name} may reach its time limit; {then}. To give it more, raise {LIMITS[name]}."
    yield f"List prices in {expected['prices_region']} on {expected['prices_date']}; yours may differ:"
    for stage in {PRICES[stage["stage"]]: stage for stage in expected["stages"]}.values():
        yield price(stage["instance_type"], values[f"{PRICES[stage['stage']]}PricePerHour"], expected["prices"])
    yield "A job's start and spot prices are assumed until measured: docs/cost.md"


def price(instance_type: str, counted: str, listed: Mapping[str, float]) -> str:
    """The price an hour that is counted, and the list's if that differs."""
    known = listed.get(instance_type)
    other = "" if known == float(counted) else f" (the list has {'no price' if known is None else known})"
    return f"- {instance_type}: ${counted} an hour{other}"
