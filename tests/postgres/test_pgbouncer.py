"""A pooler between the bundle and PostgreSQL."""

from collections.abc import Iterator

import pytest

from crm_services.base.errors import ConnectionLost
from crm_services.postgres.database import Database
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


@pytest.fixture
def shared(postgres: Server, database_name: str, environment: pytest.MonkeyPatch) -> Iterator[str]:
    """The same in transaction mode, with one connection for all, where nobody has said that nothing can be prepared."""
    with pgbouncer(postgres, "transaction", pool_size=1) as server:
        url = server.url(database_name, "crm_hosting")
        environment.setenv("DATABASE_URL", url)
        environment.setenv("PREPARE_STATEMENTS", "true")
        yield url
        bundle_database.close()


@needs_pgbouncer
def test_a_pooler_that_cannot_carry_prepared_statements_costs_nobody_an_answer(
    shared: str, client: Client, crm: Crm
) -> None:
    """Each environment finds statements there that another has prepared, or misses its own."""
    admin = crm.account(role="admin")
    customers = [crm.linked_customer(quantity=machines) for machines in (3, 5)]
    for _ in range(3):
        for customer, machines in zip(customers, (3, 5), strict=True):
            path = f"/crm/api/customer/{customer}"
            assert data(client.get(f"{path}/hosting-stats", admin))["miners_count"] == machines
            assert len(data(client.get(f"{path}/hosting-miners", admin))) == 1
            assert client.post(f"{path}/sync-hosting", admin).status_code == 200
        bundle_database.close()


@needs_pgbouncer
def test_an_environment_that_has_found_out_prepares_nothing_more(shared: str, postgres: Server) -> None:
    environments = [Database() for _ in range(3)]
    lost = 0

    for _ in range(5):
        for environment in environments:
            try:
                with environment.transaction(read_only=True) as transaction:
                    assert transaction.ask("select 1")() == [[1]]
            except ConnectionLost:
                lost += 1

    assert 0 < lost <= len(environments)
    for environment in environments:
        environment.close()


@needs_pgbouncer
@pytest.mark.parametrize("setting", ["client_encoding = 'GBK'", "default_transaction_read_only = on",
                                     "timezone = 'Asia/Kathmandu'", "search_path = 'nowhere'"])  # fmt: skip
def test_what_the_server_sets_changes_no_answer_through_it(pooled: str, client: Client, crm: Crm, setting: str) -> None:
    admin, customer = crm.account(role="admin"), crm.linked_customer()
    crm.db.run("update crm_customers set name = '客户 ✓'")
    [[name]] = crm.db.run("select current_database()")
    crm.db.run(f"alter database {name} set {setting}")

    assert client.post(f"/crm/api/customer/{customer}/sync-hosting", admin).status_code == 200
    assert data(client.get("/crm/api/hosting/customers", admin))[0]["name"] == "客户 ✓"
