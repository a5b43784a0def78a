"""`make openapi`: the OpenAPI document of all endpoints, merged of what the handlers' resolvers say."""

import importlib
import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler.openapi.models import APIKey, APIKeyIn, License

import crm_services
from crm_services.base.messages import Language, text
from crm_services.http.api import Api
from local.environment import TEMPLATE
from local.routes import routes

FILE = Path(crm_services.__file__).parent / "http" / "openapi.json"
EXAMPLES: dict[str, Any] = json.loads(Path(__file__).with_name("examples.json").read_text(encoding="utf-8"))
PREFIX = "/crm/api/"
COOKIE = "session"  # Flask's name for it; a CRM that has another says so by SESSION_COOKIE
DESCRIPTION = """\
Joins a CRM's customers with the mining fleets they host. Customers and accounts are matched by e-mail.

The caller is who the CRM's session cookie says, and sees that account's customers, or all of them as owner or admin.
Unknown parameters and bodies are ignored; an empty parameter (`?status=`) asks for nothing; a repeated one is refused.
Texts are in the language of the CRM's session, else of `Accept-Language`; `?lang=zh` or `en` asks for one.
Answers of 4 KB and more are compressed where `Accept-Encoding` lists gzip. A POST of a page of another site is refused.

What does not reach a function is answered by API Gateway, as `{"message": "…"}`: 404 where there is no such route, 413
for a body that is too large, 429 for too many requests, 503 for too many at once.
"""
LANGUAGES: dict[str, Language] = {"Chinese": "zh", "English": "en"}
# An example of each failure.
FAILURES: dict[str, tuple[str, dict[str, object]]] = {
    "400": ("bad_parameter_of", {"name": "status", "allowed": "active, offline, maintenance, sold"}),
    "401": ("not_authenticated", {}),
    "403": ("access_denied", {}),
    "404": ("customer_not_found", {}),
    "409": ("run_under_way", {}),
    "500": ("internal", {"correlation_id": "JKJaXmPLvHcESHA="}),
    "503": ("unavailable", {}),
}


def document() -> dict[str, Any]:
    """The document as it is served."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    merged: dict[str, Any] = {}
    for api in apis():
        merged = _schema(api)
        for path, operations in merged["paths"].items():
            for method, operation in operations.items():
                _describe(operation, api, method, path)
                paths.setdefault(path, {})[method] = operation
        for name, schema in merged["components"]["schemas"].items():
            if schemas.setdefault(name, schema) != schema:
                raise ValueError(f"Two endpoints have different models of the name {name}.")
    components = merged["components"] | {"responses": _failures()}
    components["schemas"] = dict(sorted(_used(schemas, [paths, components["responses"]]).items()))
    tidied: dict[str, Any] = _tidied(merged | {"paths": dict(sorted(paths.items())), "components": components})
    return tidied


def apis() -> list[Api]:
    """The resolver of each function that answers below `/crm/api/`."""
    handlers = [route.handler for route in routes(TEMPLATE) if route.path.startswith(PREFIX)]
    return [importlib.import_module(handler.partition(".")[0]).api for handler in dict.fromkeys(handlers)]


def _schema(api: Api) -> dict[str, Any]:
    schema = api.get_openapi_json_schema(
        title="CRM hosting",
        version="1.0.0",
        description=DESCRIPTION,
        license_info=License(name="Apache-2.0", identifier="Apache-2.0"),
        security_schemes={
            COOKIE: APIKey.model_validate(
                {"name": COOKIE, "in": APIKeyIn.cookie, "description": "The CRM's session, set when a user logs in"}
            )
        },
    )
    found: dict[str, Any] = json.loads(schema)
    return found


def _describe(operation: dict[str, Any], api: Api, method: str, path: str) -> None:
    """Say of an operation what Powertools does not: name, texts, login, examples; and not that it answers 422."""
    [function] = [
        route.func
        for route in api._static_routes + api._dynamic_routes
        if (route.openapi_path, route.method.lower()) == (path, method)
    ]
    summary, _, description = (function.__doc__ or "").partition("\n")
    operation |= {"operationId": function.__name__, "summary": summary.rstrip(".")}
    if description := " ".join(description.split()):
        operation["description"] = description
    operation["security"] = [] if api.permission is None else [{COOKIE: []}]
    for parameter in operation.get("parameters", []):
        parameter["schema"] = _without_null(parameter["schema"])
    del operation["responses"]["422"]
    responses = operation["responses"]
    if examples := EXAMPLES.get(function.__name__):
        responses["200"]["content"]["application/json"]["examples"] = examples
    operation["responses"] = responses | {
        status: {"$ref": f"#/components/responses/{HTTPStatus(int(status)).name}"}
        for status in responses
        if status in FAILURES
    }


def _failures() -> dict[str, Any]:
    """The answers that say why there is none."""
    found: dict[str, Any] = {}
    for status, (message, fields) in FAILURES.items():
        examples = {
            name: {"value": {"success": False, "error": text(message, language, **fields)}}
            for name, language in LANGUAGES.items()
        }
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}, "examples": examples}}
        found[HTTPStatus(int(status)).name] = {"description": HTTPStatus(int(status)).phrase, "content": content}
    found["SERVICE_UNAVAILABLE"]["headers"] = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}
    return found


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter that may be left out: it cannot be null."""
    choices = [one for one in schema.pop("anyOf", []) if one != {"type": "null"}]
    return schema | choices[0] if choices else schema


def _used(schemas: dict[str, Any], where: list[Any]) -> dict[str, Any]:
    """The schemas that are referred to there, directly or by way of others."""
    used: dict[str, Any] = {}
    text = json.dumps(where)
    while found := {name: schemas[name] for name in schemas if f'schemas/{name}"' in text and name not in used}:
        used |= found
        text = json.dumps(found)
    return used


def _tidied(node: Any) -> Any:
    """Without the titles that pydantic makes of names, and with whole numbers as such."""
    if isinstance(node, dict):
        return {
            key: _tidied(value)
            for key, value in node.items()
            if not (key == "title" and isinstance(value, str) and "version" not in node)
        }
    if isinstance(node, list):
        return [_tidied(one) for one in node]
    return int(node) if isinstance(node, float) and node.is_integer() else node


if __name__ == "__main__":
    FILE.write_text(json.dumps(document(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
