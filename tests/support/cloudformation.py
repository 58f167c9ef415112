"""What CloudFormation makes of a template, as far as tests need it: values and the order."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any
from unittest import mock

NO_VALUE = object()
_PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackName": "stack",
}


def read_template(path: Path) -> dict[str, Any]:
    """Read a template, its short forms such as `!Ref` written out."""
    from samcli.yamlhelper import yaml_parse

    template: dict[str, Any] = yaml_parse(path.read_text("utf-8"))
    return template


def translate(template: dict[str, Any]) -> dict[str, Any]:
    """Translate a template of SAM into one of CloudFormation, as the service does."""
    from samtranslator.translator.transform import transform

    class NoPolicies:
        def load(self) -> dict[str, str]:
            return {}

    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    with mock.patch.dict(os.environ, {"AWS_DEFAULT_REGION": _PSEUDO["AWS::Region"]}):
        translated: dict[str, Any] = transform(template, {}, NoPolicies())
    return translated


# ---------------------------------------------------------------------------------- the order


def _named(value: Any) -> Iterator[str]:
    """Yield the names that a value refers to."""
    if isinstance(value, list):
        for each in value:
            yield from _named(each)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield inner
            elif key == "Fn::GetAtt":
                yield inner[0] if isinstance(inner, list) else inner.partition(".")[0]
            elif key == "Fn::Sub":
                text, given = inner if isinstance(inner, list) else (inner, {})
                names = re.findall(r"\$\{([^!}.]+)[^}]*\}", text)
                yield from (name for name in names if name not in given)
                yield from _named(given)
            else:
                yield from _named(inner)


def as_list(value: Any) -> list[Any]:
    """Give a list of one or many."""
    return value if isinstance(value, list) else [value]


def find_cycle(template: Mapping[str, Any]) -> list[str]:
    """Give resources that wait for each other in a circle; none where there is an order."""
    resources = template["Resources"]
    graph = {}
    for name, resource in resources.items():
        waits = resource.get("DependsOn", [])
        found = {waits} if isinstance(waits, str) else set(waits)
        graph[name] = (found | set(_named(resource.get("Properties", {})))) & resources.keys()
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


# --------------------------------------------------------------------------------- the values


class Stack:
    """A template with its parameters: gives what its values come to; a resource is its own name.

    Args:
        template: The template.
        parameters: What is given; the others take their defaults.
    """

    def __init__(self, template: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
        declared = template["Parameters"]
        assert parameters.keys() <= declared.keys()
        self.values: dict[str, Any] = {**_PSEUDO}
        for name, parameter in declared.items():
            value = parameters[name] if name in parameters else parameter["Default"]
            text = str(value)
            if parameter["Type"].startswith(("CommaDelimitedList", "List<")):
                self.values[name] = [text] if "," not in text else text.split(",")
            else:
                self.values[name] = text
        self.conditions = template.get("Conditions", {})

    def holds(self, condition: Any) -> bool:
        """Tell whether a condition holds."""
        if isinstance(condition, str):
            return self.holds(self.conditions[condition])
        ((kind, parts),) = condition.items()
        if kind == "Condition":
            return self.holds(parts)
        if kind == "Fn::Equals":
            left, right = (self.resolve(part) for part in parts)
            return str(left) == str(right)
        held = [self.holds(part) for part in parts]
        return {"Fn::Not": not held[0], "Fn::And": all(held), "Fn::Or": any(held)}[kind]

    def resolve(self, value: Any) -> Any:
        """Give what a value comes to; attributes of resources stay as `Name.Attribute`."""
        if isinstance(value, list):
            return [each for each in map(self.resolve, value) if each is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        intrinsics: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": lambda inner: ".".join(inner) if isinstance(inner, list) else inner,
            "Fn::Sub": self._sub,
            "Fn::If": lambda inner: self.resolve(inner[1 if self.holds(inner[0]) else 2]),
            "Fn::Select": lambda inner: self.resolve(inner[1])[int(inner[0])],
            "Fn::Join": lambda inner: inner[0].join(self.resolve(inner[1])),
        }
        if len(value) == 1:
            ((kind, inner),) = value.items()
            if kind in intrinsics:
                return intrinsics[kind](inner)
        resolved = {key: self.resolve(inner) for key, inner in value.items()}
        return {key: each for key, each in resolved.items() if each is not NO_VALUE}

    def _ref(self, name: str) -> Any:
        return NO_VALUE if name == "AWS::NoValue" else self.values.get(name, name)

    def _sub(self, text: str) -> str:
        return re.sub(r"\$\{([^}]+)\}", lambda found: str(self._ref(found[1])), text)
