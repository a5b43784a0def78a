"""Where the database is and who logs in there: `DATABASE_URL`, or host, name and a secret."""

import os
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from crm_services.base.secrets import login
from crm_services.base.settings import required


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


def database_target(refresh: bool = False) -> DatabaseTarget:
    """The database of `DATABASE_URL`, or of `DATABASE_HOST` and a secret with username and password."""
    return _target("DATABASE_SECRET_ARN", refresh)


def owner_target() -> DatabaseTarget:
    """The same database, as the role that owns the CRM's tables: for the migration alone."""
    return _target("MIGRATION_SECRET_ARN", refresh=True)


def _target(secret_setting: str, refresh: bool) -> DatabaseTarget:
    if url := os.environ.get("DATABASE_URL"):
        return parse_database_url(url)
    user, password = login(secret_setting, refresh)
    host = required("DATABASE_HOST")
    return DatabaseTarget(
        user=user,
        password=password,
        database=required("DATABASE_NAME"),
        host=host,
        port=int(os.environ.get("DATABASE_PORT", "5432")),
        tls=not host.startswith("/"),
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
