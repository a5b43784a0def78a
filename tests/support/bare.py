"""Databases with the CRM's tables and nothing of the bundle's."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from local.crm import TABLES
from local.postgres import Server, connect, create_database

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
