"""The routes of the HTTP API, read out of the template."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Route:
    """One HTTP API event of a function in the template."""

    method: str
    path: str
    function: str
    handler: str

    @property
    def key(self) -> str:
        """The route's name in API Gateway, and in the events it makes."""
        return f"{self.method} {self.path}"

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The path's parameters, if the request is one for this route."""
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(self.path))
        found = re.fullmatch(pattern, path) if method == self.method else None
        return found.groupdict() if found else None


def routes(template: Path | str) -> list[Route]:
    """The template's routes; those without parameters come first, as API Gateway prefers them."""
    found = [
        Route(
            event["Properties"]["Method"].upper(),
            event["Properties"]["Path"],
            name,
            resource["Properties"]["Handler"],
        )
        for name, resource in functions(template).items()
        for event in resource["Properties"].get("Events", {}).values()
        if event["Type"] == "HttpApi"
    ]
    return sorted(found, key=lambda route: "{" in route.path)


def functions(template: Path | str) -> dict[str, Any]:
    """The template's functions, by the names of their resources."""
    text = Path(template).read_text(encoding="utf-8")
    resources = yaml.load(text, _Template)["Resources"]  # noqa: S506 (it is a SafeLoader)
    return {name: found for name, found in resources.items() if found["Type"] == "AWS::Serverless::Function"}


class _Template(yaml.SafeLoader):
    """YAML as CloudFormation writes it: what `!Ref` and its like mark is kept, the mark is not."""


def _unmarked(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return node.value


_Template.add_multi_constructor("!", _unmarked)
