"""The events of `sam local invoke`: one for each function, and good for ever."""

import json
from typing import Any

import pytest

from crm_services.http.cookie import session_cookie
from crm_services.http.session import session_of
from local.environment import EVENTS, TEMPLATE
from local.events import SECRET
from local.people import ADMIN
from local.routes import functions, routes

FILES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in EVENTS.glob("*.json")}
REQUESTS = {name: event for name, event in FILES.items() if "routeKey" in event}


def test_every_function_has_an_event_and_every_event_a_function() -> None:
    modules = {one["Properties"]["Handler"].partition(".")[0] for one in functions(TEMPLATE).values()}

    assert set(FILES) == modules, "`python -m local.events` writes those that are missing"


def test_an_event_asks_for_a_route_of_the_template() -> None:
    keys = {route.key: route for route in routes(TEMPLATE)}
    for event in REQUESTS.values():
        http = event["requestContext"]["http"]
        assert keys[event["routeKey"]].match(http["method"], event["rawPath"]) == event.get("pathParameters", {})


@pytest.mark.parametrize("name", REQUESTS)
def test_the_session_in_an_event_is_valid_at_its_own_time(name: str) -> None:
    event: dict[str, Any] = REQUESTS[name]
    cookie = session_cookie(event["cookies"], "session")

    assert session_of(cookie, [SECRET], event["requestContext"]["timeEpoch"] / 1000, 3600).user_id == ADMIN.id
