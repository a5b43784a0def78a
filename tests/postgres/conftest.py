"""A database before its first migration."""

from collections.abc import Iterator

import pytest

from crm_services.postgres.target import DatabaseTarget, parse_database_url
from local.postgres import Server
from tests.support.bare import bare_database


@pytest.fixture
def bare_url(postgres: Server) -> Iterator[str]:
    """The URL, as their owner, of a database with the CRM's tables and nothing of the bundle's."""
    with bare_database(postgres) as url:
        yield url


@pytest.fixture
def bare(bare_url: str) -> DatabaseTarget:
    return parse_database_url(bare_url)
