"""GET /crm/api/hosting/docs: the endpoints to read of and to try, in one small page that reaches no other host."""

import base64
import hashlib
from pathlib import Path

from aws_lambda_powertools.event_handler.api_gateway import Response

from crm_services.http.answers import KEPT_FOR_A_WHILE, opens
from crm_services.http.api import Api

FILES = Path(__file__).with_name("docs_files")
STYLE = (FILES / "docs.css").read_text(encoding="utf-8")
SCRIPT = (FILES / "docs.js").read_text(encoding="utf-8")
HTML = (FILES / "page.html").read_text(encoding="utf-8").replace("{style}", STYLE).replace("{script}", SCRIPT)

api = Api(None)
handler = api.handler


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


# Only what the page holds itself may run or style it, it may ask its own origin alone, and no script sets HTML.
POLICY = (
    f"default-src 'none'; script-src {_hash(SCRIPT)}; style-src {_hash(STYLE)}; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)
HEADERS = KEPT_FOR_A_WHILE | {"Content-Security-Policy": POLICY}


@api.get("/crm/api/hosting/docs", responses=opens("text/html", {"type": "string"}))
def docs() -> Response[str]:
    """The endpoints to read of and to try, with the session of the browser."""
    return Response(200, "text/html; charset=utf-8", HTML, HEADERS)
