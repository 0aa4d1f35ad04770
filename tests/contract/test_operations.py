"""The dashboard, the alarms and their runbook, the budget and the tags: each names what exists."""

import json
import re
from types import SimpleNamespace
from typing import Any

import pytest
from samtranslator.translator.transform import transform

from job_manager.domain.measurement import BY_STAGE, RARE, Metric
from job_manager.domain.run import NEXT, STAGES_WITH_TRIALS
from tests.contract.template import ROOT, Template

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
ALARMS = Template().of_type("AWS::CloudWatch::Alarm")
OWN = "Seedbed/seedbed"
FREE_METRICS = 50  # CloudWatch's first three dashboards cost nothing, with as many metrics each
SERVICE = ("service", "seedbed")
# The dimension that names a resource in AWS's own metrics, its type, and the metrics of it that AWS documents.
AWS_METRICS: dict[str, tuple[str, str, set[str]]] = {
    "AWS/Lambda": ("FunctionName", "AWS::Serverless::Function", {"Errors", "Throttles", "Duration", "Invocations"}),
    "AWS/SQS": (
        "QueueName",
        "AWS::SQS::Queue",
        {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"},
    ),
    "AWS/SNS": ("TopicName", "AWS::SNS::Topic", {"NumberOfNotificationsFailed"}),
    "AWS/ApiGateway": ("ApiId", "AWS::ApiGatewayV2::Api", {"Count", "4xx", "5xx", "Latency", "IntegrationLatency"}),
}
Series = tuple[str, str, tuple[str, ...]]


def deployed() -> Template:
    """The template, each resource's physical name being its logical one."""
    template = Template()
    names = dict.fromkeys(template.resources)
    attributes = {(name, attribute): name for name in names for attribute in ("Arn", "QueueName", "TopicName")}
    return Template(physical={name: name for name in names}, attributes=attributes)


STACK = deployed()


def emitted() -> set[Series]:
    """The series that the functions emit."""
    series: set[Series] = set()
    for metric in Metric:
        stages = (NEXT if metric is Metric.STAGE_DURATION else STAGES_WITH_TRIALS).keys() - RARE
        for stage in stages if metric in BY_STAGE else [None]:
            series.add((OWN, metric.label, (*SERVICE, *(("Stage", stage.value) if stage else ()))))
    return series


def exists(series: Series) -> bool:
    """Whether somebody fills this series: the functions, or AWS for a resource of the template."""
    namespace, metric, dimensions = series
    if namespace == OWN:
        return series in emitted()
    dimension, kind, metrics = AWS_METRICS[namespace]
    resource = STACK.resources.get(dimensions[-1], {})
    return metric in metrics and dimensions[:-1] == (dimension,) and resource.get("Type") == kind


def widgets() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(STACK.resolve(dashboard()["DashboardBody"]))["widgets"]
    return found


def dashboard() -> dict[str, Any]:
    (properties,) = STACK.of_type("AWS::CloudWatch::Dashboard").values()
    return properties


def shown() -> list[Series]:
    """The series on the dashboard."""
    rows = [row for widget in widgets() for row in widget["properties"].get("metrics", [])]
    names = [[part for part in row if isinstance(part, str)] for row in rows]
    return [(namespace, metric, tuple(dimensions)) for namespace, metric, *dimensions in names]


def watched(alarm: dict[str, Any]) -> Series:
    """The series that an alarm watches."""
    alarm = STACK.resolve(alarm)
    dimensions = [part for pair in alarm["Dimensions"] for part in (pair["Name"], pair["Value"])]
    return alarm["Namespace"], alarm["MetricName"], tuple(dimensions)


def test_the_dashboard_shows_what_exists_and_all_that_the_functions_emit() -> None:
    assert [series for series in shown() if not exists(series)] == []
    assert emitted() - set(shown()) == set()
    assert len(set(shown())) <= FREE_METRICS


def test_the_dashboard_shows_every_queue_function_and_alarm() -> None:
    dimensions = {series[2][-1] for series in shown()}
    (alarms,) = (widget["properties"]["alarms"] for widget in widgets() if widget["type"] == "alarm")

    assert STACK.of_type("AWS::SQS::Queue").keys() <= dimensions
    assert STACK.of_type("AWS::Serverless::Function").keys() <= dimensions
    assert set(alarms) == ALARMS.keys()


def test_no_widget_lies_on_another_or_beyond_the_edge() -> None:
    cells = [
        (x, y)
        for widget in widgets()
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]

    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def test_every_widget_of_metrics_has_a_title_and_this_region() -> None:
    for widget in widgets():
        if widget["type"] == "metric":
            assert widget["properties"]["title"]
            assert widget["properties"]["region"] == "us-east-1"


def test_stacks_share_no_name_that_is_unique_in_an_account() -> None:
    assert STACK.resolve(dashboard()["DashboardName"]) == "seedbed-us-east-1"
    assert STACK.resolve(STACK.resources["Budget"]["Properties"]["Budget"]["BudgetName"]) == "seedbed-us-east-1"


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_watches_what_exists_and_tells_people(name: str) -> None:
    alarm = ALARMS[name]

    assert exists(watched(alarm))
    assert alarm["AlarmActions"] == [{"Ref": "Topic"}]
    assert alarm["TreatMissingData"] == "notBreaching"
    assert alarm["Period"] * alarm["EvaluationPeriods"] <= 24 * 3600
    assert len(alarm["AlarmDescription"]) <= 1024


def test_every_function_has_alarms_on_errors_and_throttles() -> None:
    alarms = {watched(alarm) for alarm in ALARMS.values()}

    for function in STACK.functions:
        for metric in ("Errors", "Throttles"):
            assert ("AWS/Lambda", metric, ("FunctionName", function)) in alarms


def test_every_alarm_has_its_section_of_the_runbook_and_every_section_an_alarm() -> None:
    pattern = re.compile(r"\. What to do is in docs/runbook\.md#([a-z-]+)$")
    named = {name: pattern.search(alarm["AlarmDescription"]) for name, alarm in ALARMS.items()}
    sections = dict(re.findall(r"^### (.+)\n\n((?:.+\n)+)", RUNBOOK.split("\n## Alarms\n")[1], re.MULTILINE))

    assert [name for name, found in named.items() if found is None] == []
    assert {found[1] for found in named.values() if found} == {title.lower().replace(" ", "-") for title in sections}
    for title, text in sections.items():
        alarms = {name for name, found in named.items() if found and found[1] == title.lower().replace(" ", "-")}
        assert set(re.findall(r"`(\w+Alarm)`", text)) == alarms


def test_the_runbook_lists_the_metrics_as_they_are_emitted() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \| (\S*) ?\|", RUNBOOK, re.MULTILINE)

    assert rows == [(metric.label, metric.unit, "Stage" if metric in BY_STAGE else "") for metric in Metric]


def test_the_budget_counts_what_is_tagged_with_the_stack() -> None:
    budget = STACK.resources["Budget"]["Properties"]["Budget"]
    filters = STACK.resolve(budget["CostFilters"])

    assert filters == {"TagKeyValue": ["user:stack$seedbed", "aws:cloudformation:stack-name$seedbed"]}
    assert STACK.parameters["BillingBudget"]["Default"] == 0


@pytest.mark.parametrize("tracing", ["Disabled", "Active"])
def test_tracing_brings_the_x_ray_sdk_when_it_is_switched_on(tracing: str) -> None:
    stack = Template()
    assert stack.parameters["Tracing"]["Default"] == "Disabled"
    stack.parameters["Tracing"]["Default"] = tracing
    shared = stack.content["Globals"]["Function"]
    ((condition, layer, otherwise),) = (layer["Fn::If"] for layer in shared["Layers"])

    assert stack.resolve(shared["Tracing"]) == tracing
    assert stack.resolve(stack.content["Conditions"][condition]) is (tracing == "Active")
    assert "AWSLambdaPowertoolsPythonV3-python313-arm64" in stack.resolve(layer)
    assert shared["Runtime"] == "python3.13"
    assert shared["Architectures"] == ["arm64"]
    assert otherwise == {"Ref": "AWS::NoValue"}


@pytest.mark.parametrize(("tracing", "policies"), [("Disabled", []), ("Active", ["AWSXrayWriteOnlyAccess"])])
def test_only_functions_that_trace_have_the_permission_to(tracing: str, policies: list[str]) -> None:
    """As SAM's translator makes the roles, which runs on AWS."""
    shared = {**STACK.content["Globals"]["Function"], "Layers": [], "Environment": {}}
    properties = {**shared, "CodeUri": "s3://bucket/key", "Handler": "reconcile.handler"}
    template = {
        "Transform": STACK.content["Transform"],
        "Parameters": {"Tracing": STACK.parameters["Tracing"]},
        "Resources": {"Reconcile": {"Type": "AWS::Serverless::Function", "Properties": properties}},
    }

    made = transform(template, {"Tracing": tracing}, SimpleNamespace(load=dict))["Resources"]

    logs, *others = (arn.split("/")[-1] for arn in made["ReconcileRole"]["Properties"]["ManagedPolicyArns"])
    assert logs == "AWSLambdaBasicExecutionRole"
    assert others == policies
