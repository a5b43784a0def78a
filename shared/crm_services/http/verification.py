"""Who asks, by the secrets that there are now; and a word in the log where no session verifies."""

import time
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger

from crm_services.base.secrets import session_secrets
from crm_services.base.settings import settings
from crm_services.http.cookie import session_cookie
from crm_services.http.session import Session, Unverified, session_of

# A stranger's cookie verifies nowhere; but where none has for so long, the secret may not be the CRM's.
SUSPICIOUS_AFTER_SECONDS = 600

logger = Logger()


class Verification:
    """Verifies sessions, and remembers when one last did, or when it was last said that none does."""

    def __init__(self) -> None:
        self._quiet_since = float("-inf")

    def session(self, event: Mapping[str, Any]) -> Session:
        """The session of the event's cookie; raises NotAuthenticated where there is none that counts."""
        cookie = session_cookie(event["cookies"], settings().session_cookie)
        now, lifetime = event["requestContext"]["timeEpoch"] / 1000, settings().session_seconds
        try:
            try:
                session = session_of(cookie, session_secrets(), now, lifetime)
            except Unverified:  # the secret may have been rotated
                session = session_of(cookie, session_secrets(refresh=True), now, lifetime)
        except Unverified:
            self._suspect()
            raise
        self._quiet_since = time.monotonic()
        return session

    def _suspect(self) -> None:
        if time.monotonic() - self._quiet_since >= SUSPICIOUS_AFTER_SECONDS:
            self._quiet_since = time.monotonic()
            logger.warning("no session verifies", question="Is the session secret the CRM's SECRET_KEY?")
