"""The secrets that the environment names, kept for a while: the only reader of Secrets Manager."""

import json
import os
import string
import time
from dataclasses import dataclass
from typing import Any

from crm_services.base.errors import Unavailable, UnusableSetting
from crm_services.base.settings import required

# A failed verification or login asks for the secret again, but not more often than this.
SECRET_REFRESH_SECONDS = 60
# A secret that was withdrawn is accepted for no longer than this, although nothing has failed.
SECRET_LIFETIME_SECONDS = 600
# Where there is none yet because Secrets Manager fails, requests do not make it worse.
SECRET_RETRY_SECONDS = 2
WHITE_SPACE = string.whitespace + "\ufeff"  # with the byte order mark that an editor puts in front


def session_secrets(refresh: bool = False) -> list[str]:
    """The secrets that the CRM may have signed a session with, newest first.

    One as it is, several as a JSON list, or either as the one value (or that of SECRET_KEY) of what Secrets Manager's
    console calls key/value pairs. Each counts without the white space around it too: a file or a copied line ends with
    some. An empty one is refused: anybody could sign with it.
    """
    name = "SESSION_SECRET" if os.environ.get("SESSION_SECRET") else "SESSION_SECRET_ARN"
    secrets = _session_secrets(os.environ.get("SESSION_SECRET") or _secret("SESSION_SECRET_ARN", refresh))
    if not (secrets and all(isinstance(one, str) and _bare(one) for one in secrets)):
        raise UnusableSetting(name, "a secret, a JSON list of secrets, or a JSON object with SECRET_KEY")
    return list(dict.fromkeys(form for one in secrets for form in (one, _bare(one))))


def login(setting: str, refresh: bool) -> tuple[str, str]:
    """Username and password of the secret that this setting names."""
    match _parsed(_secret(setting, refresh)):
        case {"username": str(user), "password": str(password)} if user and password:
            return user, password
    raise UnusableSetting(setting, "a JSON object with username and password")


@dataclass
class _Secret:
    """What Secrets Manager said last, and when it was asked."""

    value: str | None = None
    asked_at: float = float("-inf")


_secrets: dict[str, _Secret] = {}


def _secret(arn_setting: str, refresh: bool) -> str:
    """The secret, asked for at most as often as the pauses above allow; the old one while Secrets Manager fails."""
    arn = required(arn_setting)
    secret = _secrets.setdefault(arn, _Secret())
    pause = SECRET_REFRESH_SECONDS if refresh else SECRET_LIFETIME_SECONDS
    now = time.monotonic()
    if now - secret.asked_at > (pause if secret.value else SECRET_RETRY_SECONDS):
        secret.asked_at = now
        try:
            secret.value = _fetched(arn)
        except Unavailable:
            if not secret.value:
                raise
    if not secret.value:
        raise Unavailable(reason=arn_setting)
    return secret.value


def _fetched(arn: str) -> str | None:
    # 20 ms of import that only a request which asks for a secret pays.
    from crm_services.base.aws import own_credentials  # noqa: PLC0415
    from crm_services.base.secrets_manager import secret_string  # noqa: PLC0415

    return secret_string(arn, own_credentials(), endpoint=os.environ.get("AWS_ENDPOINT_URL"))


def _session_secrets(value: Any) -> list[Any]:
    match _parsed(value) if isinstance(value, str) else value:
        case list(several):
            return several
        case {"SECRET_KEY": one}:
            return _session_secrets(one)
        case dict(pairs):
            return _session_secrets(*pairs.values()) if len(pairs) == 1 else []
    return [value]  # no JSON, though it may look like some


def _bare(secret: str) -> str:
    return secret.strip(WHITE_SPACE)


def _parsed(secret: str) -> Any:
    try:
        return json.loads(_bare(secret))
    except ValueError:
        return None  # whoever asks refuses it by the setting's name; the exception has the value in it
