"""How many customers a day has and how many are linked: as a plain reckoning of the rows says, and sync-status."""

import csv
import io
from contextlib import closing
from typing import Any

import pytest
from pg8000.native import Connection

from crm_services.base.errors import Unavailable
from crm_services.postgres.database import Database, database
from crm_services.postgres.migration import migrate
from crm_services.postgres.target import parse_database_url
from crm_services.sync import batch, worker
from crm_services.sync.ending import Ending
from local.postgres import Server, connect
from tests.support.bare import first_version
from tests.support.client import Client, data
from tests.support.crm import Crm
from tests.support.days import ago, days_pass, run
from tests.support.links import Counts, Mine, reckoned

SCOPE = "/crm/api/hosting/history"
STATUS = "/crm/api/sync-status"


def told(client: Client, user: int) -> dict[str, Counts]:
    days = data(client.get(f"{SCOPE}?from={ago(90)}", user))
    return {day["day"]: (day["total_customers"], day["linked_customers"]) for day in days}


@pytest.fixture
def admin(crm: Crm) -> int:
    return crm.account(role="admin")


@pytest.fixture
def mine(client: Client, crm: Crm, admin: int) -> Mine:
    return Mine(client, crm, admin)


@pytest.mark.parametrize("link_scope", ["any", "tenant"])
def test_each_days_counts_are_those_of_the_rows_and_of_sync_status_of_all_and_of_each_owner(
    mine: Mine, owner: Connection, environment: pytest.MonkeyPatch, link_scope: str
) -> None:
    environment.setenv("LINK_SCOPE", link_scope)
    environment.setattr(worker, "CHUNK_SIZE", 7)
    users = {mine.admin: None, **{one: one for one in mine.owners}}
    expected: dict[int, dict[str, Counts]] = {user: {} for user in users}
    for age in range(24, -1, -1):
        mine.day()
        batch.run(database, None, "console", workers=1 + age % 2)
        for user, whose in users.items():
            status: dict[str, Any] = data(mine.client.get(STATUS, user))
            expected[user][ago(age)] = reckoned(owner, whose, link_scope == "any")
            assert expected[user][ago(age)] == (status["total_customers"], status["linked_customers"])
        if age:
            days_pass(owner)

    for user, days in expected.items():
        assert told(mine.client, user) == days
    assert len({linked for _, linked in expected[mine.admin].values()}) > 5  # something did happen


def test_who_has_no_fleet_has_no_history_however_many_are_linked(client: Client, crm: Crm, admin: int) -> None:
    tenant = crm.account(role="mining_site_owner")
    crm.account("empty@example.com")
    crm.customer("empty@example.com", tenant)
    crm.linked_customer()
    run()

    assert told(client, tenant) == {}
    assert told(client, admin) == {ago(0): (2, 2)}


def test_days_before_they_were_kept_are_unknown_in_json_and_in_a_table(
    client: Client, crm: Crm, owner: Connection, admin: int
) -> None:
    crm.linked_customer()
    run()
    owner.run("update crm_hosting.scope_days set total_customers = null, linked_customers = null")
    days_pass(owner, 2)
    crm.customer("nobody@example.com")
    run()

    assert told(client, admin) == {ago(2): (None, None), ago(1): (None, None), ago(0): (2, 1)}
    table = client.get(f"{SCOPE}?from={ago(2)}&format=csv", admin).get_data(as_text=True).removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [(row["total_customers"], row["linked_customers"]) for row in rows] == [("", ""), ("", ""), ("2", "1")]


def test_who_could_not_be_synced_counts_by_the_link_all_the_same(
    client: Client, crm: Crm, owner: Connection, admin: int
) -> None:
    tenant = crm.account(role="mining_site_owner")
    lost, _ = (crm.linked_customer(tenant, quantity=3) for _ in range(2))
    run()
    crm.linked_customer(tenant, quantity=9)
    owner.run("update crm_customers set email = null where id = :id", id=lost)
    # Neither what was lost is cleared, nor what is new written.
    owner.run("alter table crm_customers add constraint as_it_is check (miners_count = 3) not valid")
    run()

    assert told(client, admin) == told(client, tenant) == {ago(0): (3, 2)}
    assert data(client.get(STATUS, admin))["linked_customers"] == 2
    [[linked, errors]] = owner.run("select linked, errors from crm_hosting.runs order by id desc limit 1")
    assert (linked, errors) == (2, 2)


def test_an_end_that_comes_twice_and_a_part_that_counted_no_owners_leave_what_is_known(
    client: Client, crm: Crm, owner: Connection, admin: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = crm.account(role="mining_site_owner")
    for _ in range(4):
        crm.linked_customer(tenant)
    run()
    end = Ending.end

    def twice(*given: Any) -> Any:
        # As after a commit whose answer was lost: what the ranges had is gone.
        monkeypatch.setattr("crm_services.sync.ending.new_claim", lambda: "the same")
        end(*given)
        return end(*given)

    monkeypatch.setattr(Ending, "end", twice)
    run()
    assert told(client, tenant) == told(client, admin) == {ago(0): (4, 4)}

    monkeypatch.setattr(Ending, "end", end)
    monkeypatch.setattr(worker, "CHUNK_SIZE", 2)
    owner.run("""create function crm_hosting.older() returns trigger language plpgsql as $$
                 begin new.links = '[]'; return new; end $$""")
    owner.run("create trigger older before update on crm_hosting.run_ranges for each row when (new.number = 1)"
              " execute function crm_hosting.older()")  # fmt: skip
    days_pass(owner)
    run()
    assert told(client, tenant) == {ago(1): (4, 4), ago(0): (None, None)}
    assert told(client, admin) == {ago(1): (4, 4), ago(0): (4, 4)}


def test_a_database_without_the_counts_gets_them_and_keeps_its_days(  # noqa: PLR0913, PLR0917 (all are fixtures)
    client: Client, crm: Crm, owner: Connection, admin: int, postgres: Server, database_name: str
) -> None:
    crm.linked_customer()
    run()
    owner.run("alter table crm_hosting.scope_days drop column total_customers, drop column linked_customers")
    owner.run("alter table crm_hosting.run_ranges drop column links")
    days_pass(owner)

    migrate(parse_database_url(postgres.url(database_name)))
    run()

    assert told(client, admin) == {ago(1): (None, None), ago(0): (1, 1)}


def test_a_run_before_the_migration_fails_and_keeps_nobody_waiting_after_it(  # noqa: PLR0913, PLR0917 (all are fixtures)
    client: Client, crm: Crm, owner: Connection, admin: int, postgres: Server, database_name: str
) -> None:
    crm.linked_customer()
    owner.run("alter table crm_hosting.run_ranges drop column links")
    with pytest.raises(Unavailable):
        run()
    assert owner.run("select state from crm_hosting.runs") == [["failed"]]

    migrate(parse_database_url(postgres.url(database_name)))
    run()
    assert told(client, admin) == {ago(0): (1, 1)}


def test_a_database_of_the_first_version_gets_them_too(postgres: Server, environment: pytest.MonkeyPatch) -> None:
    with first_version(postgres) as url, connect(url) as owner:
        crm = Crm(owner)
        tenant = crm.account(role="mining_site_owner")
        crm.linked_customer(tenant)
        crm.customer("nobody@example.com")
        migrate(parse_database_url(url))
        environment.setenv("DATABASE_URL", url.replace("//crm@", "//crm_hosting@"))

        with closing(Database()) as its_own:
            batch.run(its_own, None, "console")

        counts = "select tenant_id, total_customers, linked_customers from crm_hosting.scope_days order by 1"
        assert owner.run(counts) == [[0, 2, 1], [tenant, 1, 1]]
