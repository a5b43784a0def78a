"""GET /crm/hosting, the pages beside it, and what they are made of: no data in them, so no session is asked for."""

import hashlib
import json
import re
from functools import cache, partial
from html import escape
from pathlib import Path
from typing import Any

from rjsmin import jsmin

from crm_services.base.messages import Language, text
from crm_services.base.settings import settings
from crm_services.http.cookie import claimed_language
from crm_services.http.event import complete
from crm_services.http.negotiation import preferred_language
from crm_services.http.seal import sealed

# What people read and a browser would only load: comments, and the blanks that part nothing. (In a style sheet's
# selectors no colon has one behind it; one before it parts an element from what is within: rcssmin loses that.)
UNSENT = {
    ".js": jsmin,
    ".css": partial(re.compile(r"/\*[\s\S]*?\*/|\s*\n\s*|(?<=[{};,]) | (?={)|(?<=:) |;(?=\s*})").sub, ""),
    ".html": partial(re.compile(r"^\s+", re.MULTILINE).sub, ""),
}


def _sent(path: Path) -> bytes:
    text = path.read_text(encoding="utf-8")
    return UNSENT[path.suffix](text).encode() if path.suffix in UNSENT else text.encode()


FILES = {path.name: _sent(path) for path in sorted(Path(__file__).with_name("panel_files").iterdir())}
# A page names the assets of its own version, which can therefore be kept for good.
VERSION = hashlib.sha256(b"\0".join(FILES.values())).hexdigest()[:12]
PAGES = {
    "GET /crm/hosting": "overview.html",
    "GET /crm/hosting/customer/{customer_id}": "customer.html",
    "GET /crm/hosting/links": "links.html",
    "GET /crm/hosting/runs": "runs.html",
}
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Only the page's own origin; no inline script or style, and no way for a script to set HTML.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors "
)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """A page in the language of the CRM's session, else of the browser; or one of its assets."""
    event = complete(event)
    page = PAGES.get(event["routeKey"])
    answer = _page(page, _language(event)) if page else _asset(event)
    return sealed(answer, event["headers"], is_kept=answer["statusCode"] == 200)


def _page(name: str, language: Language) -> dict[str, Any]:
    policy, html = POLICY + settings().frame_ancestors, _html(name, language, settings().sign_in_url)
    vary = "Accept-Encoding, Accept-Language, Cookie"
    return _answer(html, ".html", {"Content-Security-Policy": policy, "Vary": vary})


def _asset(event: dict[str, Any]) -> dict[str, Any]:
    name, version = event["pathParameters"]["file"], event["pathParameters"]["version"]
    if name not in FILES or name.endswith(".html"):
        return {
            "statusCode": 404,
            "body": json.dumps({"success": False, "error": text("not_found", _language(event))}, ensure_ascii=False),
        }
    # While a new version is being deployed, a page may get another version's asset: good to show, not to keep.
    keep = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    return _answer(FILES[name].decode(), Path(name).suffix, keep if version == VERSION else {})


def _language(event: dict[str, Any]) -> Language:
    claimed = claimed_language(event["cookies"], settings().session_cookie)
    return claimed or preferred_language(event["headers"].get("accept-language", ""))


def _answer(body: str, kind: str, headers: dict[str, str]) -> dict[str, Any]:
    return {"statusCode": 200, "headers": headers | {"Content-Type": TYPES[kind]}, "body": body}


@cache
def _html(name: str, language: Language, sign_in: str) -> str:
    content = FILES[name].decode().strip()
    return (
        FILES["page.html"]
        .decode()
        .format(
            language=language,
            sign_in=escape(sign_in),
            assets=f"/crm/hosting/assets/{VERSION}",
            script=name.replace(".html", ".js"),
            content=content,
        )
    )
