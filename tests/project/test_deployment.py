"""What a deployment creates: the template after SAM's own translation."""

import json
from typing import Any

import pytest

from tests.support.deployed import PARAMETERS, TEMPLATE, of_type

FUNCTIONS = of_type("AWS::Lambda::Function")


def _variables(function: dict[str, Any]) -> dict[str, Any]:
    variables: dict[str, Any] = function["Environment"]["Variables"]
    return variables


def test_the_functions_never_need_more_connections_than_the_role_may_open() -> None:
    reserved = {name: one.get("ReservedConcurrentExecutions") for name, one in FUNCTIONS.items()}
    for asks_no_database in ("PanelFunction", "OpenapiDocumentFunction", "DocsFunction"):
        assert reserved.pop(asks_no_database) is None, "it may run as often as it likes"
    assert None not in reserved.values(), reserved
    logs_in_as_the_owner = reserved.pop("MigrateFunction")
    assert reserved.pop("MarketRefreshFunction") == 1  # a role of its own
    parameter = TEMPLATE.read_text().partition("  ConnectionLimit:\n")[2]

    assert logs_in_as_the_owner == 1
    assert sum(reserved.values()) <= 20
    assert "Default: 20\n    MinValue: 20\n" in parameter[:80]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_shares_architecture_layer_network_and_logs(name: str) -> None:
    function = FUNCTIONS[name]

    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == [{"Ref": "Architecture"}]
    assert len(function["Layers"]) == 1
    assert set(function["VpcConfig"]) == {"SubnetIds", "SecurityGroupIds"}
    assert function["LoggingConfig"] == {"LogGroup": {"Ref": "FunctionLogs"}}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_secret_is_in_the_environment_of_a_function(name: str) -> None:
    variables = _variables(FUNCTIONS[name])

    assert (variables["DATABASE_URL"], variables["SESSION_SECRET"]) == ("", "")
    own_login = {"MarketRefreshFunction": "MarketSecretArn"}
    assert variables["DATABASE_SECRET_ARN"] == {"Ref": own_login.get(name, "DatabaseSecretArn")}
    assert ("MIGRATION_SECRET_ARN" in variables) == (name == "MigrateFunction")


def test_logs_are_kept_for_a_limited_time() -> None:
    groups = of_type("AWS::Logs::LogGroup")

    assert set(groups) == {"AccessLogs", "FunctionLogs"}
    assert all(group["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in groups.values())


def test_the_api_throttles_and_writes_a_line_of_json_for_each_request() -> None:
    [stage] = of_type("AWS::ApiGatewayV2::Stage").values()

    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] <= 20
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] <= 100
    line = json.loads(stage["AccessLogSettings"]["Format"])
    assert {"requestId", "route", "status", "ms", "error"} <= set(line)
    assert "\n" not in stage["AccessLogSettings"]["Format"]
    # No header is logged, so no cookie is.
    assert all(value.startswith("$context.") for value in line.values())


def test_only_allowed_origins_are_answered_across_origins() -> None:
    [api] = of_type("AWS::ApiGatewayV2::Api").values()
    condition, cors, otherwise = api["Body"]["x-amazon-apigateway-cors"]["Fn::If"]

    assert (condition, otherwise) == ("HasAllowedOrigins", {"Ref": "AWS::NoValue"})
    # The translator puts the parameter's value in place of the reference: only a string survives that.
    assert cors["allowOrigins"] == {"Fn::Split": [",", PARAMETERS["AllowedOrigins"]]}
    assert (cors["allowMethods"], cors["allowCredentials"]) == (["GET", "POST"], True)
