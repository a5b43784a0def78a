"""A role that may do nothing but create in the schema public makes others run its code: never the bundle."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from pg8000.exceptions import DatabaseError
from pg8000.native import Connection

import daily_sync
import market_refresh
from crm_services.access.entry import ENTER, SCOPE_TO
from crm_services.access.roles import SEES_ALL
from crm_services.base.errors import MigrationRefused
from crm_services.fleet.stats import STATS
from crm_services.postgres import migration
from crm_services.postgres.migration import migrate, unmigrate
from crm_services.postgres.roles import MARKET_ROLE
from crm_services.postgres.target import DatabaseTarget, parse_database_url
from local.environment import ROOT
from local.lambda_context import LambdaContext
from local.postgres import Server, connect
from local.routes import routes
from tests.support import mines
from tests.support.client import Client, data, path_of
from tests.support.crm import Crm
from tests.support.internet import internet_on_this_machine

ATTACKER = "mallory"
DEFAULT_PATH = 'set search_path = "$user", public'

WRITE = """
select crm_hosting.write_figures(null, null, cast(:ids as integer[]), '{1}', '{1}', '{x}', '{1}', '{1}', '{1}')
"""

# What an attacker's code does to whoever runs it: it makes itself whatever that role is, and leaves a trace that no
# rollback undoes. In a transaction that only reads, it fails.
PAYLOAD = f"""
create sequence public.caught;
grant all on sequence public.caught to public;
create function public.payload() returns boolean language plpgsql as $$ begin
  perform pg_catalog.nextval('public.caught');
  begin
    execute pg_catalog.format('grant all on all tables in schema public to {ATTACKER}');
  exception when others then null;
  end;
  return true;
end $$;
"""


def _function(signature: str, returns: str, result: str) -> str:
    return (
        f"create function public.{signature} returns {returns} language plpgsql as "
        f"$$ begin perform public.payload(); return {result}; end $$;"
    )


def _operator(operator: str, left: str, right: str, returns: str, result: str) -> str:
    return (
        _function(f"op({left}, {right})", returns, result)
        + f"create operator public.{operator} (leftarg = {left}, rightarg = {right}, function = public.op);"
    )


# Each by what it takes the place of.
ATTACKS = {
    "= of oid and regclass": _operator("=", "oid", "regclass", "boolean", "$1 operator(pg_catalog.=) $2::oid"),
    "* of bigint and numeric": _operator("*", "bigint", "numeric", "numeric", "$1::numeric operator(pg_catalog.*) $2"),
    "= of varchar and text": _operator("=", "varchar", "text", "boolean", "$1::text operator(pg_catalog.=) $2"),
    "= of oid and regnamespace": _operator("=", "oid", "regnamespace", "boolean", "true"),
    "<> of name and text": _operator("<>", "name", "varchar", "boolean", "false"),
    "|| of text and regclass": _operator("||", "text", "regclass", "text", "$1"),
    "> of double precision and integer": _operator(">", "double precision", "integer", "boolean", "true"),
    "lower of varchar": _function("lower(varchar)", "text", "pg_catalog.lower($1::text)"),
    "btrim of varchar": _function("btrim(varchar, text)", "text", "pg_catalog.btrim($1::text, $2)"),
    "coalesce's cousin nullif by = of text": _operator("=", "text", "varchar", "boolean", "true"),
    "unnest of integer[]": _function("unnest(integer[])", "integer", "1"),
    "cardinality of integer[]": _function("cardinality(integer[])", "integer", "1"),
    "set_config of varchar": _function("set_config(varchar, varchar, boolean)", "text", "'all'"),
    "current_setting of varchar": _function("current_setting(varchar, boolean)", "text", "'all'"),
    "to_regclass of varchar": _function("to_regclass(varchar)", "regclass", "null"),
    "an aggregate": _function("step(numeric, varchar)", "numeric", "1")
    + "create aggregate public.sum(varchar) (sfunc = public.step, stype = numeric, initcond = '0');",
    "a cast of a type of one's own": "create type public.text as (t pg_catalog.text);"
    + _function("made(public.text)", "pg_catalog.text", "'x'")
    + "create cast (public.text as pg_catalog.text) with function public.made(public.text) as implicit;",
    "a domain with a check": "create domain public.regclass as pg_catalog.oid check (public.payload());"
    + "create domain public.numeric as pg_catalog.numeric check (public.payload());",
    "views named as the catalogue": "create view public.pg_class as select oid from pg_catalog.pg_class"
    " where public.payload(); create view public.pg_attribute as select attname from pg_catalog.pg_attribute"
    " where public.payload(); create view public.pg_proc as select oid from pg_catalog.pg_proc where public.payload();",
    "tables named as the bundle's": "create view public.runs as select public.payload() as state, 1 as id;"
    "create view public.customers as select 1 as id, public.payload() as name;"
    "create view public.market as select public.payload() as btc_price;",
    "default privileges": "alter default privileges grant all on tables to public;"
    "alter default privileges grant execute on functions to public;",
    "objects that last as long as a session": "create temp table pg_class (oid oid); create temp table crm_customers"
    " (id integer); create temp view user_access as select public.payload();",
    "what the CRM's triggers find": _function("jsonb_build_object(varchar, integer)", "jsonb", "'{}'")
    + _operator("-", "timestamp", "timestamptz", "interval", "'1 day'"),
}


@pytest.fixture
def attackers(postgres: Server) -> None:
    """Everybody may create in public, as up to PostgreSQL 14, and there is somebody."""
    with connect(postgres.url("postgres", "postgres")) as admin:
        if not admin.run("select from pg_roles where rolname = :role", role=ATTACKER):
            admin.run(f"create role {ATTACKER} login")


@contextmanager
def attacker(url: str, owner: str = "crm") -> Iterator[Connection]:
    """A session of the attacker's in that database, where everybody may create in the schema public."""
    with connect(url.replace(f"{owner}@", "postgres@", 1)) as admin:
        admin.run("grant create on schema public to public")
    with connect(url.replace(f"{owner}@", f"{ATTACKER}@", 1)) as connection:
        yield connection


def _is_caught(connection: Connection) -> bool:
    [[is_called]] = connection.run("select is_called from public.caught")
    return bool(is_called)


def _reads_a_table(connection: Connection) -> bool:
    [[can]] = connection.run("select has_table_privilege('public.user_access', 'select')")
    return bool(can)


# ── The migration ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("attackers")
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_migration_runs_nothing_that_somebody_else_made(bare_url: str, attack: str) -> None:
    owner = parse_database_url(bare_url)
    with attacker(bare_url) as mallory:
        mallory.run(PAYLOAD)
        mallory.run(ATTACKS[attack])

        migrate(owner)
        migrate(owner)
        unmigrate(owner)
        migrate(owner)

        assert not _is_caught(mallory)
        assert not _reads_a_table(mallory)


@pytest.mark.usefixtures("attackers")
def test_a_migration_passes_over_twenty_thousand_mines(bare_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = parse_database_url(bare_url)
    with attacker(bare_url) as mallory:
        assert mines.lay(mallory) > 20_000

        with monkeypatch.context() as careless:
            careless.setattr(migration, "SAFE_PATH", DEFAULT_PATH)
            with pytest.raises(MigrationRefused, match=mines.SPRUNG):
                migrate(owner)

        for step in (migrate, migrate, unmigrate, unmigrate, migrate):
            step(owner)


def test_the_owners_settings_of_its_own_change_nothing(bare_url: str, postgres: Server) -> None:
    owner = parse_database_url(bare_url)
    with connect(bare_url.replace("crm@", "postgres@")) as admin:
        admin.run("create schema theirs")
        admin.run("create view theirs.pg_class as select 1 / 0 as oid")
        admin.run(f"alter role crm in database {owner.database} set search_path = theirs, public, pg_catalog")

    migrate(owner)

    assert migrate(owner) == []


# ── Requests, the batch, the market ──────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("attackers")
def test_requests_and_the_batch_pass_over_them(client: Client, crm: Crm, postgres: Server, database_name: str) -> None:
    admin, tenant = crm.account(role="admin"), crm.account(role="mining_site_owner")
    customers = [crm.linked_customer(tenant), crm.linked_customer(admin), crm.customer()]
    crm.snapshot()
    with attacker(postgres.url(database_name)) as mallory:
        mines.lay(mallory)

    answers = [
        client.ask(route.method, path_of(route, customer), user).status_code
        for route in routes(ROOT / "template.yaml")
        for user in (admin, tenant, None)
        for customer in customers
    ]
    assert set(answers) <= {200, 400, 401, 403, 404, 409, 429}
    assert answers.count(200) > len(answers) / 4
    assert data(client.get("/crm/api/sync-status", admin))["total_customers"] == 3
    assert daily_sync.handler({}, LambdaContext("DailySyncFunction", 900))["state"] == "completed"


@pytest.mark.usefixtures("attackers")
def test_the_market_passes_over_them(
    owner: Connection, postgres: Server, database_name: str, environment: pytest.MonkeyPatch
) -> None:
    with attacker(postgres.url(database_name)) as mallory:
        mines.lay(mallory)
    environment.setenv("DATABASE_URL", postgres.url(database_name, MARKET_ROLE))
    with internet_on_this_machine() as internet:
        environment.setenv("MARKET_URL", internet.mempool.url)
        environment.setenv("MARKET_PRICE_URL", internet.bitstamp.url)
        environment.setenv("MARKET_CHAIN_URL", internet.esplora.url)
        for handler in market_refresh.logger.handlers:
            environment.setattr(handler, "stream", sys.stderr)
        market_refresh.handler({}, LambdaContext("MarketRefreshFunction", 120))
    owner.run(migration.SAFE_PATH)
    assert owner.run("select count(*) from crm_hosting.market") == [[1]]


@pytest.mark.usefixtures("attackers")
def test_a_statement_on_the_path_that_roles_have_by_default_steps_on_one(
    crm: Crm, postgres: Server, database_name: str
) -> None:
    customer = crm.linked_customer()
    with attacker(postgres.url(database_name)) as mallory:
        mines.lay(mallory)
    with connect(postgres.url(database_name, "crm_hosting")) as bundle:
        bundle.run("begin")
        bundle.run(ENTER, user_id=1, customer_id=customer, see_all=SEES_ALL)
        bundle.run(STATS, customer_id=customer, link_any=True)
        bundle.run(DEFAULT_PATH)
        with pytest.raises(DatabaseError):
            bundle.run(STATS, customer_id=customer, link_any=True)


@pytest.mark.usefixtures("attackers")
def test_each_function_is_its_own_whatever_path_the_caller_has(crm: Crm, postgres: Server, database_name: str) -> None:
    tenant = crm.account(role="mining_site_owner")
    customer = crm.linked_customer(tenant)
    with attacker(postgres.url(database_name)) as mallory:
        mines.lay(mallory)
    with connect(postgres.url(database_name, "crm_hosting")) as bundle:
        # Whatever is made there fits better than PostgreSQL's own: it is looked at first.
        bundle.run("set search_path = public, pg_catalog")
        bundle.run("begin")
        assert bundle.run(ENTER, user_id=tenant, customer_id=customer, see_all=SEES_ALL) == [
            ["active", "mining_site_owner", "own"]
        ]
        bundle.run("select crm_hosting.next_customers(0, 10)")
        bundle.run("select count(*) from crm_hosting.customers")
        bundle.run("select count(*) from crm_hosting.accounts")
        bundle.run("select sum(power), sum(price), sum(hashrate) from crm_hosting.miners")
        bundle.run("select * from crm_hosting.market")
        bundle.run(
            WRITE,
            ids=[customer],
        )
        bundle.run(SCOPE_TO, tenant_id=None)
        bundle.run("commit")


# ── What the bundle leaves in the database ───────────────────────────────────────────────────────────────────


def test_what_a_function_names_is_bound_or_its_path_is_its_own(owner: Connection) -> None:
    paths = dict(
        owner.run("""
        select p.proname, (select substr(c, length('search_path=') + 1) from unnest(p.proconfig) c
                           where c like 'search_path=%')
        from pg_proc p where p.pronamespace = 'crm_hosting'::regnamespace and p.prosqlbody is null""")
    )
    assert set(paths.values()) == {"pg_catalog, pg_temp"}
    # The one whose path is the CRM's, for the CRM's triggers, looks nothing up by it.
    assert owner.run(
        "select proconfig, prosqlbody is not null from pg_proc where oid = 'crm_hosting.write_rows'::regproc"
    ) == [[['search_path="$user", public, pg_temp'], True]]


@pytest.mark.usefixtures("attackers")
def test_nothing_of_the_bundles_rests_on_what_somebody_else_made(bare_url: str) -> None:
    with attacker(bare_url) as mallory:
        mines.lay(mallory)
    migrate(parse_database_url(bare_url))

    with connect(bare_url) as owner:
        owner.run(migration.SAFE_PATH)
        made_by_others = owner.run(f"""
            with made as (
              select 'pg_proc'::regclass::oid as class, oid from pg_proc where proowner = '{ATTACKER}'::regrole
              union all select 'pg_operator'::regclass, oid from pg_operator where oprowner = '{ATTACKER}'::regrole
              union all select 'pg_type'::regclass, oid from pg_type where typowner = '{ATTACKER}'::regrole
            )
            select classid::regclass, objid, refobjid from pg_depend
            where (refclassid, refobjid) in (select class, oid from made)
              and (classid, objid) not in (select class, oid from made)""")
    assert made_by_others == []


def test_nothing_of_the_bundles_is_owned_by_a_role_that_it_logs_in_as(owner: Connection) -> None:
    owners = owner.run("""
        select relowner::regrole::text from pg_class where relnamespace = 'crm_hosting'::regnamespace
        union select proowner::regrole::text from pg_proc where pronamespace = 'crm_hosting'::regnamespace
        union select typowner::regrole::text from pg_type where typnamespace = 'crm_hosting'::regnamespace
        union select nspowner::regrole::text from pg_namespace where nspname = 'crm_hosting'""")
    assert owners == [["crm"]]


# ── The CRM's own triggers, by the path that they know ───────────────────────────────────────────────────────


def test_a_temporary_table_does_not_take_the_place_of_one_of_the_crms(
    crm: Crm, postgres: Server, database_name: str
) -> None:
    crm.db.run("""
        create table public.audit_log (customer_id integer);
        create function public.audit() returns trigger language plpgsql as
          $$ begin insert into audit_log values (new.id); return new; end $$;
        create trigger audit after update on public.crm_customers for each row execute function public.audit()""")
    tenant = crm.account(role="mining_site_owner")
    customer = crm.linked_customer(tenant)
    with closing(connect(postgres.url(database_name, "crm_hosting"))) as bundle:
        # What a hostile statement, run as the bundle's role, would prepare.
        bundle.run("""
            create temp table audit_log (customer_id integer);
            create function pg_temp.rise() returns trigger language plpgsql as
              $$ begin raise exception 'I am %', current_user using errcode = 'XRISE'; end $$;
            create trigger rise before insert on audit_log for each row execute function pg_temp.rise()""")
        bundle.run("begin")
        bundle.run(ENTER, user_id=tenant, customer_id=customer, see_all=SEES_ALL)
        bundle.run(
            WRITE,
            ids=[customer],
        )
        bundle.run("commit")
    assert crm.db.run("select customer_id from public.audit_log") == [[customer]]


# ── What it says of such a server ────────────────────────────────────────────────────────────────────────────


def test_a_migration_says_where_everybody_or_the_bundle_may_create_in_public(
    bare: DatabaseTarget, bare_url: str
) -> None:
    migrate(bare)
    with connect(bare_url.replace("crm@", "postgres@")) as admin:
        admin.run("grant create on schema public to public")
        [everybody] = migrate(bare)
        admin.run("revoke create on schema public from public")
        admin.run("grant create on schema public to crm_hosting")
        [bundle] = migrate(bare)
        admin.run("revoke create on schema public from crm_hosting")

    assert everybody.startswith("warning: everybody may create in the schema public")
    assert everybody.endswith("revoke create on schema public from public")
    assert bundle.startswith("warning: crm_hosting may create in the schema public")
    assert bundle.endswith("revoke create on schema public from crm_hosting")
    assert migrate(bare) == []
