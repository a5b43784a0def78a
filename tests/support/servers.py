"""The PostgreSQL that the suite runs on: one of its own, or the one whose URL `POSTGRES` names."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from shutil import disk_usage
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from pg8000.native import Connection, identifier

from crm_services.postgres.migration import migrate
from crm_services.postgres.target import parse_database_url
from local.environment import ROOT
from local.postgres import Server, connect, create_database, server

# Durability is for data that outlive the test.
UNSAFE_BUT_FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "60",
}
TEMPLATE = "template_crm"
SHARED_MEMORY, MEMORY_NEEDED = "/dev/shm", 4 * 2**30  # noqa: S108 (a folder of a random name is made there)
DATABASES = "select datname from pg_database"
ROLES = "select rolname from pg_roles"


@dataclass(frozen=True)
class Given(Server):
    """A server that is there already; it lets every role in without a password, as one for tests does."""

    login: str = ""

    def url(self, database: str, user: str = "crm", host: str | None = None) -> str:
        """The URL of a database; `postgres` is whoever the given URL logs in as."""
        parts = urlsplit(self.login)
        credentials, _, address = parts.netloc.rpartition("@")
        who = credentials if user == "postgres" else user
        return parts._replace(netloc=f"{who}@{address}", path=f"/{database}").geturl()


def given() -> Given | None:
    """The server that is to be used, if one is named."""
    login = os.environ.get("POSTGRES") or ""
    if "://" not in login:
        return None
    target = parse_database_url(login)
    return Given(target.host, target.port, login)


@contextmanager
def prepared() -> Iterator[Server]:
    """The suite's server, with a template that has the CRM's tables and the bundle's schema."""
    if existing := given():
        with _left_as_found(existing):
            _make_template(existing)
            yield existing
    else:
        with own() as running:
            yield running


@contextmanager
def own() -> Iterator[Server]:
    """The same on a server of one's own, for tests that change its files."""
    # Not below pytest's own folder: another run of pytest closes that to all but root, and a server of root's is not.
    with TemporaryDirectory(dir=_memory()) as folder, server(folder, UNSAFE_BUT_FAST) as running:
        _make_template(running)
        yield running


def _memory() -> str | None:
    """A folder in memory, where one has room: on a disk a database takes four times as long to come and go."""
    is_roomy = os.access(SHARED_MEMORY, os.W_OK) and disk_usage(SHARED_MEMORY).free > MEMORY_NEEDED
    return SHARED_MEMORY if is_roomy else None


def _make_template(running: Server) -> None:
    create_database(running, TEMPLATE)
    with connect(running.url(TEMPLATE)) as owner:
        owner.run((ROOT / "local" / "crm.sql").read_text())
    migrate(parse_database_url(running.url(TEMPLATE)))


@contextmanager
def _left_as_found(existing: Server) -> Iterator[None]:
    with connect(existing.url("postgres", "postgres")) as admin:
        databases, roles = _names(admin, DATABASES), _names(admin, ROLES)
        # What the suite makes it drops: nothing of that name may be somebody's.
        taken = {name for name in databases | roles if name == TEMPLATE or name.split("_")[0] == "crm"}
        assert not taken, f"POSTGRES names a server that has {', '.join(sorted(taken))}: the suite wants one for tests."
        try:
            yield
        finally:
            for name in _names(admin, DATABASES) - databases:
                admin.run(f"drop database {identifier(name)} with (force)")
            for name in _names(admin, ROLES) - roles:
                admin.run(f"drop owned by {identifier(name)}")
            if made := _names(admin, ROLES) - roles:
                admin.run(f"drop role {', '.join(map(identifier, made))}")


def _names(admin: Connection, query: str) -> set[str]:
    return {row[0] for row in admin.run(query)}
