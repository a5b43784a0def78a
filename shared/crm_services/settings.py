"""The environment and the secrets: the only reader of either. Importing any module needs neither."""

import json
import os
import time
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from crm_services.errors import MissingSetting, Unavailable, UnusableSetting
from crm_services.health import HOUR, Thresholds

# A failed verification or login asks for the secret again, but not more often than this.
SECRET_REFRESH_SECONDS = 60
# A secret that was withdrawn is accepted for no longer than this, although nothing has failed.
SECRET_LIFETIME_SECONDS = 600
# Where there is none yet because Secrets Manager fails, requests do not make it worse.
SECRET_RETRY_SECONDS = 2


@dataclass(frozen=True)
class DatabaseTarget:
    """Where the database is and who logs in there."""

    user: str
    password: str | None = field(repr=False)
    database: str
    host: str
    port: int = 5432
    tls: bool = True

    @property
    def socket_path(self) -> str | None:
        """The unix socket's path, where the host names its directory as libpq has it."""
        return f"{self.host}/.s.PGSQL.{self.port}" if self.host.startswith("/") else None


@dataclass(frozen=True)
class Settings:
    """What differs between deployments and is not secret."""

    link_any: bool
    prepare_statements: bool
    public_origin: str
    allowed_origins: frozenset[str]
    frame_ancestors: str
    sync_function: str | None
    own_function: str | None
    request_run_seconds: float
    run_dead_after_seconds: float
    run_retention_days: int
    thresholds: Thresholds


@dataclass(frozen=True)
class MarketUrls:
    """The APIs that know price and network, by their base URLs: the first choice, and who is asked in its absence."""

    mempool: str = "https://mempool.space/api"
    bitstamp: str = "https://www.bitstamp.net/api/v2"
    esplora: str = "https://blockstream.info/api"


def market_urls() -> MarketUrls:
    """Where market_refresh fetches what it appends."""
    return MarketUrls(
        os.environ.get("MARKET_URL") or MarketUrls.mempool,
        os.environ.get("MARKET_PRICE_URL") or MarketUrls.bitstamp,
        os.environ.get("MARKET_CHAIN_URL") or MarketUrls.esplora,
    )


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    link_scope = _required("LINK_SCOPE")
    if link_scope not in {"any", "tenant"}:
        raise UnusableSetting("LINK_SCOPE", "any or tenant")
    return Settings(
        link_any=link_scope == "any",
        prepare_statements=os.environ.get("PREPARE_STATEMENTS", "true") == "true",
        public_origin=os.environ.get("PUBLIC_ORIGIN", ""),
        allowed_origins=frozenset(os.environ.get("ALLOWED_ORIGINS", "").replace(",", " ").split()),
        frame_ancestors=os.environ.get("FRAME_ANCESTORS") or "'self'",
        sync_function=os.environ.get("SYNC_FUNCTION"),
        own_function=os.environ.get("AWS_LAMBDA_FUNCTION_NAME"),
        request_run_seconds=float(os.environ.get("REQUEST_RUN_SECONDS", "20")),
        run_dead_after_seconds=float(os.environ.get("RUN_DEAD_AFTER_SECONDS", "300")),
        run_retention_days=int(os.environ.get("RUN_RETENTION_DAYS", "90")),
        thresholds=Thresholds(
            link_rate_percent=_number("LINK_RATE_PERCENT", Thresholds.link_rate_percent),
            error_rate_percent=_number("SYNC_ERROR_PERCENT", Thresholds.error_rate_percent),
            sync_age=HOUR * int(_number("SYNC_AGE_HOURS", Decimal(Thresholds.sync_age // HOUR))),
        ),
    )


def session_secrets(refresh: bool = False) -> list[str]:
    """The secrets that the CRM may have signed a session with, newest first.

    One secret as it is, or several as a JSON list. An empty one is refused: anybody could sign with it.
    """
    name = "SESSION_SECRET" if os.environ.get("SESSION_SECRET") else "SESSION_SECRET_ARN"
    secret = os.environ.get("SESSION_SECRET") or _secret("SESSION_SECRET_ARN", refresh)
    secrets = _parsed(secret) if secret.startswith(("[", "{")) else [secret]
    if not (isinstance(secrets, list) and secrets and all(isinstance(one, str) and one.strip() for one in secrets)):
        raise UnusableSetting(name, "a secret or a JSON list of secrets")
    return secrets


def database_target(refresh: bool = False) -> DatabaseTarget:
    """The database of `DATABASE_URL`, or of `DATABASE_HOST` and a secret with username and password."""
    return _target("DATABASE_SECRET_ARN", refresh)


def owner_target() -> DatabaseTarget:
    """The same database, as the role that owns the CRM's tables: for the migration alone."""
    return _target("MIGRATION_SECRET_ARN", refresh=True)


def role_password(role: str, setting: str = "DATABASE_SECRET_ARN") -> str | None:
    """The password that the bundle's role is to have; none where `DATABASE_URL` says how to log in."""
    if os.environ.get("DATABASE_URL"):
        return None
    match _parsed(_secret(setting, refresh=True)):
        case {"username": user, "password": str(password)} if user == role:
            return password
    raise UnusableSetting(setting, f"a JSON object with a password and the username {role}")


def market_role_password(role: str) -> str | None:
    """The same of the role that appends market data; none where nobody is to log in as it."""
    return role_password(role, "MARKET_SECRET_ARN") if os.environ.get("MARKET_SECRET_ARN") else None


def connection_limit() -> int:
    """The most connections that the bundle's role may have open."""
    return int(os.environ.get("CONNECTION_LIMIT", "20"))


def _target(secret_setting: str, refresh: bool) -> DatabaseTarget:
    if url := os.environ.get("DATABASE_URL"):
        return parse_database_url(url)
    match _parsed(_secret(secret_setting, refresh)):
        case {"username": str(user), "password": str(password)}:
            host = _required("DATABASE_HOST")
            return DatabaseTarget(
                user=user,
                password=password,
                database=_required("DATABASE_NAME"),
                host=host,
                port=int(os.environ.get("DATABASE_PORT", "5432")),
                tls=not host.startswith("/"),
            )
    raise UnusableSetting(secret_setting, "a JSON object with username and password")


def parse_database_url(url: str) -> DatabaseTarget:
    """A `postgresql://` URL; `?host=/dir` names a unix socket, `sslmode=disable` turns TLS off."""
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    host = query.get("host") or parts.hostname or "localhost"
    local = host.startswith("/") or host in {"localhost", "127.0.0.1", "::1"}
    return DatabaseTarget(
        user=unquote(parts.username or "postgres"),
        password=unquote(parts.password) if parts.password else None,
        database=unquote(parts.path.lstrip("/")) or "postgres",
        host=host,
        port=parts.port or int(query.get("port", "5432")),
        tls=not local and query.get("sslmode") != "disable",
    )


def _number(name: str, default: Decimal) -> Decimal:
    try:
        return Decimal(os.environ.get(name) or default)
    except InvalidOperation:
        raise UnusableSetting(name, "a number") from None


def _required(name: str) -> str:
    try:
        return os.environ[name]
    except KeyError:
        raise MissingSetting(name) from None


@dataclass
class _Secret:
    """What Secrets Manager said last, and when it was asked."""

    value: str | None = None
    asked_at: float = float("-inf")


_secrets: dict[str, _Secret] = {}


def _secret(arn_setting: str, refresh: bool) -> str:
    """The secret, asked for at most as often as the pauses above allow; the old one while Secrets Manager fails."""
    arn = _required(arn_setting)
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
    from crm_services.secrets_manager import Credentials, secret_string  # noqa: PLC0415

    credentials = Credentials(
        _required("AWS_ACCESS_KEY_ID"), _required("AWS_SECRET_ACCESS_KEY"), os.environ.get("AWS_SESSION_TOKEN")
    )
    return secret_string(arn, credentials, endpoint=os.environ.get("AWS_ENDPOINT_URL"))


def _parsed(secret: str) -> Any:
    try:
        return json.loads(secret)
    except ValueError:
        return None  # whoever asks refuses it by the setting's name; the exception has the value in it
