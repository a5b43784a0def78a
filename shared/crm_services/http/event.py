"""An event as the functions read it: API Gateway leaves out what a request does not have, emulators say null."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

Event = Mapping[str, Any]


def complete(event: Event) -> dict[str, Any]:
    """The event with headers (in lower case), cookies, query and path parameters, empty where it has none.

    Their values are text, whatever an emulator makes of them. Raises TypeError for what is no such event at all.
    """
    if not (isinstance(event.get("routeKey"), str) and isinstance(event.get("rawPath"), str)):
        raise TypeError("this is no event of an HTTP API with payload format 2.0: it has no routeKey or no rawPath")
    headers = {name.lower(): value for name, value in _texts(event.get("headers")).items()}
    cookies = event.get("cookies") or headers.get("cookie", "")
    context = event.get("requestContext") or {}
    method = event["routeKey"].partition(" ")[0]
    return {
        **event,
        "headers": headers,
        "cookies": list(_cookies([cookies] if isinstance(cookies, str) else cookies)),
        "queryStringParameters": _texts(event.get("queryStringParameters")),
        "pathParameters": _texts(event.get("pathParameters")) or _path_parameters(event["routeKey"], event["rawPath"]),
        "requestContext": {
            **context,
            "requestId": context.get("requestId") or os.urandom(8).hex(),
            "http": {"method": method, "path": event["rawPath"], **(context.get("http") or {})},
        },
    }


def _texts(values: Mapping[str, Any] | None) -> dict[str, str]:
    return {name: _text(value) for name, value in (values or {}).items() if value is not None}


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _cookies(given: Iterable[Any]) -> Iterable[str]:
    for one in given:
        if isinstance(one, str):
            yield from filter(None, map(str.strip, one.split(";")))


def _path_parameters(route_key: str, path: str) -> dict[str, str]:
    pairs = zip(route_key.split("/"), path.split("/"), strict=False)
    return {name[1:-1]: value for name, value in pairs if name.startswith("{")}
