"""The CRM's own migration: the bundle steps aside, keeps what it holds, and comes back."""

from typing import Any

import pytest
from pg8000.exceptions import DatabaseError
from pg8000.native import Connection

import migrate as migrate_function
from crm_services.base.errors import MigrationRefused
from crm_services.postgres.migration import detach, migrate, unmigrate
from crm_services.postgres.target import DatabaseTarget, parse_database_url
from local.environment import ROOT
from local.lambda_context import LambdaContext
from local.postgres import Server
from local.routes import routes
from tests.project.test_privileges import WITHOUT_DATA
from tests.support.client import Client, data, path_of
from tests.support.crm import Crm

# What a release of the CRM's may do to a column that the bundle's views read.
RETYPED = [
    "crm_customers alter column name type text",
    "crm_customers alter column name type varchar(400)",
    "crm_customers alter column email type text",
    "crm_customers alter column email type varchar(320)",
    "crm_customers alter column status type text",
    "crm_customers alter column status type varchar(50)",
    "crm_customers alter column company type text",
    "crm_customers alter column mining_capacity type numeric",
    "crm_customers alter column mining_capacity type numeric(12, 4)",
    "crm_customers alter column mining_capacity type real",
    "crm_customers alter column primary_miner_model type text",
    "crm_customers alter column miners_count type bigint",
    "user_access alter column email type text",
    "user_access alter column email type varchar(320)",
    "user_access alter column role type text",
    "user_access alter column expires_at type timestamptz using expires_at at time zone 'utc'",
    "user_miners alter column status type text",
    "user_miners alter column custom_name type text",
    "user_miners alter column quantity type bigint",
    "user_miners alter column quantity type smallint",
    "user_miners alter column electricity_cost type numeric(10, 6)",
    "user_miners alter column actual_power type double precision",
    "user_miners alter column actual_hashrate type numeric",
    "user_miners alter column created_at type timestamptz using created_at at time zone 'utc'",
    "miner_models alter column model_name type text",
    "miner_models alter column reference_power type double precision",
    "network_snapshots alter column recorded_at type timestamptz using recorded_at at time zone 'America/New_York'",
    "network_snapshots alter column btc_price type numeric",
]
DROPPED = [
    ("crm_customers", "company", "varchar(200)"),
    ("crm_customers", "email", "varchar(256)"),
    ("user_access", "expires_at", "timestamp"),
    ("user_miners", "location", "varchar(200)"),
    ("network_snapshots", "is_valid", "boolean default true"),
]
NAMES = [f"{sql.split()[0]}.{sql.split()[3]} {' '.join(sql.split()[5:7])}" for sql in RETYPED]
UNDEFINED_COLUMN, DEPENDED_ON, NOT_SUPPORTED = "42703", "2BP01", "0A000"


@pytest.fixture
def target(owner: Connection, postgres: Server, database_name: str) -> DatabaseTarget:
    return parse_database_url(postgres.url(database_name))


@pytest.fixture
def synced(client: Client, crm: Crm) -> tuple[int, int]:
    """An admin and a customer that was synced, by itself and by a run."""
    admin = crm.account(role="admin")
    customer = crm.linked_customer(quantity=3)
    crm.snapshot()
    assert client.post(f"/crm/api/customer/{customer}/sync-hosting", admin).status_code == 200
    assert data(client.post("/crm/api/sync-all-hosting", admin))["errors"] == 0
    return admin, customer


def _seen(client: Client, admin: int, customer: int) -> list[Any]:
    """What the CRM's page and the lists show, less when it was asked."""
    stats = data(client.get(f"/crm/api/customer/{customer}/hosting-stats", admin))
    runs = data(client.get("/crm/api/sync-runs", admin))
    customers = data(client.get("/crm/api/hosting/customers", admin))
    status = data(client.get("/crm/api/sync-status", admin))
    return [stats, runs, customers, status["linked_customers"], status["last_sync"]]


def _kept(owner: Connection, customer: int) -> list[Any]:
    figures = owner.run(
        "select hosting_estimated_daily_btc, hosting_net_profit_daily, hosting_synced_at from crm_customers"
        " where id = :id",
        id=customer,
    )
    return [figures, owner.run("select id, state, synced, ended_at from crm_hosting.runs order by id")]


@pytest.mark.parametrize("change", RETYPED, ids=NAMES)
def test_a_column_gets_another_type_and_all_is_as_before(
    client: Client, owner: Connection, target: DatabaseTarget, synced: tuple[int, int], change: str
) -> None:
    admin, customer = synced
    before, kept = _seen(client, admin, customer), _kept(owner, customer)

    detach(target)
    owner.run(f"alter table {change}")

    assert _kept(owner, customer) == kept
    changes = migrate(target)
    assert "created view crm_hosting.customers" in changes
    assert _seen(client, admin, customer) == before
    assert client.post(f"/crm/api/customer/{customer}/sync-hosting", admin).status_code == 200
    again = data(client.post("/crm/api/sync-all-hosting", admin))
    assert (again["errors"], again["synced"]) == (0, 1)
    assert _kept(owner, customer)[0] == kept[0]
    assert migrate(target) == []


@pytest.mark.parametrize(("table", "column", "type_"), DROPPED)
def test_a_column_goes_and_the_migration_says_which_is_missing(  # noqa: PLR0913, PLR0917
    client: Client, owner: Connection, target: DatabaseTarget, synced: tuple[int, int], table: str, column: str,
    type_: str,
) -> None:  # fmt: skip
    _, customer = synced
    kept = _kept(owner, customer)
    detach(target)
    owner.run(f"alter table {table} drop column {column}")

    with pytest.raises(MigrationRefused, match=rf"Nothing was changed. .*public.{table} has no column {column}"):
        migrate(target)

    owner.run(f"alter table {table} add column {column} {type_}")
    migrate(target)
    assert _kept(owner, customer) == kept
    assert migrate(target) == []


@pytest.mark.parametrize(
    ("change", "sqlstate"),
    [(f"alter table {RETYPED[0]}", NOT_SUPPORTED), ("alter table user_access drop column expires_at", None),
     ("alter table crm_customers drop column company", DEPENDED_ON)],
)  # fmt: skip
def test_without_it_postgresql_refuses_what_a_view_reads(owner: Connection, change: str, sqlstate: str | None) -> None:
    if sqlstate is None:  # no view reads it, a function does, and PostgreSQL does not know
        owner.run(change)
        return
    with pytest.raises(DatabaseError, match=sqlstate):
        owner.run(change)


def test_meanwhile_requests_are_told_to_come_back(
    client: Client, crm: Crm, target: DatabaseTarget, synced: tuple[int, int]
) -> None:
    admin, customer = synced
    asked = [route for route in routes(ROOT / "template.yaml") if route.function not in WITHOUT_DATA]
    assert len(asked) > 5
    for route in asked:  # connections that remember
        client.ask(route.method, path_of(route, customer), admin)
    detach(target)

    for _ in range(2):
        for route in asked:
            answer = client.ask(route.method, path_of(route, customer), admin)
            assert (answer.status_code, "Retry-After" in answer.headers) == (503, True), route.key
            assert client.ask(route.method, path_of(route, customer)).status_code == 401

    migrate(target)
    assert client.get(f"/crm/api/customer/{customer}/hosting-stats", admin).status_code == 200


def test_what_was_taken_away_and_brought_again_is_served_at_once(
    client: Client, crm: Crm, target: DatabaseTarget, synced: tuple[int, int]
) -> None:
    admin, customer = synced
    for take_away in (unmigrate, detach, unmigrate):
        path = f"/crm/api/customer/{customer}/hosting-stats"
        before = data(client.get(path, admin))
        take_away(target)
        migrate(target)

        assert data(client.get(path, admin)) == before
        assert client.post(f"/crm/api/customer/{customer}/sync-hosting", admin).status_code == 200
        assert client.post("/crm/api/sync-all-hosting", admin).status_code in {200, 429}
        assert client.get("/crm/api/sync-status", admin).status_code == 200


def test_to_detach_twice_or_where_there_is_nothing_changes_nothing(
    target: DatabaseTarget, bare: DatabaseTarget
) -> None:
    changes = detach(target)

    assert {"dropped view crm_hosting.customers", "dropped function crm_hosting.scope_to(integer)"} <= set(changes)
    assert not [change for change in changes if change.split()[1] not in {"view", "function"}]
    assert detach(target) == []
    assert detach(bare) == []


def test_the_index_outlives_it(owner: Connection, target: DatabaseTarget) -> None:
    detach(target)

    assert owner.run(
        "select indisvalid from pg_index where indexrelid = 'crm_hosting_account_email_key'::regclass"
    ) == [[True]]
    assert not [change for change in migrate(target) if "index" in change]


def test_the_function_does_it_too_and_refuses_what_it_does_not_know(
    environment: pytest.MonkeyPatch, postgres: Server, database_name: str
) -> None:
    environment.setenv("DATABASE_URL", postgres.url(database_name))
    context = LambdaContext("MigrateFunction")

    gone = migrate_function.handler({"action": "detach"}, context)["changes"]
    back = migrate_function.handler({"action": "migrate"}, context)["changes"]

    assert "dropped view crm_hosting.customers" in gone
    assert "created view crm_hosting.customers" in back
    assert migrate_function.handler({}, context) == {"changes": []}
    with pytest.raises(MigrationRefused, match="not 'unmigrate'"):
        migrate_function.handler({"action": "unmigrate"}, context)


def test_a_view_that_has_changed_its_columns_is_made_anew(owner: Connection, target: DatabaseTarget) -> None:
    owner.run("drop view crm_hosting.models cascade")
    owner.run("create view crm_hosting.models as select id, model_name as label, 1 as what from public.miner_models")

    changes = migrate(target)

    assert "changed view crm_hosting.models" in changes
    assert migrate(target) == []
