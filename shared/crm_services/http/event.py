"""An event as the functions read it: API Gateway leaves out what a request does not have, emulators say null."""

from collections.abc import Mapping
from typing import Any

Event = Mapping[str, Any]


def complete(event: Event) -> dict[str, Any]:
    """The event with headers (in lower case), cookies, query and path parameters, empty where it has none."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items() if value is not None}
    return {
        **event,
        "headers": headers,
        "cookies": event.get("cookies") or [one.strip() for one in headers.get("cookie", "").split(";") if one.strip()],
        "queryStringParameters": event.get("queryStringParameters") or {},
        "pathParameters": event.get("pathParameters") or _path_parameters(event["routeKey"], event["rawPath"]),
    }


def _path_parameters(route_key: str, path: str) -> dict[str, str]:
    pairs = zip(route_key.split("/"), path.split("/"), strict=False)
    return {name[1:-1]: value for name, value in pairs if name.startswith("{")}
