"""The parameters of a request: what an id may be, what an empty one means, what is said of a wrong one."""

from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from aws_lambda_powertools.event_handler.api_gateway import Route
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from crm_services.base.errors import AppError, BadParameter, NotFound

MAX_ID = 2**31 - 1
MAX_BIGINT = 2**63 - 1
NO_CUSTOMER = 0
# `?include=` includes nothing, which without it is not so.
MEANT_WHEN_EMPTY = {"include"}


def customer_id(event: Mapping[str, Any]) -> int | None:
    """The id in the path, NO_CUSTOMER for one that no customer can have; None where the route has none."""
    given = event["pathParameters"].get("customer_id")
    if given is None:
        return None
    digits = given.lstrip("0") if given.isascii() and given.isdigit() else ""
    return int(digits) if 0 < len(digits) <= len(str(MAX_ID)) and int(digits) <= MAX_ID else NO_CUSTOMER


def without_empty_parameters(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event less what is like `?status=`: an empty field of a form asks for nothing."""
    query = event["queryStringParameters"].items()
    return {
        **event,
        "queryStringParameters": {name: value for name, value in query if value or name in MEANT_WHEN_EMPTY},
    }


def wrong(error: RequestValidationError, route: Route) -> AppError:
    """What the caller is told: which parameter it is and, where they can be listed, what it may be."""
    place, name = error.errors()[0]["loc"][:2]
    if place == "path":
        return NotFound()
    [declared] = [field.field_info for field in route.dependant.query_params if field.alias == name]
    if allowed := _allowed(declared):
        return BadParameter("bad_parameter_of", name=name, allowed=allowed)
    return BadParameter(name=name)


def _allowed(declared: Any) -> str:
    types = [declared.annotation, *get_args(declared.annotation)]
    values = [str(value) for one in types if get_origin(one) is Literal for value in get_args(one) if value]
    bounds = [str(bound) for rule in declared.metadata for name in ("ge", "le") if (bound := getattr(rule, name, None))]
    return ", ".join(values) or "–".join(bounds)
