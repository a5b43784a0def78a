"""API Gateway on a laptop: the template's routes, each served by the very handler it deploys."""

import base64
import importlib
import json
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException

from local.http_event import http_event, target
from local.lambda_context import LambdaContext
from local.routes import Route, routes

# API Gateway takes a body of 10 MB; Lambda an event and an answer of 6 MB.
LARGEST_BODY = 10 * 1024 * 1024
LARGEST_PAYLOAD = 6 * 1024 * 1024

logger = logging.getLogger(__name__)

Handler = Callable[[dict[str, Any], LambdaContext], Any]


class Gateway:
    """A WSGI application that does with a request what API Gateway and Lambda do with it."""

    def __init__(self, template: Path | str) -> None:
        self.handlers = {route: _load(route.handler) for route in routes(template)}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return self.respond(Request(environ))(environ, start_response)

    def respond(self, request: Request) -> Response:
        """The answer of the handler that the template routes the request to, or the gateway's."""
        request.max_content_length = LARGEST_BODY
        path, _ = target(request)
        for route, handler in self.handlers.items():
            parameters = route.match(request.method, path)
            if parameters is not None:
                return _answer(request, route, handler, parameters)
        return _message(404, "Not Found")


def _answer(request: Request, route: Route, handler: Handler, parameters: dict[str, str]) -> Response:
    try:
        event = http_event(request, route.key, parameters)
    except HTTPException as refusal:  # too large, or broken off
        return _message(refusal.code or 400, refusal.name)
    if len(json.dumps(event)) > LARGEST_PAYLOAD:
        return _message(413, "Request Entity Too Large")
    try:
        response = _invoke(route, handler, event)
    except Exception:
        logger.exception("%s failed", route.function)
        response = _message(500, "Internal Server Error")
    response.headers["apigw-requestid"] = event["requestContext"]["requestId"]
    return response


def _invoke(route: Route, handler: Handler, event: dict[str, Any]) -> Response:
    # What leaves Lambda is JSON: an answer that is none fails here as it does there.
    payload = json.dumps(handler(event, LambdaContext(route.function)), ensure_ascii=False)
    size = len(payload.encode())
    if size > LARGEST_PAYLOAD:
        raise ValueError(f"Lambda refuses an answer of {size} bytes.")
    answer = json.loads(payload)
    if isinstance(answer, dict) and "statusCode" in answer:
        return _response(answer)
    # Without a status API Gateway takes the whole answer for the body.
    body = answer if isinstance(answer, str) else payload
    return Response(body, 200, content_type="application/json")


def _response(answer: dict[str, Any]) -> Response:
    body = answer.get("body") or ""
    response = Response(
        base64.b64decode(body) if answer.get("isBase64Encoded") else body,
        int(answer["statusCode"]),
        content_type="text/plain;charset=UTF-8",
    )
    for name, value in (answer.get("headers") or {}).items():
        response.headers[name] = str(value)
    for cookie in answer.get("cookies") or []:
        response.headers.add("set-cookie", cookie)
    return response


def _message(status: int, message: str) -> Response:
    return Response(f'{{"message":"{message}"}}', status, content_type="application/json")


def _load(handler: str) -> Handler:
    module, _, function = handler.rpartition(".")
    loaded: Handler = getattr(importlib.import_module(module), function)
    return loaded
