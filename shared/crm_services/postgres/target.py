"""Where the database is and who logs in there: `DATABASE_URL`, or host, name and a secret."""

import os
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from crm_services.base.errors import UnusableSetting
from crm_services.base.secrets import login
from crm_services.base.settings import one_of, required, whole
from crm_services.base.tls import SSL_MODES, SslMode

SCHEMES = {"postgresql", "postgres"}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
# Credentials out of a secret go to nobody whose certificate was not verified.
VERIFYING: tuple[SslMode, ...] = ("verify-full", "verify-ca")


@dataclass(frozen=True)
class DatabaseTarget:
    """Where the database is and who logs in there."""

    user: str
    password: str | None = field(repr=False)
    database: str
    host: str
    port: int = 5432
    sslmode: SslMode = "verify-full"
    sslrootcert: str | None = None
    address: str | None = None  # where the host is, if not where its name says: the end of a tunnel

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
    sslmode = one_of("DATABASE_SSLMODE", VERIFYING, "verify-full")
    user, password = login(secret_setting, refresh)
    return DatabaseTarget(
        user=user,
        password=password,
        database=required("DATABASE_NAME"),
        host=required("DATABASE_HOST"),
        port=whole("DATABASE_PORT", 5432),
        sslmode=sslmode,
    )


def parse_database_url(url: str) -> DatabaseTarget:
    """A `postgresql://` URL as libpq reads it, with `host` (a unix socket's directory too), `hostaddr`, `port`,
    `sslmode` and `sslrootcert`; but without `sslmode` it is verify-full, and none at a loopback address.

    Raises UnusableSetting, without a word of what it says, where it is none.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or int(parse_qs(parts.query).get("port", ["5432"])[-1])
    except ValueError:  # whose message has what may be a part of the password in it
        port = 0
    if not port or parts.scheme not in SCHEMES:
        raise UnusableSetting("DATABASE_URL", "a postgresql:// URL (in a password, @ is %40 and # is %23)")
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    host = query.get("host") or parts.hostname or "localhost"
    sslrootcert = query.get("sslrootcert")
    return DatabaseTarget(
        user=unquote(parts.username or "postgres"),
        password=unquote(parts.password) if parts.password else None,
        database=unquote(parts.path.lstrip("/")) or "postgres",
        host=host,
        port=port,
        sslmode=_sslmode(query.get("sslmode"), sslrootcert, host),
        sslrootcert=sslrootcert,
        address=query.get("hostaddr"),
    )


def _sslmode(named: str | None, sslrootcert: str | None, host: str) -> SslMode:
    if sslrootcert == "system" and named not in {None, "verify-full"}:
        raise UnusableSetting("DATABASE_URL", "with sslmode=verify-full, which sslrootcert=system calls for")
    if named is None:
        return "disable" if host in LOOPBACK and not sslrootcert else "verify-full"
    for mode in SSL_MODES:
        if mode == named:
            return mode
    raise UnusableSetting("DATABASE_URL", f"with an sslmode of {', '.join(SSL_MODES)}")
