import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from local.gateway import Gateway
from local.routes import routes

TEMPLATE = """
Resources:
  Api: {Type: AWS::Serverless::HttpApi}
  EchoFunction:
    Type: AWS::Serverless::Function
    Properties:
      Handler: %(module)s.handler
      Layers: [!Ref Layer]
      Environment: {Variables: {STACK: !Sub "${AWS::StackName}", ROLE: !GetAtt Role.Arn}}
      Events:
        One: {Type: HttpApi, Properties: {Method: get, Path: "/thing/{id}"}}
        Put: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: POST, Path: "/thing/{id}"}}
        All: {Type: HttpApi, Properties: {Method: GET, Path: /thing/all}}
        Daily: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day)}}
"""
HANDLER = """
seen = []
answer = {"statusCode": 200, "body": "{}"}

def handler(event, context):
    seen.append((event, context))
    if isinstance(answer, Exception):
        raise answer
    return answer
"""


class Echo:
    """A gateway before one function that keeps what it was called with."""

    def __init__(self, directory: Path, module: str) -> None:
        (directory / f"{module}.py").write_text(HANDLER)
        self.template = directory / "template.yaml"
        self.template.write_text(TEMPLATE % {"module": module})
        self.client = Client(Gateway(self.template), use_cookies=False)
        self.function: Any = __import__(module)

    def event(self, path: str, method: str = "GET", **request: Any) -> dict[str, Any]:
        response = self.client.open(path, method=method, **request)
        assert response.status_code == 200
        event, _ = self.function.seen[-1]
        assert isinstance(event, dict)
        return event

    def answer(self, answer: Any) -> TestResponse:
        self.function.answer = answer
        return self.client.get("/thing/1")


@pytest.fixture
def echo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Echo:
    monkeypatch.syspath_prepend(tmp_path)
    return Echo(tmp_path, re.sub(r"\W", "_", request.node.name))


def test_the_routes_are_those_of_the_template_with_fixed_paths_first(echo: Echo) -> None:
    assert [(route.key, route.function) for route in routes(echo.template)] == [
        ("GET /thing/all", "EchoFunction"),
        ("GET /thing/{id}", "EchoFunction"),
        ("POST /thing/{id}", "EchoFunction"),
    ]


def test_an_event_has_the_shape_of_payload_2_0(echo: Echo) -> None:
    event = echo.event("/thing/7?a=1", headers={"User-Agent": "curl/8", "Host": "crm.example.com"})

    http = {"method": "GET", "path": "/thing/7", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "curl/8"}
    context = event["requestContext"]
    assert event["version"] == "2.0"
    assert event["routeKey"] == context["routeKey"] == "GET /thing/{id}"
    assert (event["rawPath"], event["rawQueryString"]) == ("/thing/7", "a=1")
    assert event["pathParameters"] == {"id": "7"}
    assert event["isBase64Encoded"] is False
    assert context["http"] == http
    assert (context["stage"], context["domainName"], context["domainPrefix"]) == ("$default", "crm.example.com", "crm")
    assert re.fullmatch(r"\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000", context["time"])
    assert isinstance(context["timeEpoch"], int)


def test_what_a_request_does_not_have_its_event_does_not_have(echo: Echo) -> None:
    event = echo.event("/thing/all")

    assert not {"cookies", "queryStringParameters", "pathParameters", "body", "stageVariables"} & event.keys()


def test_cookies_come_as_a_list_and_not_as_a_header(echo: Echo) -> None:
    event = echo.event("/thing/1", headers={"Cookie": "session=abc.def; lang=zh;  session=second"})

    assert event["cookies"] == ["session=abc.def", "lang=zh", "session=second"]
    assert "cookie" not in event["headers"]


def test_header_names_are_lower_case_and_the_caller_is_added_to_those_forwarded_for(echo: Echo) -> None:
    sent = echo.event("/thing/1", headers={"X-Thing": "a", "X-Forwarded-For": "203.0.113.9"})["headers"]

    assert sent["x-thing"] == "a"
    assert sent["x-forwarded-for"] == "203.0.113.9, 127.0.0.1"


def test_query_parameters_are_decoded_and_repeated_ones_joined(echo: Echo) -> None:
    event = echo.event("/thing/1?status=a%20b&status=c&empty=&flag&n=%E7%9F%BF%2B")

    assert event["rawQueryString"] == "status=a%20b&status=c&empty=&flag&n=%E7%9F%BF%2B"
    assert event["queryStringParameters"] == {"status": "a b,c", "empty": "", "flag": "", "n": "矿+"}


def test_the_path_is_decoded(echo: Echo) -> None:
    event = echo.event("/thing/%E7%9F%BF%20%31")

    assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/thing/矿 1"
    assert event["pathParameters"] == {"id": "矿 1"}


@pytest.mark.parametrize(
    ("sent", "received"),
    [("%00", "\0"), ("%FF", "�"), ("%zz", "%zz"), ("%0A", "\n"), ("..", ".."), ("\xe9", "�"), ("%25", "%")],
)
def test_no_path_is_too_odd_for_an_event(echo: Echo, sent: str, received: str) -> None:
    event = echo.event("/thing/x", environ_overrides={"RAW_URI": f"/thing/{sent}?q={sent}"})

    assert event["pathParameters"] == {"id": received}
    assert event["queryStringParameters"] == {"q": received}


def test_a_target_in_absolute_form_is_its_path(echo: Echo) -> None:
    event = echo.event("/x", environ_overrides={"RAW_URI": "http://crm.example.com/thing/5?next=http://x/y"})

    assert event["rawPath"] == "/thing/5"
    assert event["queryStringParameters"] == {"next": "http://x/y"}


@pytest.mark.parametrize("content_type", ["application/json", "text/plain; charset=utf-8", "application/problem+json"])
def test_a_body_of_text_comes_as_text(echo: Echo, content_type: str) -> None:
    event = echo.event("/thing/1", "POST", data='{"名": 1}'.encode(), content_type=content_type)

    assert (event["body"], event["isBase64Encoded"]) == ('{"名": 1}', False)


@pytest.mark.parametrize("content_type", ["application/octet-stream", "image/png", ""])
def test_any_other_body_comes_in_base64(echo: Echo, content_type: str) -> None:
    event = echo.event("/thing/1", "POST", data=b"\x00\xff", content_type=content_type)

    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"\x00\xff"


def test_the_context_counts_down_from_the_timeout(echo: Echo) -> None:
    echo.event("/thing/1")
    _, context = echo.function.seen[-1]

    assert context.function_name == "EchoFunction"
    assert context.invoked_function_arn.endswith(":function:EchoFunction")
    assert 0 < context.get_remaining_time_in_millis() <= 29_000


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/other"),
        ("GET", "/xthing/1"),
        ("GET", "/thing/"),
        ("GET", "/thing/1/"),
        ("GET", "/thing/a%2Fb"),
        ("HEAD", "/thing/1"),
        ("OPTIONS", "/thing/1"),
        ("DELETE", "/thing/1"),
    ],
)
def test_a_request_without_a_route_gets_the_gateways_own_404(echo: Echo, method: str, path: str) -> None:
    response = echo.client.open(path, method=method)

    assert response.status_code == 404
    assert echo.function.seen == []
    assert method == "HEAD" or response.get_json() == {"message": "Not Found"}


def test_an_answer_becomes_http_with_its_headers_and_cookies(echo: Echo) -> None:
    response = echo.answer(
        {
            "statusCode": 201,
            "headers": {"x-a": "1", "content-type": "text/css"},
            "cookies": ["a=1", "b=2"],
            "body": "矿",
        }
    )

    assert (response.status_code, response.get_data(as_text=True)) == (201, "矿")
    assert (response.headers["x-a"], response.content_type) == ("1", "text/css")
    assert response.headers.getlist("set-cookie") == ["a=1", "b=2"]


def test_an_answer_in_base64_is_decoded(echo: Echo) -> None:
    body = base64.b64encode(b"\x1f\x8b").decode()

    assert echo.answer({"statusCode": 200, "body": body, "isBase64Encoded": True}).data == b"\x1f\x8b"


@pytest.mark.parametrize("answer", [{"total": 150}, [1, "矿"], None])
def test_an_answer_without_a_status_is_the_body(echo: Echo, answer: Any) -> None:
    response = echo.answer(answer)

    assert (response.status_code, response.content_type) == (200, "application/json")
    assert json.loads(response.data) == answer


@pytest.mark.parametrize(
    "answer",
    [
        ValueError("secret detail"),
        {"statusCode": "soon"},
        {"statusCode": 200, "body": b"bytes"},
        {"statusCode": 200, "body": "x" * 6 * 1024 * 1024},
    ],
    ids=["raises", "no status", "no JSON", "over 6 MB"],
)
def test_a_failure_of_the_function_gets_the_gateways_own_500(echo: Echo, answer: Any) -> None:
    response = echo.answer(answer)

    assert response.status_code == 500
    assert response.get_json() == {"message": "Internal Server Error"}


@pytest.mark.parametrize("megabytes", [7, 11])
def test_a_request_that_lambda_or_the_gateway_cannot_take_is_413(echo: Echo, megabytes: int) -> None:
    response = echo.client.post("/thing/1", data=b"x" * megabytes * 1024 * 1024, content_type="text/plain")

    assert response.status_code == 413
    assert response.get_json() == {"message": "Request Entity Too Large"}
    assert echo.function.seen == []
