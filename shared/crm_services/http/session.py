"""The CRM's session cookie: from the header to the id of the account that logged in."""

import hashlib
from functools import lru_cache

from itsdangerous import BadData, URLSafeTimedSerializer

from crm_services.base.errors import NotAuthenticated
from crm_services.http.parameters import MAX_ID

COOKIE = "session"
LIFETIME_SECONDS = 8 * 3600
CLOCK_SKEW_SECONDS = 60
MAX_COOKIE_LENGTH = 8192  # browsers keep 4 KB; what is longer was not set by the CRM


def session_cookie(cookies: list[str]) -> str:
    """The value of the session cookie; of several the first counts, as in Flask."""
    for cookie in cookies:
        name, _, value = cookie.partition("=")
        if name.strip() == COOKIE:
            return value.strip().removeprefix('"').removesuffix('"')
    raise NotAuthenticated


def user_id_of(cookie: str, secrets: list[str], now: float) -> int:
    """The `user_id` in a cookie that the CRM signed with one of the secrets within the last 8 hours.

    `now` is in seconds since 1970. Raises NotAuthenticated for everything else.
    """
    if len(cookie) > MAX_COOKIE_LENGTH:
        raise NotAuthenticated
    try:
        session, signed_at = _serializer(*secrets).loads(cookie, return_timestamp=True)
    except (BadData, ValueError, OverflowError):
        raise NotAuthenticated from None
    age = int(now) - signed_at.timestamp()  # in whole seconds, as Flask counts
    user_id = session.get("user_id") if isinstance(session, dict) else None
    if not -CLOCK_SKEW_SECONDS <= age <= LIFETIME_SECONDS or type(user_id) is not int:
        raise NotAuthenticated
    if not 0 < user_id <= MAX_ID:
        raise NotAuthenticated
    return user_id


@lru_cache(maxsize=2)
def _serializer(*secrets: str) -> URLSafeTimedSerializer:
    # As flask.sessions.SecureCookieSessionInterface signs. Its tagged JSON leaves an integer as it is.
    return URLSafeTimedSerializer(
        list(secrets[::-1]),  # itsdangerous has the newest last
        salt="cookie-session",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha1},
    )
