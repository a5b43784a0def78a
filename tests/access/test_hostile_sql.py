"""What SQL of a stranger's, run as the bundle's role in whatever scope, reaches: what SECURITY.md lists and no more."""

from collections.abc import Iterator

import pytest
from pg8000.exceptions import DatabaseError
from pg8000.native import Connection

from crm_services.postgres.database import database
from crm_services.sync import batch
from local.postgres import Server, connect
from tests.support.client import Client, data
from tests.support.crm import Crm

READABLE = {
    "customers": (
        "id name company status created_by_id email_key miners_count mining_capacity primary_miner_model"
        " hosting_estimated_daily_btc hosting_estimated_daily_usd hosting_net_profit_daily hosting_synced_at"
        " user_account_id confirmed_account_id refused_account_ids email confirmed_by_owner"
    ),
    "accounts": "id email_key is_active created_by_id name email mailbox name_key",
    "models": "id name",
    "tenant_customers": "id",
    "link_history": "id customer_id changed_by changed_at before after",
}

FORBIDDEN = [
    "set role crm",
    "set session authorization crm",
    "grant crm to crm_hosting",
    "create role mallory",
    "alter role crm_hosting createrole",
    "create function crm_hosting.f() returns int language sql as 'select 1'",
    "create table crm_hosting.t ()",
    "create table public.t ()",
    "create schema mine",
    "alter function crm_hosting.write_figures set search_path = pg_temp",
    "alter view crm_hosting.customers owner to crm_hosting",
    "create or replace view crm_hosting.customers as select 1",
    "grant execute on function crm_hosting.write_rows to public",
    "create extension pageinspect",
    "load 'auto_explain'",
    "copy (select 1) to '/tmp/x'",
    "copy (select 1) to program 'id'",
    "select pg_read_file('postgresql.conf')",
    "select pg_ls_dir('/')",
    "select lo_import('/etc/hostname')",
    "select lo_export(1, '/tmp/x')",
    "set session_replication_role = replica",
    "select * from pg_authid",
    "select * from pg_statistic",
    "select * from crm_hosting.links",
    "update crm_hosting.link_changes set changed_by = 1",
    "delete from crm_hosting.market_snapshots",
    "truncate crm_hosting.runs",
    "delete from crm_hosting.runs",
    "select crm_hosting.forget_these_runs('{1}', 1)",
]

NO_OBJECTS = """
revoke temporary on database {database} from public;
revoke execute on function lo_create(oid), lo_from_bytea(oid, bytea), lo_creat(integer), lo_put(oid, bigint, bytea)
  from public
"""


@pytest.fixture
def bundle(postgres: Server, database_name: str) -> Iterator[Connection]:
    with connect(postgres.url(database_name, "crm_hosting")) as connection:
        yield connection


def test_it_reads_of_the_crm_these_columns_and_no_other(owner: Connection) -> None:
    columns = owner.run("""
        select c.relname, string_agg(a.attname, ' ' order by a.attnum)
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = 'crm_hosting'::regnamespace and c.relkind = 'v'
          and has_column_privilege('crm_hosting', c.oid, a.attnum, 'select')
        group by 1""")
    found = dict(columns)

    assert set(found) == {*READABLE, "miners", "machine_days", "sources", "market"}  # no secrets of a person's
    assert {name: found[name] for name in READABLE} == READABLE


@pytest.mark.parametrize("sql", FORBIDDEN)
def test_it_gets_no_further(bundle: Connection, sql: str) -> None:
    bundle.run("select set_config('crm_hosting.scope', 'all', false)")

    with pytest.raises(DatabaseError) as refused:
        bundle.run(sql)

    assert refused.value.args[0]["C"] in {"42501", "0LP01"}


def test_the_bundle_needs_neither_temporary_nor_large_objects(
    client: Client, crm: Crm, postgres: Server, database_name: str
) -> None:
    with connect(postgres.url(database_name, "postgres")) as superuser:
        superuser.run(NO_OBJECTS.format(database=database_name))
    with connect(postgres.url(database_name, "crm_hosting")) as bundle:
        for sql in ("create temp table t ()", "select lo_create(0)", "select lo_from_bytea(0, 'x')"):
            with pytest.raises(DatabaseError, match="42501"):
                bundle.run(sql)
    admin, customer = crm.account(role="admin"), crm.linked_customer()

    assert batch.run(database, None, "console").state == "completed"
    assert data(client.get(f"/crm/api/customer/{customer}/hosting-stats", admin))["has_hosting"]
    assert data(client.get("/crm/api/sync-status", admin))["linked_customers"] == 1
