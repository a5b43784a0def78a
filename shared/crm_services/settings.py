"""The environment and the secrets: the only reader of either. Importing any module needs neither."""

import json
import os
import time
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qs, unquote, urlsplit

from crm_services.errors import MissingSetting

# A failed verification or login asks for the secret again, but not more often than this.
SECRET_REFRESH_SECONDS = 60


@dataclass(frozen=True)
class DatabaseTarget:
    """Where the database is and who logs in there."""

    user: str
    password: str | None
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
    sync_function: str | None


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    link_scope = _required("LINK_SCOPE")
    if link_scope not in {"any", "tenant"}:
        raise MissingSetting("LINK_SCOPE (any or tenant)")
    return Settings(
        link_any=link_scope == "any",
        prepare_statements=os.environ.get("PREPARE_STATEMENTS", "true") == "true",
        public_origin=os.environ.get("PUBLIC_ORIGIN", ""),
        allowed_origins=frozenset(os.environ.get("ALLOWED_ORIGINS", "").replace(",", " ").split()),
        sync_function=os.environ.get("SYNC_FUNCTION"),
    )


def session_secrets(refresh: bool = False) -> list[str]:
    """The secrets that the CRM may have signed a session with, newest first.

    One secret as it is, or several as a JSON list.
    """
    secret = os.environ.get("SESSION_SECRET") or _secret("SESSION_SECRET_ARN", refresh)
    return [str(one) for one in json.loads(secret)] if secret.startswith("[") else [secret]


def database_target(refresh: bool = False) -> DatabaseTarget:
    """The database of `DATABASE_URL`, or of `DATABASE_HOST` and a secret with username and password."""
    return _target("DATABASE_SECRET_ARN", refresh)


def owner_target() -> DatabaseTarget:
    """The same database, as the role that owns the CRM's tables: for the migration alone."""
    return _target("MIGRATION_SECRET_ARN", refresh=True)


def role_password(role: str) -> str | None:
    """The password that the bundle's role is to have; none where `DATABASE_URL` says how to log in."""
    if os.environ.get("DATABASE_URL"):
        return None
    login = json.loads(_secret("DATABASE_SECRET_ARN", refresh=True))
    if login["username"] != role:
        raise MissingSetting(f"DATABASE_SECRET_ARN (a secret whose username is {role})")
    return str(login["password"])


def connection_limit() -> int:
    """The most connections that the bundle's role may have open."""
    return int(os.environ.get("CONNECTION_LIMIT", "20"))


def _target(secret_setting: str, refresh: bool) -> DatabaseTarget:
    if url := os.environ.get("DATABASE_URL"):
        return parse_database_url(url)
    login = json.loads(_secret(secret_setting, refresh))
    return DatabaseTarget(
        user=login["username"],
        password=login["password"],
        database=_required("DATABASE_NAME"),
        host=_required("DATABASE_HOST"),
        port=int(os.environ.get("DATABASE_PORT", "5432")),
    )


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


def _required(name: str) -> str:
    try:
        return os.environ[name]
    except KeyError:
        raise MissingSetting(name) from None


_secrets: dict[str, tuple[float, str]] = {}


def _secret(arn_setting: str, refresh: bool) -> str:
    arn = _required(arn_setting)
    fetched, value = _secrets.get(arn, (0.0, ""))
    now = time.monotonic()
    if not value or (refresh and now - fetched > SECRET_REFRESH_SECONDS):
        import boto3  # noqa: PLC0415 (0.1 s that only a request which needs a secret pays)

        value = boto3.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        _secrets[arn] = (now, value)
    return value
