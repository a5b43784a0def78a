"""The template as CloudFormation gets it: transformed by SAM's own translator, its functions computed."""

import json
import os
import re
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parent.parent
STACK = "crm-hosting-test"
# What whoever deploys has to say, and what CloudFormation itself knows.
PARAMETERS = {
    "LinkScope": "any",
    "PublicOrigin": "https://crm.example.com",
    "AllowedOrigins": "https://partner.example.com",
    "DatabaseHost": "db.example.com",
    "DatabaseSecretArn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:database",
    "MigrationSecretArn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:migration",
    "SessionSecretArn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:session",
    "SubnetIds": "subnet-0",
    "SecurityGroupIds": "sg-0",
}
PSEUDO = {
    "AWS::StackName": STACK,
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}


class Stack:
    """The resources of a template, each with its properties as CloudFormation would see them.

    A reference to a resource is its logical id, an attribute `LogicalId.Attribute`.
    """

    def __init__(self, path: str = "template.yaml", **parameters: str) -> None:
        os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
        template = _load(ROOT / path)
        given = (PARAMETERS if path == "template.yaml" else {}) | parameters
        defaults = {name: p["Default"] for name, p in template.get("Parameters", {}).items() if "Default" in p}
        self._values = {name: str(value) for name, value in (defaults | given).items()} | PSEUDO
        transformed = transform(template, dict(given), _NoPolicies()) if "Transform" in template else template
        self._mappings = transformed.get("Mappings", {})
        self._conditions = transformed.get("Conditions", {})
        self.outputs = self._computed(transformed.get("Outputs", {}))
        self.resources: dict[str, dict[str, Any]] = {
            name: self._computed(resource)
            for name, resource in transformed["Resources"].items()
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
        return self._computed(self._conditions[condition]) == "true"

    def _computed(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self._computed(item) for item in node]
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


class _NoPolicies:
    def load(self) -> dict[str, str]:
        return {}


def _load(path: Path) -> dict[str, Any]:
    # By way of JSON: the translator changes its input, in which YAML's anchors would be one object in many places.
    template: dict[str, Any] = json.loads(json.dumps(yaml_parse(path.read_text())))
    for resource in template["Resources"].values():
        _package(resource.get("Properties", {}))
    _package(template.get("Globals", {}).get("Function", {}))
    return template


def _package(properties: dict[str, Any]) -> None:
    """Move the code to S3, as `sam package` does before CloudFormation sees the template."""
    for name in ("CodeUri", "ContentUri"):
        if name in properties:
            properties[name] = f"s3://packages/{properties[name]}"
