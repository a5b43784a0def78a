"""Databases with the CRM's tables and nothing of the bundle's, or what version 0.1.0 made there."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from local.crm import TABLES
from local.environment import ROOT
from local.postgres import Server, connect, create_database

# What the migration of 0.1.0 made, the indexes aside.
SCHEMA_0_1_0 = (ROOT / "tests" / "support" / "schema_0_1_0.sql").read_text(encoding="utf-8")
_numbers = count(1)


@contextmanager
def bare_database(postgres: Server, owner: str = "crm") -> Iterator[str]:
    """The URL of such a database, as the owner of the tables."""
    name = f"bare_{next(_numbers)}"
    create_database(postgres, name, owner)
    url = postgres.url(name, owner)
    with connect(url) as connection:
        connection.run(TABLES.read_text(encoding="utf-8"))
    try:
        yield url
    finally:
        with connect(postgres.url("postgres", "postgres")) as admin:
            admin.run(f"drop database {name} with (force)")


@contextmanager
def first_version(postgres: Server) -> Iterator[str]:
    """The URL of a database that version 0.1.0 migrated, as the owner of the tables."""
    with bare_database(postgres) as url:
        with connect(url) as connection:
            connection.run(SCHEMA_0_1_0)
        yield url
