"""An API Gateway HTTP API event (payload 2.0) of an HTTP request."""

import base64
import re
import secrets
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from werkzeug import Request

from local.lambda_context import ACCOUNT

API_ID = "localapi00"
TEXT_TYPES = re.compile(r"text/|application/(json|javascript|xml|x-www-form-urlencoded)$|.*\+(json|xml)$")


def target(request: Request) -> tuple[str, str]:
    """The request's path, decoded as an HTTP API hands it on, and its query as it was sent."""
    raw = str(request.environ["RAW_URI"])
    if "://" in raw.partition("?")[0]:  # a proxy's absolute form
        raw = "/" + raw.partition("://")[2].partition("/")[2]
    path, _, query = raw.partition("#")[0].partition("?")
    query = query or request.environ["QUERY_STRING"]  # a WSGI client's, whose RAW_URI is without
    return _text(unquote_to_bytes(path.encode("latin-1"))), _text(query.encode("latin-1"))


def http_event(request: Request, route_key: str, path_parameters: dict[str, str]) -> dict[str, Any]:
    """The event that API Gateway makes of the request for this route."""
    path, query = target(request)
    headers = _headers(request)
    cookies = [one.strip() for one in headers.pop("cookie", "").split(";") if one.strip()]
    now = datetime.now(UTC)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": query,
        "cookies": cookies,
        "headers": headers,
        "queryStringParameters": _query_parameters(query),
        "pathParameters": path_parameters,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": API_ID,
            "domainName": request.host,
            "domainPrefix": request.host.partition(".")[0],
            "http": {
                "method": request.method,
                "path": path,
                "protocol": str(request.environ["SERVER_PROTOCOL"]),
                "sourceIp": request.remote_addr or "127.0.0.1",
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": secrets.token_urlsafe(11) + "=",
            "routeKey": route_key,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
        },
        "isBase64Encoded": False,
        **_body(request),
    }
    # API Gateway leaves out what a request does not have.
    for name in ("cookies", "queryStringParameters", "pathParameters"):
        if not event[name]:
            del event[name]
    return event


def _headers(request: Request) -> dict[str, str]:
    # Repeated headers are joined already: WSGI knows each name once.
    headers = {name.lower(): value for name, value in request.headers.items()}
    source = request.remote_addr or "127.0.0.1"
    forwarded = headers.get("x-forwarded-for")
    headers["x-forwarded-for"] = f"{forwarded}, {source}" if forwarded else source
    headers["x-forwarded-proto"] = request.scheme
    headers["x-forwarded-port"] = str(request.environ["SERVER_PORT"])
    return headers


def _query_parameters(query: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True, errors="replace"):
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    return parameters


def _body(request: Request) -> dict[str, Any]:
    body = request.get_data()
    if not body:
        return {}
    if TEXT_TYPES.match(request.mimetype):
        return {"body": _text(body)}
    return {"body": base64.b64encode(body).decode("ascii"), "isBase64Encoded": True}


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
