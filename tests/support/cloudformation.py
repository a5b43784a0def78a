"""The template as CloudFormation executes it: every reference and function in it computed."""

import re
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from local.environment import ROOT
from tests.support.deployed import PARAMETERS, transformed

STACK = "crm-hosting-test"
# What CloudFormation itself knows.
PSEUDO = {
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}


class Stack:
    """The resources of a template, each with its properties as CloudFormation would see them.

    A reference to a resource is its logical id, an attribute `LogicalId.Attribute`.
    """

    def __init__(self, path: str = "template.yaml", stack_name: str = STACK, **parameters: str) -> None:
        given = PARAMETERS | parameters
        template = transformed(given) if path == "template.yaml" else yaml_parse((ROOT / path).read_text())
        defaults = {name: p["Default"] for name, p in template["Parameters"].items() if "Default" in p}
        self._values = {name: str(value) for name, value in (defaults | given).items()}
        self.stack_name = stack_name
        self._values |= PSEUDO | {"AWS::StackName": stack_name}
        self._mappings = template.get("Mappings", {})
        self._conditions = template.get("Conditions", {})
        self.outputs = self._computed(template.get("Outputs", {}))
        self.resources: dict[str, dict[str, Any]] = {
            name: self._computed(resource)
            for name, resource in template["Resources"].items()
            if "Condition" not in resource or self._holds(resource["Condition"])
        }

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of all resources of a type, by logical id."""
        return {name: r.get("Properties", {}) for name, r in self.resources.items() if r["Type"] == kind}

    @property
    def functions(self) -> dict[str, dict[str, str]]:
        """The environment of each function."""
        return {name: f["Environment"]["Variables"] for name, f in self.of_type("AWS::Lambda::Function").items()}

    def _holds(self, condition: str) -> bool:
        return bool(self._computed(self._conditions[condition]) == "true")

    def _computed(self, node: Any) -> Any:
        if isinstance(node, list):
            return [item for item in map(self._computed, node) if item != "AWS::NoValue"]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            [(name, argument)] = node.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._function(name.removeprefix("Fn::"), argument)
        return {key: self._computed(value) for key, value in node.items()}

    def _function(self, name: str, argument: Any) -> Any:  # noqa: PLR0911 (a line for each function)
        if name == "If":
            condition, then, otherwise = argument
            return self._computed(then if self._holds(condition) else otherwise)
        argument = self._computed(argument)
        match name, argument:
            case "Ref", _:
                return self._values.get(argument, argument)
            case "GetAtt", [*path]:
                return ".".join(path)
            case "GetAtt", _:
                return argument
            case "Sub", [text, values]:
                return self._substituted(text, values)
            case "Sub", _:
                return self._substituted(argument, {})
            case "Split", [separator, text]:
                return text.split(separator)
            case "Join", [separator, items]:
                return separator.join(items)
            case "FindInMap", [mapping, first, second]:
                return self._mappings[mapping][first][second]
            case "Equals", [one, other]:
                return "true" if one == other else "false"
            case "Not", [condition]:
                return "false" if condition == "true" else "true"
        raise NotImplementedError(f"{name} {argument}")

    def _substituted(self, text: str, values: dict[str, str]) -> str:
        known = self._values | values
        return re.sub(r"\$\{([^!}]+)\}", lambda match: known.get(match[1], match[1]), text)
