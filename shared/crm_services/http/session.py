"""The CRM's session: from the cookie that it signed to the account that logged in."""

import hashlib
from functools import lru_cache
from typing import NamedTuple

from itsdangerous import BadData, URLSafeTimedSerializer

from crm_services.base.errors import NotAuthenticated
from crm_services.base.messages import Language
from crm_services.http.cookie import MAX_COOKIE_LENGTH
from crm_services.http.negotiation import language_named
from crm_services.http.parameters import MAX_ID

CLOCK_SKEW_SECONDS = 60


class Session(NamedTuple):
    """Who logged in, and the language of the CRM's pages (None where the session says none of ours)."""

    user_id: int
    language: Language | None = None


class Unverified(NotAuthenticated):
    """A cookie that was signed with none of the secrets."""


def session_of(cookie: str, secrets: list[str], now: float, lifetime_seconds: float) -> Session:
    """The session in a cookie that the CRM signed with one of the secrets, no longer ago than its lifetime.

    `now` is in seconds since 1970. Raises Unverified where no secret fits, NotAuthenticated for everything else.
    """
    if len(cookie) > MAX_COOKIE_LENGTH:
        raise NotAuthenticated
    try:
        session, signed_at = _serializer(*secrets).loads(cookie, return_timestamp=True)
    except (BadData, ValueError, OverflowError):
        raise Unverified from None
    age = int(now) - signed_at.timestamp()  # in whole seconds, as Flask counts
    user_id = session.get("user_id") if isinstance(session, dict) else None
    if not -CLOCK_SKEW_SECONDS <= age <= lifetime_seconds or type(user_id) is not int:
        raise NotAuthenticated
    if not 0 < user_id <= MAX_ID:
        raise NotAuthenticated
    return Session(user_id, language_named(session.get("language")))


@lru_cache(maxsize=2)
def _serializer(*secrets: str) -> URLSafeTimedSerializer:
    # As flask.sessions.SecureCookieSessionInterface signs. Its tagged JSON leaves an integer and a text as they are.
    return URLSafeTimedSerializer(
        list(secrets[::-1]),  # itsdangerous has the newest last
        salt="cookie-session",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha1},
    )
