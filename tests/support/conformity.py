"""Holds an answer against the OpenAPI document, as a client would that pins it."""

import json
import zlib
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any

import jsonschema_rs
from werkzeug.test import TestResponse

from local.environment import TEMPLATE
from local.routes import routes

PREFIX = "/crm/api/"
DOCUMENT = json.loads((files("crm_services.http") / "openapi.json").read_text(encoding="utf-8"))
ROUTES = [route for route in routes(TEMPLATE) if route.path.startswith(PREFIX)]


def assert_conforms(answer: TestResponse) -> None:
    """Fail where the document does not say that this endpoint may answer so."""
    for route in ROUTES:
        if route.match(answer.request.method, answer.request.path) is not None:
            return _assert_documented(DOCUMENT["paths"][route.path][route.method.lower()], answer)
    assert answer.status_code == HTTPStatus.NOT_FOUND or not answer.request.path.startswith(PREFIX)
    return None


def body_of(answer: TestResponse) -> bytes:
    """The body as it was before it was compressed."""
    body = answer.get_data()
    return zlib.decompress(body, wbits=31) if answer.headers.get("Content-Encoding") == "gzip" else body


def _assert_documented(operation: dict[str, Any], answer: TestResponse) -> None:
    if answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return  # API Gateway's own
    documented = operation["responses"][str(answer.status_code)]
    if "$ref" in documented:
        documented = DOCUMENT["components"]["responses"][documented["$ref"].rpartition("/")[2]]
    schema = documented["content"][answer.mimetype]["schema"]
    if answer.mimetype == "application/json":
        body = json.loads(body_of(answer), parse_constant=_refuse, parse_int=_whole, parse_float=_fraction)
        validator(json.dumps(schema)).validate(body)


@cache
def validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    """A validator of a schema of the document."""
    return jsonschema_rs.Draft202012Validator(json.loads(schema) | {"components": DOCUMENT["components"]})


# Numbers beyond a double are valid JSON, but not to the validator.
def _whole(digits: str) -> int:
    return max(-(10**300), min(int(digits), 10**300))


def _fraction(digits: str) -> float:
    return max(-1e300, min(float(digits), 1e300))


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON.")
