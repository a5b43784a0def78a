"""What a deployment creates: the template after SAM's own translation."""

import json
import re
from typing import Any

import pytest

from local.environment import ROOT
from local.routes import routes
from tests.project.test_privileges import MARKET, WITHOUT_DATA
from tests.support.cloudformation import Stack
from tests.support.deployed import PARAMETERS, TEMPLATE, of_type

FUNCTIONS = of_type("AWS::Lambda::Function")


def _variables(function: dict[str, Any]) -> dict[str, Any]:
    variables: dict[str, Any] = function["Environment"]["Variables"]
    return variables


def test_migrate_and_the_daily_run_go_round_a_pooler_where_the_deployment_names_the_server() -> None:
    direct = {"MigrateFunction", "DailySyncFunction", "SyncWorkerFunction"}
    stack = Stack(MigrationHost="server.example.com")

    hosts = {name: variables["DATABASE_HOST"] for name, variables in stack.functions.items()}
    assert {name for name, host in hosts.items() if host == "server.example.com"} == direct
    assert {variables["DATABASE_HOST"] for variables in Stack().functions.values()} == {hosts["HostingStatsFunction"]}


def test_the_functions_never_need_more_connections_than_the_role_may_open() -> None:
    functions = Stack(MarketSecretArn=MARKET, BatchFunctions="3", BatchWorkers="4").of_type("AWS::Lambda::Function")
    reserved = {name: int(one["ReservedConcurrentExecutions"]) for name, one in functions.items()}
    for asks_no_database in ("PanelFunction", "OpenapiDocumentFunction", "DocsFunction"):
        del reserved[asks_no_database]
    logs_in_as_the_owner = reserved.pop("MigrateFunction")
    assert reserved.pop("MarketRefreshFunction") == 1  # a role of its own
    parameter = TEMPLATE.read_text().partition("  ConnectionLimit:\n")[2]

    batch = 4 * (reserved.pop("DailySyncFunction") + reserved.pop("SyncWorkerFunction"))
    assert batch == 4 * (1 + 3)

    assert logs_in_as_the_owner == 1
    assert sum(reserved.values()) <= 19
    # Some more, for connections that environments which are gone have left.
    assert "Default: 25\n    MinValue: 25\n" in parameter[:80]
    assert "At least 23 + BatchWorkers * (BatchFunctions + 1)" in parameter[:400]


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


def test_what_strangers_may_fetch_has_limits_of_its_own() -> None:
    [stage] = of_type("AWS::ApiGatewayV2::Stage").values()
    open_routes = {route.key for route in routes(TEMPLATE) if route.function in WITHOUT_DATA}

    assert set(stage["RouteSettings"]) == open_routes
    for limits in stage["RouteSettings"].values():
        assert limits["ThrottlingRateLimit"] < stage["DefaultRouteSettings"]["ThrottlingRateLimit"]
    for name in {route.function for route in routes(TEMPLATE) if route.function in WITHOUT_DATA}:
        assert FUNCTIONS[name]["ReservedConcurrentExecutions"] <= 20
    # A page and what it is made of come through at once.
    assets = stage["RouteSettings"]["GET /crm/hosting/assets/{version}/{file}"]["ThrottlingBurstLimit"]
    assert assets >= 2 * len(list((ROOT / "functions" / "panel_files").glob("*.*")))


def test_with_a_domain_of_its_own_the_api_has_no_other_address_and_asks_for_a_certificate() -> None:
    certificate = "arn:aws:acm:eu-central-1:123456789012:certificate/1"
    closed = Stack(
        ApiDomainName="api.example.com", ApiCertificateArn=certificate, ApiTruststoreUri="s3://trusted/crm.pem"
    )
    [domain] = closed.of_type("AWS::ApiGatewayV2::DomainName").values()
    [mapping] = closed.of_type("AWS::ApiGatewayV2::ApiMapping").values()
    [stage] = closed.of_type("AWS::ApiGatewayV2::Stage")

    assert domain["MutualTlsAuthentication"] == {"TruststoreUri": "s3://trusted/crm.pem"}
    assert domain["DomainNameConfigurations"][0]["CertificateArn"] == certificate
    assert mapping == {"ApiId": "Api", "DomainName": "OwnDomain", "Stage": stage}
    assert closed.outputs["ApiUrl"]["Value"] == "https://api.example.com"
    assert _address_is_closed(closed) == "true"

    usual = Stack()
    assert not usual.of_type("AWS::ApiGatewayV2::DomainName")
    assert _address_is_closed(usual) == "false"


def _address_is_closed(stack: Stack) -> str:
    [api] = stack.of_type("AWS::ApiGatewayV2::Api").values()
    [server] = api["Body"]["servers"]
    return str(server["x-amazon-apigateway-endpoint-configuration"]["disableExecuteApiEndpoint"]).lower()


def test_a_key_of_one_s_own_encrypts_what_is_kept_and_told() -> None:
    key = "arn:aws:kms:eu-central-1:123456789012:key/1"
    encrypted = Stack(KmsKeyArn=key)

    assert {group["KmsKeyId"] for group in encrypted.of_type("AWS::Logs::LogGroup").values()} == {key}
    assert {topic["KmsMasterKeyId"] for topic in encrypted.of_type("AWS::SNS::Topic").values()} == {key}
    assert {group["KmsKeyId"] for group in Stack().of_type("AWS::Logs::LogGroup").values()} == {"AWS::NoValue"}


def test_only_allowed_origins_are_answered_across_origins() -> None:
    [api] = of_type("AWS::ApiGatewayV2::Api").values()
    condition, cors, otherwise = api["Body"]["x-amazon-apigateway-cors"]["Fn::If"]

    assert (condition, otherwise) == ("HasAllowedOrigins", {"Ref": "AWS::NoValue"})
    # The translator puts the parameter's value in place of the reference: only a string survives that.
    assert cors["allowOrigins"] == {"Fn::Split": [",", PARAMETERS["AllowedOrigins"]]}
    assert (cors["allowMethods"], cors["allowCredentials"]) == (["GET", "POST", "PUT", "DELETE"], True)


def test_the_guide_names_the_concurrency_and_the_alarms_metrics_that_a_deployment_takes() -> None:
    guide = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    everything = Stack(MarketSecretArn="arn:aws:secretsmanager:eu-central-1:123456789012:secret:market")
    reserved = sum(
        int(one["ReservedConcurrentExecutions"]) for one in everything.of_type("AWS::Lambda::Function").values()
    )
    alarms = everything.of_type("AWS::CloudWatch::Alarm").values()
    metrics = sum(sum("MetricStat" in one for one in alarm.get("Metrics", ())) or 1 for alarm in alarms)

    assert f"The functions reserve {reserved} of" in guide
    assert f"has to be {reserved + 100} at least" in guide
    assert f"| Alarms: {len(alarms)}, of {metrics} metrics | 0.10 a metric | {metrics / 10:.2f} |" in guide


def test_the_guide_s_costs_add_up() -> None:
    guide = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    [table] = re.findall(r"\n\| \| price \|.*?\*\*sum\*\*.*?\n", guide, re.DOTALL)
    *rows, total = [[cell.strip(" *") for cell in row.split("|")] for row in table.strip().splitlines()[2:]]

    for column in (3, 4):
        assert f"{sum(float(row[column] or 0) for row in rows):.2f}" == total[column]
