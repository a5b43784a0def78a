"""The door through which every answer leaves: the headers that all have, and compression."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from crm_services.http.negotiation import accepts_gzip, gzipped

# Whatever an answer says itself stands instead: a page its own policy, what holds no data how long it may be kept.
HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Content-Type": "application/json; charset=utf-8",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Vary": "Cookie, Accept, Accept-Encoding, Accept-Language, Origin",
    "X-Content-Type-Options": "nosniff",
}
GZIP_FROM_BYTES = 4096

# For what is the same for everybody: whoever asks for it costs no compression.
_gzipped_once = lru_cache(maxsize=64)(gzipped)


def sealed(response: Mapping[str, Any], request_headers: Mapping[str, str], is_kept: bool = False) -> dict[str, Any]:
    """The response with all headers, compressed where the caller takes that; one that `is_kept` only once."""
    headers = HEADERS | response.get("headers", {})
    body, is_packed = response["body"], False
    if (is_kept or len(body) >= GZIP_FROM_BYTES) and accepts_gzip(request_headers.get("accept-encoding", "")):
        headers["Content-Encoding"] = "gzip"
        body, is_packed = _gzipped_once(body) if is_kept else gzipped(body), True
    return {**response, "headers": headers, "body": body, "isBase64Encoded": is_packed}
