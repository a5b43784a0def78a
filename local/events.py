"""The events of `make invoke`: `python -m local.events` writes one for each function that has none yet."""

import json
from datetime import UTC, datetime
from typing import Any

from werkzeug import Request
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from local.cookies import session_cookie
from local.environment import EVENTS, TEMPLATE
from local.http_event import http_event
from local.lambda_context import ACCOUNT, REGION
from local.people import ADMIN, FIRST_CUSTOMER
from local.routes import Route, functions, routes

# Public, and good for nothing else: it signs the cookies in events/, which are therefore no secrets.
SECRET = "signs-the-events-of-make-invoke-and-nothing-else"  # noqa: S105
# The session's clock is the request's, so that the cookies in the events never expire.
LOGGED_IN = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
ASKED = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
HOST = "crm.example.com"


def events() -> dict[str, dict[str, Any]]:
    """An event for each function, by the name of its module."""
    asked = {route.function: route for route in routes(TEMPLATE)}
    found = {}
    for function, resource in functions(TEMPLATE).items():
        module = resource["Properties"]["Handler"].partition(".")[0]
        if function in asked:
            found[module] = _request(asked[function])
        else:  # a function without a trigger is invoked by hand
            found[module] = _scheduled(module) if "Events" in resource["Properties"] else {}
    return found


def _request(route: Route) -> dict[str, Any]:
    """What API Gateway makes of a request of the CRM's page, sent by the admin's browser."""
    path = route.path.replace("{customer_id}", str(FIRST_CUSTOMER)).replace("{run_id}", "1")
    headers = {
        "Accept": "application/json",
        "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8",
        "Cookie": f"session={session_cookie(SECRET, ADMIN.id, ADMIN.email, ADMIN.role, LOGGED_IN.timestamp())}",
        "Sec-Fetch-Site": "same-origin",
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    }
    if route.method == "POST":
        headers["Origin"] = f"https://{HOST}"
    environ = EnvironBuilder(path, f"https://{HOST}", method=route.method, headers=Headers(headers)).get_environ()
    environ["REMOTE_ADDR"] = "203.0.113.7"
    event = http_event(Request(environ | {"RAW_URI": path}), route.key, route.match(route.method, path) or {})
    event["requestContext"] |= {
        "requestId": "JKJaXmPLvHcESHA=",
        "time": ASKED.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(ASKED.timestamp() * 1000),
    }
    return event


def _scheduled(name: str) -> dict[str, Any]:
    """What EventBridge Scheduler hands to a function whose schedule names no input."""
    return {
        "version": "0",
        "id": "3f0ee1d3-6a34-4f7e-9d4f-0c5c2f1c7b52",
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": ACCOUNT,
        "time": ASKED.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/crm-hosting-{name.replace('_', '-')}"],
        "detail": "{}",
    }


if __name__ == "__main__":
    EVENTS.mkdir(exist_ok=True)
    for name, event in events().items():
        path = EVENTS / f"{name}.json"
        if not path.exists():
            path.write_text(json.dumps(event, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            print(path)
