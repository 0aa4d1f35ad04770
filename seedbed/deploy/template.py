"""A template as data, and as the JSON that CloudFormation takes: its YAML knows no anchors, which template.yaml has."""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import yaml  # type: ignore[import-untyped]

UNKNOWN = "unknown"
ANY_STACKS_JOBS = "sb-"


class Intrinsics(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads `!Ref x` as {"Ref": "x"} and `!Sub x` as {"Fn::Sub": "x"}, as CloudFormation does."""


def intrinsic(loader: Any, suffix: str, node: Any) -> dict[str, Any]:
    """The long form of a tag of CloudFormation's."""
    construct = {
        yaml.ScalarNode: loader.construct_scalar,
        yaml.SequenceNode: lambda node: loader.construct_sequence(node, deep=True),
        yaml.MappingNode: lambda node: loader.construct_mapping(node, deep=True),
    }
    value = construct[type(node)](node)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


Intrinsics.add_multi_constructor("!", intrinsic)


class Code(NamedTuple):
    """A folder of functions, and what their package is built for."""

    uri: str
    runtime: str
    architecture: str

    @property
    def python(self) -> str:
        """Python's version, such as 3.13."""
        return self.runtime.removeprefix("python")


class TemplateFile:
    """A template of CloudFormation or SAM."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def content(self) -> dict[str, Any]:
        """The template as data."""
        content: dict[str, Any] = yaml.load(self.path.read_text(encoding="utf-8"), Loader=Intrinsics)  # noqa: S506
        return content

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        """What the template says of each parameter."""
        parameters: dict[str, dict[str, Any]] = self.content.get("Parameters", {})
        return parameters

    @property
    def defaults(self) -> dict[str, str]:
        """The parameters' defaults, as CloudFormation takes them."""
        return {name: str(rules["Default"]) for name, rules in self.parameters.items() if "Default" in rules}

    def environment(self, values: Mapping[str, str]) -> dict[str, str]:
        """The functions' environment under these parameters; of what only AWS knows, it says `unknown`.

        The prefix of jobs' names, which AWS makes of the stack's ID, is the one that all stacks share.
        """
        variables = self.content["Globals"]["Function"]["Environment"]["Variables"]
        known = {
            name: values.get(value.get("Ref", ""), UNKNOWN) if isinstance(value, dict) else str(value)
            for name, value in variables.items()
        }
        return {**known, "JOB_PREFIX": ANY_STACKS_JOBS}

    @property
    def code(self) -> set["Code"]:
        """What the functions' packages are built for."""
        shared = self.content["Globals"]["Function"]
        functions = ({**shared, **resource["Properties"]} for resource in self._functions.values())
        return {Code(one["CodeUri"], one["Runtime"], one["Architectures"][0]) for one in functions}

    def as_json(self, addresses: Mapping[str, str] | None = None) -> str:
        """The template as JSON; the functions' code is at these addresses by CodeUri, if they are given."""
        content = dict(self.content)
        if addresses:
            shared = content["Globals"]
            content["Globals"] = {**shared, "Function": at_address(shared["Function"], addresses)}
            moved = {
                name: {**resource, "Properties": at_address(resource["Properties"], addresses)}
                for name, resource in self._functions.items()
            }
            content["Resources"] = {**content["Resources"], **moved}
        return json.dumps(content, separators=(",", ":"))

    @property
    def _functions(self) -> dict[str, dict[str, Any]]:
        resources = self.content["Resources"]
        return {name: one for name, one in resources.items() if one["Type"] == "AWS::Serverless::Function"}


def at_address(properties: Mapping[str, Any], addresses: Mapping[str, str]) -> dict[str, Any]:
    """A function's properties, its code at its address."""
    uri = properties.get("CodeUri")
    return {**properties, **({"CodeUri": addresses[uri]} if uri else {})}
