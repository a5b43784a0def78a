"""Least privilege: what each function may do, in the template as CloudFormation executes it."""

import re
from itertools import product
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from local.routes import routes
from tests.support.client import path_of
from tests.support.cloudformation import Stack
from tests.support.deployed import PARAMETERS, TEMPLATE

MARKET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:market"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:attention"
STACK = Stack(MarketSecretArn=MARKET, AttentionTopicArn=TOPIC)  # with all that a deployment can ask for
ROUTES = routes(TEMPLATE)
HTTP = {route.function for route in ROUTES}
FUNCTIONS = STACK.of_type("AWS::Lambda::Function")
ROLES = STACK.of_type("AWS::IAM::Role")

READ, SEND, INVOKE = "secretsmanager:GetSecretValue", "sqs:SendMessage", "lambda:InvokeFunction"
DATABASE, SESSION, OWNER = (PARAMETERS[f"{name}SecretArn"] for name in ("Database", "Session", "Migration"))
GOES_ON = ("states:StartExecution", "SyncStateMachine")
ANSWERS_REQUESTS = {(READ, DATABASE), (READ, SESSION)}
# These hand out files, ask for no session, and can therefore read nothing.
WITHOUT_DATA = {"PanelFunction", "DocsFunction", "OpenApiDocumentFunction", "OpenapiDocumentFunction"}
# What the others may do. A function that is on neither list may do nothing.
MAY: dict[str, set[tuple[str, str]]] = {
    "SyncAllHostingFunction": ANSWERS_REQUESTS | {GOES_ON},
    "DailySyncFunction": {(READ, DATABASE), (SEND, "DeadLetters.Arn"), ("sns:Publish", TOPIC), GOES_ON},
    "SyncWorkerFunction": {(READ, DATABASE), ("sns:Publish", TOPIC)},
    "MarketRefreshFunction": {(READ, MARKET)},
    "MigrateFunction": {(READ, DATABASE), (READ, OWNER), (READ, MARKET)},
}
# Logs, and the network interface in the CRM's network: AWS names no narrower resource for the latter.
MANAGED = {
    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole",
}


def rights(role: str) -> set[tuple[str, str]]:
    """Each action with each resource that the policies within the role and those attached to it allow."""
    documents = [policy["PolicyDocument"] for policy in ROLES[role].get("Policies", [])]
    for kind in ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):
        documents += [policy["PolicyDocument"] for policy in STACK.of_type(kind).values() if role in policy["Roles"]]
    found = set()
    for statement in _listed([statement for document in documents for statement in _listed(document["Statement"])]):
        assert statement["Effect"] == "Allow"
        assert statement.keys() <= {"Effect", "Action", "Resource", "Sid", "Condition"}
        pairs = product(_listed(statement["Action"]), _listed(statement["Resource"]))
        found |= set(pairs)
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _role_of(function: str) -> str:
    return str(FUNCTIONS[function]["Role"]).removesuffix(".Arn")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_what_is_on_this_list_and_nothing_else(function: str) -> None:
    role = ROLES[_role_of(function)]

    assert rights(_role_of(function)) == MAY.get(
        function, ANSWERS_REQUESTS if function in HTTP - WITHOUT_DATA else set()
    )
    assert set(role["ManagedPolicyArns"]) <= MANAGED
    assert role["AssumeRolePolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": {"Service": ["lambda.amazonaws.com"]}}
    ]


def test_who_names_no_topic_lets_nobody_publish() -> None:
    assert not Stack(MarketSecretArn=MARKET).of_type("AWS::IAM::Policy")


def test_no_two_functions_share_a_role() -> None:
    roles = [function["Role"] for function in FUNCTIONS.values()]

    assert len(set(roles)) == len(roles)


def test_no_policy_has_a_star() -> None:
    for role in ROLES:
        for action, resource in rights(role):
            assert "*" not in action + resource, (role, action, resource)
    # Whatever else grants a right would have to be looked at here.
    kinds = {resource["Type"] for resource in STACK.resources.values()}
    assert not kinds & {"AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::RolePolicy", "AWS::Lambda::Url"}


def test_only_a_schedule_the_api_and_the_state_machine_invoke_a_function() -> None:
    others = set(ROLES) - set(map(_role_of, FUNCTIONS))
    assert {role: rights(role) for role in others} == {
        "DailySyncFunctionDailyRole": {(INVOKE, "DailySyncFunction.Arn"), (SEND, "DeadLetters.Arn")},
        "SyncStateMachineRole": {(INVOKE, "SyncWorkerFunction.Arn")},
        "MarketRefreshFunctionHourlyRole": {(INVOKE, "MarketRefreshFunction.Arn")},
    }
    permissions = list(STACK.of_type("AWS::Lambda::Permission").values())
    assert {permission["FunctionName"] for permission in permissions} == HTTP
    for permission in permissions:
        assert (permission["Action"], permission["Principal"]) == (INVOKE, "apigateway.amazonaws.com")
        # Of this account, region and API, and of the function's own routes only.
        assert permission["SourceArn"].startswith("arn:aws:execute-api:eu-central-1:123456789012:Api/*/")
        [method, path] = permission["SourceArn"].partition("Api/*/")[2].split("/", 1)
        assert (permission["FunctionName"], method, f"/{path}") in {
            (route.function, route.method, path_of(route, "*")) for route in ROUTES
        }


def test_neither_the_template_nor_the_environment_of_a_function_holds_a_secret() -> None:
    for name, variables in STACK.functions.items():
        for variable, value in variables.items():
            if any(word in variable for word in ("SECRET", "PASSWORD", "TOKEN", "KEY", "DATABASE_URL")):
                assert value == "" or value.startswith("arn:aws:secretsmanager:"), (name, variable)
    template = TEMPLATE.read_text()
    assert "NoEcho" not in template  # a secret is not even a parameter
    assert "resolve:secretsmanager" not in template  # nor copied into a property


def test_what_is_no_origin_is_refused_before_anything_is_deployed() -> None:
    parameters = yaml_parse(TEMPLATE.read_text())["Parameters"]
    public, allowed = (re.compile(parameters[name]["AllowedPattern"]) for name in ("PublicOrigin", "AllowedOrigins"))

    for origin in ("https://crm.example.com", "https://crm.example.com:8443", "http://127.0.0.1:3000"):
        assert public.fullmatch(origin)
        assert allowed.fullmatch(origin)
    for no_origin in ("*", "null", "crm.example.com", "https://crm.example.com/", "https://*.example.com", "https://"):
        assert not public.fullmatch(no_origin)
        assert not allowed.fullmatch(no_origin)
    assert allowed.fullmatch("")
    assert not public.fullmatch("")
    assert allowed.fullmatch("https://one.example.com,https://two.example.com")
