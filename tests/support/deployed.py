"""The template as CloudFormation gets it, transformed by SAM's own translator."""

import os
import re
from functools import cache
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from local.environment import ROOT

TEMPLATE = ROOT / "template.yaml"
# What the caller of `sam deploy` says; the values are names only.
PARAMETERS = {
    "LinkScope": "tenant",
    "PublicOrigin": "https://crm.example.com",
    "AllowedOrigins": "https://one.example.com,https://two.example.com",
    "DatabaseHost": "db.example.com",
    "DatabaseSecretArn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:role",
    "MigrationSecretArn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:owner",
    "SessionSecretArn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:session",
    "SubnetIds": "subnet-1",
    "SecurityGroupIds": "sg-1",
}


def transformed(parameters: dict[str, str]) -> dict[str, Any]:
    """The whole template, with these values for its parameters."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
    # `sam deploy` has uploaded both folders by then.
    packaged = re.sub(r"(CodeUri|ContentUri): (\w+)/", r"\1: s3://bucket/\2", TEMPLATE.read_text())
    found: dict[str, Any] = transform(yaml_parse(packaged), dict(parameters), _ManagedPolicies())
    return found


@cache
def resources() -> dict[str, Any]:
    """Every resource that a deployment creates."""
    return dict(transformed(PARAMETERS)["Resources"])


def of_type(type_name: str) -> dict[str, Any]:
    """The properties of every resource of a type, by its logical id."""
    return {name: one["Properties"] for name, one in resources().items() if one["Type"] == type_name}


class _ManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}
