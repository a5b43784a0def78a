"""The CRM's session cookie as a browser sends it: which one it is, and the language that it claims."""

import base64
import json
import zlib
from collections.abc import Iterable

from crm_services.base.errors import NotAuthenticated
from crm_services.base.messages import Language
from crm_services.http.negotiation import language_named

MAX_COOKIE_LENGTH = 8192  # browsers keep 4 KB; what is longer was not set by the CRM
MAX_CLAIM_LENGTH = 65_536


def session_cookie(cookies: Iterable[str], name: str) -> str:
    """The value of the cookie of that name; of several the first counts, as in Flask."""
    for cookie in cookies:
        its_name, _, value = cookie.partition("=")
        if its_name.strip() == name:
            return value.strip().removeprefix('"').removesuffix('"')
    raise NotAuthenticated


def claimed_language(cookies: Iterable[str], name: str) -> Language | None:
    """The session's language as the cookie has it, its signature unread: good to choose words by, for nothing else."""
    try:
        payload = session_cookie(cookies, name)[:MAX_COOKIE_LENGTH]
        is_packed = payload.startswith(".")
        payload = payload.removeprefix(".").partition(".")[0]
        text = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        session = json.loads(zlib.decompressobj().decompress(text, MAX_CLAIM_LENGTH) if is_packed else text)
    except (NotAuthenticated, ValueError, RecursionError, zlib.error):
        return None
    return language_named(session.get("language")) if isinstance(session, dict) else None
