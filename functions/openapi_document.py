"""GET /crm/api/hosting/openapi.json: what all endpoints take and answer, for machines; open to everybody."""

import json
from importlib.resources import files

from aws_lambda_powertools.event_handler.api_gateway import Response

from crm_services.http.answers import KEPT_FOR_A_WHILE, opens
from crm_services.http.api import Api

# The file is laid out for people, which half of its bytes are for.
DOCUMENT = json.dumps(
    json.loads((files("crm_services.http") / "openapi.json").read_text(encoding="utf-8")),
    ensure_ascii=False,
    separators=(",", ":"),
)

api = Api(None)
handler = api.handler


@api.get("/crm/api/hosting/openapi.json", responses=opens("application/json", {"type": "object"}))
def openapi_document() -> Response[str]:
    """This document: OpenAPI 3.1 of all endpoints."""
    return Response(200, "application/json; charset=utf-8", DOCUMENT, KEPT_FOR_A_WHILE)
