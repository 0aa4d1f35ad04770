"""template.yaml as data, and as CloudFormation would resolve it with every parameter at its default."""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from seedbed.deploy.template import TemplateFile

ROOT = Path(__file__).parents[2]
STACKS = "arn:aws:cloudformation:us-east-1:123456789012:stack"
NO_VALUE = object()
PSEUDO_PARAMETERS: dict[str, Any] = {
    "AWS::NoValue": NO_VALUE,
    "AWS::AccountId": "123456789012",
    "AWS::Region": "us-east-1",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "seedbed",
    "AWS::StackId": f"{STACKS}/seedbed/3f9c1b7a-ca81-11f1-8a3c-0e6f3b2d5a17",
}


@cache
def parsed(path: Path) -> dict[str, Any]:
    """A template as data; it is read once."""
    return TemplateFile(path).content


class Template:
    """The parsed template; `physical` gives a resource's Ref, `attributes` its (logical name, attribute)."""

    def __init__(
        self,
        path: Path = ROOT / "template.yaml",
        physical: Mapping[str, str] | None = None,
        attributes: Mapping[tuple[str, str], str] | None = None,
        stack_id: str = PSEUDO_PARAMETERS["AWS::StackId"],
    ) -> None:
        self.content = deepcopy(parsed(path))
        self.parameters: dict[str, dict[str, Any]] = self.content["Parameters"]
        self.resources: dict[str, dict[str, Any]] = self.content["Resources"]
        self._physical = dict(physical or {})
        self._attributes = dict(attributes or {})
        self._pseudo = {**PSEUDO_PARAMETERS, "AWS::StackId": stack_id}

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of all resources of a type, by logical name."""
        return {name: r.get("Properties", {}) for name, r in self.resources.items() if r["Type"] == kind}

    @property
    def functions(self) -> dict[str, dict[str, Any]]:
        """The functions' properties over the globals they share, by logical name."""
        shared = self.content["Globals"]["Function"]
        return {name: {**shared, **own} for name, own in self.of_type("AWS::Serverless::Function").items()}

    @property
    def environment(self) -> dict[str, str]:
        """The functions' environment, resolved."""
        variables = self.content["Globals"]["Function"]["Environment"]["Variables"]
        return {name: str(self.resolve(value)) for name, value in variables.items()}

    def resolve(self, value: Any) -> Any:
        """A value with its intrinsic functions worked out."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name in INTRINSICS:
                return INTRINSICS[name](self, argument)
        resolved = {name: self.resolve(item) for name, item in value.items()}
        return {name: item for name, item in resolved.items() if item is not NO_VALUE}

    def ref(self, name: str) -> Any:
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self.parameters:
            return self.parameters[name]["Default"]
        return self._physical[name]

    def get_att(self, target: list[str]) -> str:
        resource, attribute = target
        return self._attributes[(resource, attribute)]

    def sub(self, argument: str | list[Any]) -> str:
        text, own = argument if isinstance(argument, list) else (argument, {})
        given = {name: self.resolve(value) for name, value in own.items()}

        def replacement(match: re.Match[str]) -> str:
            name = match.group(1)
            if name in given:
                return str(given[name])
            return str(self.get_att(name.split(".", 1)) if "." in name else self.ref(name))

        return re.sub(r"\$\{([^}!]+)\}", replacement, text)

    def either(self, arguments: list[Any]) -> Any:
        condition, yes, no = arguments
        return self.resolve(yes if self.resolve(self.content["Conditions"][condition]) else no)


INTRINSICS: dict[str, Any] = {
    "Ref": Template.ref,
    "Fn::GetAtt": Template.get_att,
    "Fn::Sub": Template.sub,
    "Fn::If": Template.either,
    "Fn::Select": lambda template, arguments: template.resolve(arguments[1])[int(arguments[0])],
    "Fn::Split": lambda template, arguments: template.resolve(arguments[1]).split(arguments[0]),
    "Fn::Join": lambda template, arguments: arguments[0].join(template.resolve(arguments[1])),
    "Fn::And": lambda template, arguments: all(map(template.resolve, arguments)),
    "Fn::Not": lambda template, arguments: not template.resolve(arguments[0]),
    "Fn::Equals": lambda template, arguments: template.resolve(arguments[0]) == template.resolve(arguments[1]),
}

FOR_ANYTHING_ELSE = "$default"
ROUTES = {
    route["RouteKey"]: route
    for route in Template().of_type("AWS::ApiGatewayV2::Route").values()
    if route["ApiId"] == {"Ref": "HttpApi"} and route["RouteKey"] != FOR_ANYTHING_ELSE
}
"""The routes of the API for signed requests, by their keys, but for the one that answers what is not there."""


def table_request(template: Template, name: str = "runs") -> dict[str, Any]:
    """CreateTable for the template's table."""
    properties: dict[str, Any] = dict(template.resources["Table"]["Properties"])
    del properties["PointInTimeRecoverySpecification"]  # set by a call of its own
    stream = {"StreamEnabled": True, **properties["StreamSpecification"]}
    return {**properties, "TableName": name, "StreamSpecification": stream}


def references(value: Any) -> Iterator[str]:
    """Every name that a value refers to through Ref, GetAtt or Sub."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for name, argument in value.items():
            if name == "Ref":
                yield argument
            elif name == "Fn::GetAtt":
                yield argument[0]
            elif name == "Fn::Sub":
                text, own = argument if isinstance(argument, list) else (argument, {})
                found = [name.split(".")[0] for name in re.findall(r"\$\{([^}!]+)\}", text)]
                yield from (name for name in found if name not in own)
                yield from references(own)
            else:
                yield from references(argument)
