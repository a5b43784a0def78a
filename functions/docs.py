"""GET /crm/api/hosting/docs: the endpoints to read of and to try, in one page that reaches no other host."""

import base64
import hashlib
from pathlib import Path

from aws_lambda_powertools.event_handler import openapi
from aws_lambda_powertools.event_handler.api_gateway import Response

from crm_services.http.answers import opens
from crm_services.http.api import Api

# The files alone: to import the package of that name would build every model of OpenAPI, a third of the cold start.
SWAGGER = Path(openapi.__file__).parent / "swagger_ui"
PAGE = Path(__file__).with_name("docs_files")
PARTS = {
    "{style}": (SWAGGER / "swagger-ui.min.css").read_text(encoding="utf-8"),
    "{library}": (SWAGGER / "swagger-ui-bundle.min.js").read_text(encoding="utf-8"),
    "{start}": (PAGE / "start.js").read_text(encoding="utf-8"),
}

api = Api(None)
handler = api.handler


def _page() -> str:
    page = (PAGE / "page.html").read_text(encoding="utf-8")
    for name, text in PARTS.items():
        page = page.replace(name, text)
    return page


def _policy() -> str:
    """Only what the page holds itself may run or style it, and it may ask its own origin alone."""
    style, *scripts = (
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in PARTS.values()
    )
    return (
        f"default-src 'none'; script-src {' '.join(scripts)}; style-src {style}; img-src data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


HTML = _page()
HEADERS = {"Cache-Control": "public, max-age=300", "Content-Security-Policy": _policy()}


@api.get("/crm/api/hosting/docs", responses=opens("text/html", {"type": "string"}))
def docs() -> Response[str]:
    """The endpoints to read of and to try, with the session of the browser."""
    return Response(200, "text/html; charset=utf-8", HTML, HEADERS)
