"""Events as emulators of API Gateway make them: null or nothing where API Gateway has a value or no name."""

import importlib
import json
import re
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from werkzeug import Request
from werkzeug.test import EnvironBuilder

from local.cookies import session_cookie
from local.environment import TEMPLATE
from local.http_event import http_event
from local.lambda_context import LambdaContext
from local.routes import Route, routes
from tests.project.test_privileges import WITHOUT_DATA
from tests.support.client import path_of
from tests.support.crm import Crm
from tests.support.given import SECRET

ROUTES = routes(TEMPLATE)
MAY_BE_NOTHING = ("headers", "cookies", "queryStringParameters", "pathParameters")
WAYS: dict[str, Callable[[dict[str, Any], str], object]] = {
    "null": lambda event, name: event.update({name: None}),
    "missing": lambda event, name: event.pop(name, None),
}


def answer(route: Route, event: dict[str, Any]) -> tuple[int, str]:
    """The status and body of what the route's function answers, which is JSON."""
    module, _, function = route.handler.rpartition(".")
    given = json.loads(json.dumps(event))
    found = json.loads(json.dumps(getattr(importlib.import_module(module), function)(given, LambdaContext("x"))))
    return found["statusCode"], re.sub(r'"(run_id|started_at|ended_at)".*', "", found["body"])


@pytest.fixture
def events(crm: Crm, environment: pytest.MonkeyPatch) -> list[tuple[Route, dict[str, Any]]]:
    """A good event of each route, by somebody who may."""
    crm.snapshot()
    admin = crm.account(role="admin")
    customer = crm.linked_customer(admin)
    cookie = f"session={session_cookie(SECRET, admin)}"
    found = []
    for route in ROUTES:
        request = Request(EnvironBuilder(path_of(route, customer), method=route.method).get_environ())
        request.environ["RAW_URI"] = path_of(route, customer)
        event = http_event(request, route.key, route.match(route.method, path_of(route, customer)) or {})
        found.append((route, event | {"cookies": [cookie]}))
    return found


@pytest.mark.parametrize(("name", "way"), list(product(MAY_BE_NOTHING, WAYS)))
def test_what_is_null_or_missing_is_empty(name: str, way: str, events: list[tuple[Route, dict[str, Any]]]) -> None:
    for route, event in events:
        usual = answer(route, event)
        WAYS[way](event, name)

        status, body = answer(route, event)

        if name == "cookies" and route.function not in WITHOUT_DATA:
            assert status == 401, route
        else:
            assert (status, body[:400]) == (usual[0], usual[1][:400]), route


def test_nothing_of_it_at_all_is_nobody(events: list[tuple[Route, dict[str, Any]]]) -> None:
    for route, event in events:
        bare = {key: value for key, value in event.items() if key not in MAY_BE_NOTHING}

        assert answer(route, bare)[0] in {200, 401, 404}, route


def test_a_cookie_may_come_as_a_header_and_headers_in_any_case(events: list[tuple[Route, dict[str, Any]]]) -> None:
    for route, event in events:
        usual = answer(route, event)
        [cookie] = event.pop("cookies")
        event["headers"] |= {"Cookie": f"theme=dark; {cookie}", "X-Nothing": None}

        assert answer(route, event)[0] == usual[0] < 500, route
        if route.method == "POST":
            assert answer(route, event | {"headers": event["headers"] | {"Sec-Fetch-Site": "cross-site"}})[0] == 403


def test_what_is_of_another_type_is_read_as_text(events: list[tuple[Route, dict[str, Any]]]) -> None:
    for route, event in events:
        usual = answer(route, event)
        del event["requestContext"]["requestId"], event["requestContext"]["http"]
        event["cookies"] = "; ".join(["theme=dark", *event["cookies"]])
        event["headers"] = {name: [value] for name, value in event["headers"].items()} | {"content-length": 0}
        event["queryStringParameters"] = {"lang": ["en"], "nothing": None}
        event["pathParameters"] = {name: int(value) if value.isdigit() else value
                                   for name, value in (event.get("pathParameters") or {}).items()}  # fmt: skip

        assert answer(route, event)[0] == usual[0] < 500, route


def test_what_is_no_event_of_an_http_api_is_said_to_be_none(events: list[tuple[Route, dict[str, Any]]]) -> None:
    for route, event in events:
        for other in ({}, {"source": "warm-up"}, {"httpMethod": "GET", "path": event["rawPath"], "headers": {}}):
            with pytest.raises(TypeError, match=r"no event of an HTTP API with payload format 2\.0"):
                answer(route, other)


def test_without_path_parameters_another_s_customer_is_another_s_all_the_same(
    crm: Crm, events: list[tuple[Route, dict[str, Any]]]
) -> None:
    stranger = f"session={session_cookie(SECRET, crm.account(role='mining_site_owner'))}"
    for route, event in events:
        if "{customer_id}" in route.path and route.path.startswith("/crm/api/"):
            assert answer(route, event | {"pathParameters": None, "cookies": [stranger]})[0] == 403
