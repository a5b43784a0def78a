"""What a database lacks is said in a sentence, and nothing is changed; what is only odd is migrated, and works."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from crm_services.base.errors import MigrationRefused
from crm_services.postgres import requirements
from crm_services.postgres.migration import migrate
from crm_services.postgres.roles import Login
from crm_services.postgres.target import DatabaseTarget, parse_database_url
from local.crm import TABLES
from local.postgres import Server, connect, create_database
from tests.support.bare import bare_database
from tests.support.pgbouncer import pgbouncer

# What a database is, and what of it is said.
REFUSED = {
    "another schema": (
        "create schema crm authorization crm; alter table user_miners set schema crm",
        r"user_miners is in the schema crm, .* alter table crm.user_miners set schema public",
    ),
    "no table": ("drop table network_snapshots", "no table public.network_snapshots"),
    "a view in its place": (
        "alter table user_access rename to people; create view user_access as select * from people",
        "public.user_access is a view",
    ),
    "partitioned customers": (
        "create table parts (like crm_customers) partition by range (id); drop table crm_customers;"
        " alter table parts rename to crm_customers",
        "public.crm_customers is partitioned",
    ),
    "uuid ids": (
        "alter table user_miners alter column id drop default, alter column id type uuid using gen_random_uuid()",
        "public.user_miners.id is of type uuid, .* it takes smallint, integer, bigint",
    ),
    "ids beyond 32 bits": (
        "alter table crm_customers alter column id type bigint;"
        " insert into crm_customers (id, name) values (3e9, 'far')",
        "public.crm_customers.id goes up to 3000000000",
    ),
    "figures as text": (
        "alter table user_miners alter column actual_hashrate type text",
        "public.user_miners.actual_hashrate is of type text, .* double precision",
    ),
    "two columns gone": (
        "alter table crm_customers drop column company, drop column status",
        "no column company.* no column status",
    ),
    "forced row level security": (
        "alter table crm_customers enable row level security; alter table crm_customers force row level security",
        "hides rows of public.crm_customers from crm, .* no force row level security",
    ),
    "a generated column": (
        "alter table crm_customers drop column miners_count,"
        " add column miners_count integer generated always as (1) stored",
        "public.crm_customers.miners_count is a generated column",
    ),
    "a rule for updates": (
        "create rule kept as on update to crm_customers do instead nothing",
        "public.crm_customers has the rule kept for updates, .* a trigger of it",
    ),
    "customers that are not updated": (
        "revoke update on crm_customers from crm",
        "crm may not update public.crm_customers, .* grant update on public.crm_customers to crm",
    ),
    "a column of the bundle's that is another": (
        "alter table crm_customers add hosting_synced_at text",
        "public.crm_customers.hosting_synced_at is of type text, .* it takes timestamp",
    ),
    "an index of somebody's": (
        "create table other (id integer); create index crm_hosting_customer_profit on other (id)",
        "public.crm_hosting_customer_profit is not the bundle's",
    ),
    "everybody reads": ("grant select on user_access to public", "public.user_access may be read or written by public"),
}


SETTINGS = [
    "default_transaction_read_only = on",
    "default_transaction_isolation = 'serializable'",
    "quote_all_identifiers = on",
    "idle_in_transaction_session_timeout = '1ms'",
]


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_cannot_work_with_is_said_and_nothing_is_changed(
    bare: DatabaseTarget, bare_url: str, name: str
) -> None:
    sql, sentence = REFUSED[name]
    with connect(bare_url) as owner:
        owner.run(sql)

        with pytest.raises(MigrationRefused, match=f"^Nothing was changed. .*{sentence}"):
            migrate(bare)

        assert owner.run("select to_regnamespace('crm_hosting')") == [[None]]
        assert owner.run("select from pg_attribute where attname = 'hosting_net_profit_daily' and attnum > 0"
                         " and attrelid = to_regclass('crm_customers')") == []  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("revoke select on hosting_sites from crm", "grant select on public.hosting_sites to crm"),
        (
            "alter table hosting_miners enable row level security, force row level security",
            "Row level security hides rows of public.hosting_miners from crm",
        ),
        (
            "alter table hosting_miners alter column actual_hashrate type text",
            "public.hosting_miners.actual_hashrate is of type text",
        ),
    ],
)
def test_the_hosting_modules_tables_are_looked_at_where_they_are_the_fleet(
    bare: DatabaseTarget, bare_url: str, sql: str, sentence: str
) -> None:
    with connect(bare_url) as owner:
        owner.run(sql)

    with pytest.raises(MigrationRefused, match=f"^Nothing was changed. .*{sentence}"):
        migrate(bare, machine_source="hosting_miners")
    assert "created view crm_hosting.customers" in migrate(bare)


def test_figures_in_whole_numbers_are_migrated(bare: DatabaseTarget, bare_url: str) -> None:
    with connect(bare_url) as owner:
        owner.run(
            "alter table network_snapshots alter btc_price type integer, alter network_difficulty type bigint,"
            " alter block_reward type smallint;"
            " alter table user_miners alter actual_hashrate type integer, alter electricity_cost type smallint;"
            " alter table miner_models alter reference_hashrate type integer"
        )
        owner.run("insert into network_snapshots"
                  " (recorded_at, btc_price, network_difficulty, network_hashrate, block_reward) "
                  "values ('2026-01-01', 100000, 145, 1000, 3)")  # fmt: skip

    migrate(bare)
    assert migrate(bare) == []
    with connect(bare_url) as owner:
        assert owner.run("select btc_price::bigint from crm_hosting.market") == [[100_000]]


def test_who_is_not_the_owner_is_told_who_is(bare: DatabaseTarget, postgres: Server) -> None:
    with (
        _role(postgres, "stranger_crm", "createrole") as role,
        pytest.raises(MigrationRefused, match=f"belongs to crm, .* logged in as {role}"),
    ):
        migrate(parse_database_url(postgres.url(bare.database, role)))


def test_an_owner_who_may_create_no_schema_or_no_role_is_told(postgres: Server) -> None:
    with _role(postgres, "poor_crm") as role, bare_database(postgres, role) as url:
        poor = parse_database_url(url)
        with pytest.raises(
            MigrationRefused, match=f"There is no role crm_new and crm_new_market, and {role} may create"
        ):
            migrate(poor, Login("crm_new"))
        with connect(url.replace(f"{role}@", "postgres@")) as admin:
            admin.run(f"alter role {role} createrole")
            admin.run(f"alter database {poor.database} owner to postgres")
        with pytest.raises(MigrationRefused, match=f"grant create on database {poor.database} to {role}"):
            migrate(poor, Login("crm_new"))
        with connect(postgres.url(poor.database, "postgres")) as admin:
            admin.run(f"grant create on database {poor.database} to {role}")
            admin.run("alter schema public owner to postgres")
        with pytest.raises(MigrationRefused, match=f"Nothing .* grant create on schema public to {role}"):
            migrate(poor, Login("crm_new"))


def test_an_owner_who_may_not_change_a_role_that_is_there_is_told(postgres: Server) -> None:
    with (
        _role(postgres, "poor_crm") as role,
        _role(postgres, "crm_made") as made,
        _role(postgres, "crm_made_market"),
        bare_database(postgres, role) as url,
        pytest.raises(MigrationRefused, match=f"may not change it: .* grant {made} to {role} with admin option"),
    ):
        migrate(parse_database_url(url), Login(made))


def test_a_database_of_another_encoding_is_refused(postgres: Server) -> None:
    with connect(postgres.url("postgres", "postgres")) as admin:
        admin.run(
            "create database latin owner crm encoding 'LATIN1' locale 'C' locale_provider libc template template0"
        )
    try:
        with pytest.raises(MigrationRefused, match="encoding is LATIN1"):
            migrate(parse_database_url(postgres.url("latin")))
    finally:
        with connect(postgres.url("postgres", "postgres")) as admin:
            admin.run("drop database latin with (force)")


def test_an_old_server_is_refused(bare: DatabaseTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    old = requirements.SERVER[0]
    tomorrows = requirements.Check(old.sql.replace("150000", "990000"), old.sentence)
    monkeypatch.setattr(requirements, "SERVER", (tomorrows,))

    with pytest.raises(MigrationRefused, match=r"The server is PostgreSQL .* needs 15 or newer"):
        migrate(bare)


def test_a_login_or_a_database_that_is_not_there_is_a_sentence_too(bare: DatabaseTarget, postgres: Server) -> None:
    with pytest.raises(MigrationRefused, match="There is no database nowhere"):
        migrate(parse_database_url(postgres.url("nowhere")))
    with pytest.raises(MigrationRefused, match="refused the login of nobody_at_all"):
        migrate(parse_database_url(postgres.url(bare.database, "nobody_at_all")))


def test_a_server_that_cannot_be_had_is_a_sentence_too(bare: DatabaseTarget, postgres: Server) -> None:
    with pytest.raises(MigrationRefused, match=r"no way to the database .*: connect: FileNotFoundError. Nothing was"):
        migrate(replace(bare, host="/nowhere"))
    with pytest.raises(MigrationRefused, match=r"no way to the database .*: look-up: gaierror. Nothing was"):
        migrate(replace(bare, host="no-such-host.invalid"))
    with connect(postgres.url("postgres", "postgres")) as admin:
        admin.run(f"alter database {bare.database} connection limit 0")
    with pytest.raises(MigrationRefused, match="no connection left for crm: end some of those that are idle"):
        migrate(bare)


def test_what_the_server_sets_for_everybody_stops_no_migration(bare: DatabaseTarget, postgres: Server) -> None:
    with connect(postgres.url("postgres", "postgres")) as admin:
        for setting in SETTINGS:
            if admin.run("select from pg_settings where name = :name", name=setting.partition(" ")[0]):
                admin.run(f"alter database {bare.database} set {setting}")

    assert "created view crm_hosting.customers" in migrate(bare)
    assert migrate(bare) == []


def test_tables_of_the_superusers_are_migrated(postgres: Server) -> None:
    create_database(postgres, "own_server", "postgres")
    try:
        url = postgres.url("own_server", "postgres")
        with connect(url) as owner:
            owner.run(TABLES.read_text())

        changes = migrate(parse_database_url(url))

        assert "created view crm_hosting.customers" in changes
        assert migrate(parse_database_url(url)) == []
    finally:
        with connect(postgres.url("postgres", "postgres")) as admin:
            admin.run("drop database own_server with (force)")


@contextmanager
def _role(postgres: Server, name: str, attributes: str = "") -> Iterator[str]:
    """A role that can log in, until the block ends."""
    with connect(postgres.url("postgres", "postgres")) as admin:
        admin.run(f"create role {name} login {attributes}")
        try:
            yield name
        finally:
            admin.run(f"drop role {name}")


# ── Through a pooler ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_pooler_in_transaction_mode_is_refused_and_nothing_stays_on_its_connections(
    bare: DatabaseTarget, postgres: Server
) -> None:
    with pgbouncer(postgres, "transaction") as pooler:
        url = pooler.url(bare.database)
        with pytest.raises(MigrationRefused, match="is a pooler in transaction mode"):
            migrate(parse_database_url(url))

        with connect(url) as crm:  # on the connection that the migration had
            assert crm.run("show statement_timeout") == [["0"]]
            assert crm.run("show lock_timeout") == [["0"]]
            assert crm.run("show search_path") == [['"$user", public']]
            assert crm.run("select count(*) from pg_locks where locktype = 'advisory'") == [[0]]
            assert crm.run("select to_regnamespace('crm_hosting')") == [[None]]


def test_a_pooler_in_statement_mode_is_refused_by_that_name(bare: DatabaseTarget, postgres: Server) -> None:
    with (
        pgbouncer(postgres, "statement") as pooler,
        pytest.raises(MigrationRefused, match=r"^Nothing was changed\. .* is a pooler in statement mode"),
    ):
        migrate(parse_database_url(pooler.url(bare.database)))


def test_through_a_pooler_in_session_mode_it_migrates(bare: DatabaseTarget, postgres: Server) -> None:
    with pgbouncer(postgres, "session", pool_size=6) as pooler:
        target = parse_database_url(pooler.url(bare.database))

        assert "created view crm_hosting.customers" in migrate(target)
        assert migrate(target) == []
