"""A pooler between the bundle and PostgreSQL."""

from collections.abc import Iterator

import pytest

from crm_services.postgres.database import database as bundle_database
from local.postgres import Server, connect
from tests.support.client import Client, data
from tests.support.crm import Crm
from tests.support.pgbouncer import needs_pgbouncer, pgbouncer

BACKENDS = "select count(*) from pg_stat_activity where datname = current_database() and usename = 'crm_hosting'"


@pytest.fixture(params=["session", "transaction"])
def pooled(
    request: pytest.FixtureRequest, postgres: Server, database_name: str, environment: pytest.MonkeyPatch
) -> Iterator[str]:
    """The URL of this test's database through PgBouncer, which is the bundle's too."""
    with pgbouncer(postgres, request.param) as server:
        url = server.url(database_name, "crm_hosting")
        environment.setenv("DATABASE_URL", url)
        environment.setenv("PREPARE_STATEMENTS", "true" if request.param == "session" else "false")
        yield url
        bundle_database.close()


@needs_pgbouncer
def test_the_bundle_answers_through_it_and_shares_a_connection_by_transaction(
    pooled: str, request: pytest.FixtureRequest, client: Client, crm: Crm
) -> None:
    admin, customer = crm.account(role="admin"), crm.linked_customer(quantity=3)

    with connect(pooled) as another:
        another.run("select")
        stats = data(client.get(f"/crm/api/customer/{customer}/hosting-stats", admin))
        backends = crm.db.run(BACKENDS)

    assert stats["miners_count"] == 3
    assert backends == [[2 if "session" in request.node.name else 1]]
