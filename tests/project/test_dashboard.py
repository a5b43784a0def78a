"""The dashboard shows figures that exist: ours as a run publishes them, AWS's of resources in the template."""

import json
import re
from typing import Any

import pytest

import daily_sync
from local.lambda_context import LambdaContext
from tests.support.cloudformation import Stack
from tests.support.crm import Crm
from tests.support.emf import metrics_in

# What AWS publishes, by namespace, and the type of resource that the dimension names.
AWS_METRICS = {
    ("AWS/Lambda", "FunctionName"): ("AWS::Lambda::Function", {"Invocations", "Errors", "Throttles", "Duration"}),
    ("AWS/ApiGateway", "ApiId"): (
        "AWS::ApiGatewayV2::Api",
        {"Count", "4xx", "5xx", "Latency", "IntegrationLatency", "DataProcessed"},
    ),
    ("AWS/SQS", "QueueName"): ("AWS::SQS::Queue", {"ApproximateNumberOfMessagesVisible"}),
}
# Logs Insights finds these in every line of a function's log.
DISCOVERED = {"@timestamp", "@type", "@initDuration"}
GRAMMAR = {"filter", "fields", "stats", "sort", "desc", "limit", "and", "not", "ispresent", "count", "avg", "max"}


@pytest.fixture(scope="module")
def stack() -> Stack:
    return Stack()


@pytest.fixture(scope="module")
def widgets(stack: Stack) -> list[dict[str, Any]]:
    given = stack.of_type("AWS::CloudFormation::Stack")["Dashboard"]
    nested = Stack(given["TemplateURL"], **given["Parameters"])
    body = nested.of_type("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]
    shown: list[dict[str, Any]] = json.loads(body)["widgets"]
    return shown


@pytest.fixture
def published(crm: Crm, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What a run prints, its `service` being the stack's."""
    environment.setenv("POWERTOOLS_SERVICE_NAME", Stack().functions["DailySyncFunction"]["POWERTOOLS_SERVICE_NAME"])
    crm.linked_customer()
    daily_sync.handler({}, LambdaContext("DailySyncFunction", 900))
    return capsys.readouterr().out


def test_every_metric_of_the_dashboard_exists(stack: Stack, widgets: list[dict[str, Any]], published: str) -> None:
    ours = {(datum.namespace, datum.name, *next(iter(datum.dimensions))) for datum in metrics_in(published)}
    shown = [metric for widget in widgets if widget["type"] == "metric" for metric in _metrics(widget)]
    assert len(shown) > 20
    for namespace, name, dimension, value in shown:
        if namespace == "CrmHosting":
            assert (namespace, name, dimension, value) in ours
        else:
            kind, names = AWS_METRICS[namespace, dimension]
            assert name in names
            assert value.split(".")[0] in stack.of_type(kind), value


def test_the_dashboard_shows_what_it_is_for(widgets: list[dict[str, Any]]) -> None:
    names = {name for widget in widgets if widget["type"] == "metric" for _, name, *_ in _metrics(widget)}
    assert {"LinkRate", "BatchSyncCompleted", "SyncErrorRate", "Errors", "5xx", "Latency"} <= names
    queries = [widget["properties"]["query"] for widget in widgets if widget["type"] == "log"]
    assert any("@initDuration" in query for query in queries), "cold starts"
    assert any("BatchSyncCompleted" in query for query in queries), "freshness"


def test_every_field_that_a_log_query_asks_for_is_in_the_log(
    stack: Stack, widgets: list[dict[str, Any]], published: str
) -> None:
    [line] = [json.loads(line) for line in published.splitlines() if '"_aws"' in line]
    logged = {f"{name}.0" if isinstance(value, list) else name for name, value in line.items()} | DISCOVERED | {"scope"}
    for widget in widgets:
        if widget["type"] == "log":
            source, *commands = widget["properties"]["query"].split(" | ")
            assert source.split("'")[1] in stack.of_type("AWS::Logs::LogGroup")
            words = re.findall(
                r"@?[a-zA-Z_]+(?:\.0)?", re.sub(r"'[^']*'| by bin\(1d\)| as \w+", "", " ".join(commands))
            )
            grammar = {"filter", "fields", "stats", "sort", "desc", "limit", "and", "not", "ispresent", "count"}
            assert set(words) - grammar - {"avg", "max"} <= logged


def test_no_widget_covers_another(widgets: list[dict[str, Any]]) -> None:
    cells = [
        (x, y)
        for widget in widgets
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def _metrics(widget: dict[str, Any]) -> list[list[str]]:
    """The widget's metrics written out: `.` repeats a part of the one before, `...` all but the options."""
    written: list[list[str]] = []
    for row in widget["properties"]["metrics"]:
        parts = [part for part in row if isinstance(part, str)]
        if not parts:  # an expression of those that it names
            continue
        if parts == ["..."]:
            parts = written[-1]
        written.append([written[-1][place] if part == "." else part for place, part in enumerate(parts)])
    return written
