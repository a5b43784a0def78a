"""The template as moto's CloudFormation creates it: functions, roles, logs, queue and topic."""

import io
import json
import zipfile
from collections.abc import Collection
from typing import Any, Final

import boto3

from tests.support.deployed import transformed

REGION: Final = "eu-central-1"
# What moto's CloudFormation cannot create. Whatever refers to one of these is left out with it.
UNKNOWN = {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::ApiGatewayV2::DomainName",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CloudFormation::Stack",
    "AWS::CloudWatch::Alarm",
    "AWS::IAM::Policy",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::SNS::Subscription",
    "AWS::Scheduler::Schedule",
}


def create(name: str, parameters: dict[str, str]) -> dict[str, str]:
    """Create the stack within `mock_aws`; returns the ids of its resources by their logical ids."""
    template = transformed(parameters)
    resources = template["Resources"]
    unknown = {logical_id for logical_id, one in resources.items() if one["Type"] in UNKNOWN}
    template["Resources"] = _without(unknown, {name: one for name, one in resources.items() if name not in unknown})
    template["Outputs"] = _without(unknown, template["Outputs"], value_of="Value")
    client = boto3.client("cloudformation", REGION)
    client.create_stack(
        StackName=name,
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    created = client.describe_stack_resources(StackName=name)["StackResources"]
    assert {one["ResourceStatus"] for one in created} == {"CREATE_COMPLETE"}
    return {one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in created}


def upload() -> None:
    """Put there what `sam deploy` has packed, once for all stacks."""
    client = boto3.client("s3", REGION)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("handler.py", "")
    client.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    for key in ("functions", "shared"):
        client.put_object(Bucket="bucket", Key=key, Body=archive.getvalue())


def _without(unknown: Collection[str], node: Any, value_of: str = "") -> Any:
    """The node without the properties and outputs whose value is worked out from one of these resources."""
    if isinstance(node, list):
        return [_without(unknown, one) for one in node if not _is_worked_out_from(unknown, one)]
    if not isinstance(node, dict):
        return node
    return {
        key: _without(unknown, value)
        for key, value in node.items()
        if not _is_worked_out_from(unknown, value[value_of] if value_of else value)
    }


def _is_worked_out_from(unknown: Collection[str], node: Any) -> bool:
    if not (isinstance(node, dict) and len(node) == 1):
        return False
    [(function, argument)] = node.items()
    if function != "Ref" and not function.startswith("Fn::"):
        return False
    text = json.dumps(argument)
    return any(f'"{name}"' in text or f"${{{name}" in text or f'"{name}.' in text for name in unknown)
