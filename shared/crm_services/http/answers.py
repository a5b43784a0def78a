"""What an answer is made of: the envelope, and what the document says of it."""

import json
from http import HTTPStatus
from types import UnionType
from typing import Any, NewType

from pydantic import BaseModel

from crm_services.http.schemas.envelope import Failure

# The headers of what is the same for everybody, until the next deployment.
KEPT_FOR_A_WHILE = {"Cache-Control": "public, max-age=300", "Vary": "Accept-Encoding"}

Model = type[BaseModel] | UnionType
Json = NewType("Json", str)


def ok(data: str | object = None, **members: object) -> Json:
    """A success; `data` that is a string is JSON already, as PostgreSQL wrote it."""
    parts = ['"success": true']
    if data is not None:
        parts.append('"data": ' + (data if isinstance(data, str) else to_json(data)))
    parts += [f'"{name}": {to_json(value)}' for name, value in members.items()]
    return Json("{" + ", ".join(parts) + "}")


def answers(model: Model, *failures: int, accepted: Model | None = None, table: bool = False) -> dict[int, Any]:
    """What an endpoint is documented to answer: its models, these failures, or one of those that all of them share.

    `table`: its rows as CSV, too.
    """
    models: dict[int, Model] = dict.fromkeys((*failures, 401, 403, 500, 503), Failure) | {200: model}
    if accepted is not None:
        models[202] = accepted
    found = {status: _documented(HTTPStatus(status).phrase, one) for status, one in sorted(models.items())}
    if table:
        found[200]["content"]["text/csv"] = {"schema": {"type": "string"}}
    return found


def opens(content_type: str, schema: dict[str, Any]) -> dict[int, Any]:
    """What an endpoint is documented to answer that is open to everybody and holds no data."""
    return {200: {"description": "OK", "content": {content_type: {"schema": schema}}}} | {
        500: _documented(HTTPStatus.INTERNAL_SERVER_ERROR.phrase, Failure)
    }


def to_json(value: object) -> str:
    """The value as JSON, in the characters that people read."""
    return json.dumps(value, ensure_ascii=False)


def _documented(description: str, model: Model) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"model": model}}}
