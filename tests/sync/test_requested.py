"""A run that a person asks for: as often as something has changed, and otherwise at a pace that costs nobody."""

import pytest
from pg8000.native import Connection

from local.postgres import Server, connect
from tests.support.client import Client, data
from tests.support.crm import Crm
from tests.support.runs import runs

SYNC_ALL = "/crm/api/sync-all-hosting"


@pytest.fixture
def tenant(crm: Crm) -> int:
    """A mine owner with a customer, who has just synchronised."""
    crm.snapshot()
    account = crm.account(role="mining_site_owner")
    crm.linked_customer(account)
    return account


def test_who_asks_again_and_again_is_told_when_to_come_back_and_leaves_no_runs(
    client: Client, tenant: int, owner: Connection
) -> None:
    assert data(client.post(SYNC_ALL, tenant))["synced"] == 1

    for _ in range(20):
        answer = client.post(SYNC_ALL, tenant, accept_language="en")
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert "nothing has changed" in answer.get_data(as_text=True)

    assert len(runs(owner)) == 1


def test_what_has_changed_is_synchronised_at_once(client: Client, tenant: int, crm: Crm, owner: Connection) -> None:
    client.post(SYNC_ALL, tenant)
    owner.run("update user_miners set quantity = quantity + 1")
    assert data(client.post(SYNC_ALL, tenant))["synced"] == 1

    crm.linked_customer(tenant)
    assert data(client.post(SYNC_ALL, tenant))["synced"] == 2
    assert client.post(SYNC_ALL, tenant).status_code == 429


def test_where_looking_would_take_long_nobody_looks(client: Client, tenant: int, owner: Connection) -> None:
    client.post(SYNC_ALL, tenant)
    owner.run("update crm_hosting.runs set ended_at = started_at + interval '2 seconds'")
    owner.run("update user_miners set quantity = quantity + 1")

    assert client.post(SYNC_ALL, tenant).status_code == 429


def test_after_the_pause_a_run_is_a_run(client: Client, tenant: int, owner: Connection) -> None:
    client.post(SYNC_ALL, tenant)
    owner.run("update crm_hosting.runs set started_at = started_at - interval '61 seconds'")

    assert client.post(SYNC_ALL, tenant).status_code == 200


def test_the_pace_is_each_tenants_own_and_not_that_of_who_sees_all(client: Client, tenant: int, crm: Crm) -> None:
    other, admin = crm.account(role="mining_site_owner"), crm.account(role="admin")
    client.post(SYNC_ALL, tenant)

    assert client.post(SYNC_ALL, other).status_code == 200
    assert [client.post(SYNC_ALL, admin).status_code for _ in range(2)] == [200, 200]


def test_of_two_previews_of_a_scope_at_once_one_is_turned_away(
    client: Client, tenant: int, crm: Crm, postgres: Server, database_name: str
) -> None:
    admin = crm.account(role="admin")
    with connect(postgres.url(database_name, "crm_hosting")) as another:
        another.run("begin")
        another.run("select pg_advisory_xact_lock(hashtextextended('crm_hosting.previews', :id))", id=tenant)

        assert client.post(f"{SYNC_ALL}?dry_run=true", tenant).status_code == 409
        assert client.post(f"{SYNC_ALL}?dry_run=true", admin).status_code == 200
        another.run("rollback")  # a backend ends, and lets go of its locks, a moment after its connection
    assert client.post(f"{SYNC_ALL}?dry_run=true", tenant).status_code == 200
