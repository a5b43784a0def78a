"""GET /crm/hosting, its page of a customer, and what they are made of: no data in them, so no session is asked for."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from crm_services.base.settings import settings
from crm_services.http.negotiation import accepts_gzip, gzipped, preferred_language

FILES = {path.name: path.read_bytes() for path in sorted(Path(__file__).with_name("panel_files").iterdir())}
# A page names the assets of its own version, which can therefore be kept for good.
VERSION = hashlib.sha256(b"\0".join(FILES.values())).hexdigest()[:12]
PAGES = {"GET /crm/hosting": "overview.html", "GET /crm/hosting/customer/{customer_id}": "customer.html"}
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
    """A page in the caller's language, or one of its assets."""
    is_gzip = accepts_gzip(event["headers"].get("accept-encoding", ""))
    page = PAGES.get(event["routeKey"])
    if page:
        headers = {
            "Cache-Control": "private, no-store",
            "Content-Security-Policy": POLICY + settings().frame_ancestors,
            "Referrer-Policy": "same-origin",
            "Vary": "Accept-Encoding, Accept-Language",
        }
        return _answer(page, preferred_language(event["headers"].get("accept-language", "")), is_gzip, headers)
    asked = event["pathParameters"]
    if asked["file"] not in FILES or asked["file"].endswith(".html"):
        return {"statusCode": 404, "headers": {"Cache-Control": "no-store"}, "body": ""}
    # While a new version is being deployed, a page may get another version's asset: good to show, not to keep.
    keep = "public, max-age=31536000, immutable" if asked["version"] == VERSION else "no-store"
    return _answer(asked["file"], "", is_gzip, {"Cache-Control": keep, "Vary": "Accept-Encoding"})


def _answer(name: str, language: str, is_gzip: bool, headers: dict[str, str]) -> dict[str, Any]:
    headers |= {"Content-Type": TYPES[Path(name).suffix], "X-Content-Type-Options": "nosniff"}
    if is_gzip:
        headers["Content-Encoding"] = "gzip"
    body = _body(name, language, is_gzip)
    return {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": is_gzip}


@cache
def _body(name: str, language: str, is_gzip: bool) -> str:
    text = FILES[name].decode()
    if name.endswith(".html"):
        filled = {"language": language, "assets": f"/crm/hosting/assets/{VERSION}", "content": text.strip()}
        text = FILES["page.html"].decode().format(script=name.replace(".html", ".js"), **filled)
    return gzipped(text) if is_gzip else text
