"""The database lets the bundle's role see one tenant's customers, and of the CRM nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest
from pg8000.exceptions import DatabaseError
from pg8000.native import Connection

from crm_services.access.entry import ENTER, SCOPE_TO, verify_resource_access
from crm_services.access.roles import SEES_ALL, Permission
from crm_services.base.errors import NotAuthenticated, QueryFailed
from crm_services.postgres.database import Database
from local.postgres import Server, connect
from tests.support.crm import Crm

WRITTEN_BY_THE_SYNC = {
    "miners_count",
    "mining_capacity",
    "primary_miner_model",
    "hosting_estimated_daily_btc",
    "hosting_estimated_daily_usd",
    "hosting_net_profit_daily",
    "hosting_synced_at",
}
CUSTOMER_VIEWS = ("customers", "tenant_customers")  # of which the second has ids alone
SCOPED_VIEWS = (*CUSTOMER_VIEWS, "accounts", "miners", "machine_days", "link_history")
PERMISSION_DENIED = "42501"
NOT_UPDATABLE = "55000"


@pytest.fixture
def bundle(postgres: Server, database_name: str) -> Iterator[Connection]:
    """A connection as the bundle's role: what a bug in a statement could do."""
    with connect(postgres.url(database_name, "crm_hosting")) as connection:
        yield connection


@pytest.fixture
def tenants(crm: Crm) -> dict[str, int]:
    """Two mine owners and their customers, and a customer of nobody; the account's name → its customer's id."""
    found = {}
    for name in ("alice", "bob"):
        owner = crm.account(f"{name}@example.com", "mining_site_owner", password_hash="HASH")
        found[name] = owner
        found[f"{name}_customer"] = crm.customer(
            f"{name}.customer@example.com", owner, phone="PHONE", notes="NOTES", name=f"{name}'s customer"
        )
        crm.miners(owner)
    found["nobodys_customer"] = crm.customer()
    return found


def visible(connection: Connection, condition: str = "true") -> set[int]:
    """The customers that a statement without any tenant filter returns."""
    return {row[0] for row in connection.run(f"select id from crm_hosting.customers where {condition}")}


def enter(connection: Connection, caller: int, customer: int | None = None) -> Any:
    """Begin a request's transaction as the bundle does."""
    connection.run("begin")
    return connection.run(ENTER, user_id=caller, customer_id=customer, see_all=SEES_ALL)[0]


def write(connection: Connection, *customers: int, run: int | None = None, token: int | None = None) -> list[int]:
    """Write 77 machines into these customers by the function that the sync writes with; the ids of those it wrote."""
    rows = connection.run(
        """
        select crm_hosting.write_figures(
          :run::bigint, :token::integer, ids, array_fill(77, n), array_fill(0.5::float8, n), array_fill('S21'::text, n),
          array_fill(0.1, n), array_fill(1.0, n), array_fill(0.5, n))
        from (select :ids::integer[] as ids, array[cardinality(:ids::integer[])] as n) given""",
        ids=list(customers),
        run=run,
        token=token,
    )
    return [row[0] for row in rows]


def refused(connection: Connection, sql: str) -> str:
    """The SQLSTATE that the statement fails with."""
    with pytest.raises(DatabaseError) as failure:
        connection.run(sql)
    return str(failure.value.args[0]["C"])


# ── No right on anything of the CRM's ────────────────────────────────────────────────────────────────────────


def test_the_bundle_may_not_touch_any_table_of_the_crm(bundle: Connection, owner: Connection) -> None:
    tables = [name for (name,) in owner.run("select tablename from pg_tables where schemaname = 'public'")]
    assert {"crm_customers", "user_access", "user_miners", "miner_models", "network_snapshots"} <= set(tables)

    for table in (f"public.{name}" for name in tables):
        [[column]] = owner.run(
            "select attname from pg_attribute where attrelid = :name::text::regclass and attnum = 1", name=table
        )
        for sql in (
            f"select * from {table}",
            f"select count(*) from {table}",
            f"select {column} from {table}",
            f"copy {table} to stdout",
            f"insert into {table} default values",
            f"update {table} set {column} = {column}",
            f"delete from {table}",
            f"truncate {table}",
            f"begin; lock table {table} in access share mode",
            f"create index on {table} ({column})",
            f"alter table {table} enable row level security",
            f"create trigger t after insert on {table} execute function suppress_redundant_updates_trigger()",
        ):
            assert refused(bundle, sql) == PERMISSION_DENIED, sql
            bundle.run("rollback")


def test_each_right_of_the_bundle_is_on_this_list(owner: Connection) -> None:
    own = "delete insert select update"
    assert _rights(owner, "crm_hosting") == {
        "crm_hosting.customers": "select",
        "crm_hosting.tenant_customers": "select",
        "crm_hosting.accounts": "select",
        "crm_hosting.miners": "select",
        "crm_hosting.machine_days": "select",
        "crm_hosting.sources": "select",
        "crm_hosting.models": "select",
        "crm_hosting.market": "select",
        "crm_hosting.link_history": "select",
        "crm_hosting.runs": "insert select update",
        "crm_hosting.run_ranges": own,
        "crm_hosting.run_errors": own,
        "crm_hosting.findings": own,
        "crm_hosting.fleet_now": own,
        "crm_hosting.fleet_days": own,
        "crm_hosting.market_days": own,
        "crm_hosting.scope_days": own,
        "crm_hosting.attention": own,
        "crm_hosting.attention_messages": own,
    }
    assert _rights(owner, "crm_hosting_market") == {"crm_hosting.market": "select"}


def _rights(owner: Connection, role: str) -> dict[str, str]:
    """What the role may do with each table and view that is not PostgreSQL's own."""
    sql = """
        select c.oid::regclass::text, string_agg(lower(p), ' ' order by p)
        from pg_class c, unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) p
        where c.relkind in ('r', 'p', 'v', 'm', 'f') and has_table_privilege(:role, c.oid, p)
          and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
        group by 1"""
    return dict(owner.run(sql, role=role))


def test_what_runs_with_the_owners_rights_is_each_called_by_one_role(owner: Connection) -> None:
    callers = owner.run("""
        select f.proname, array_agg(r.rolname::text) from pg_proc f, pg_roles r
        where f.prosecdef and has_function_privilege(r.oid, f.oid, 'execute')
          and not r.rolsuper and r.oid <> f.proowner and f.pronamespace = 'crm_hosting'::regnamespace
        group by 1""")
    assert dict(callers) == {
        "enter": ["crm_hosting"],
        "scope_to": ["crm_hosting"],
        "next_customers": ["crm_hosting"],
        "next_found": ["crm_hosting"],
        "next_by_profit": ["crm_hosting"],
        "write_figures": ["crm_hosting"],
        "set_link": ["crm_hosting"],
        "forget_old_runs": ["crm_hosting"],
        "forget_surplus_runs": ["crm_hosting"],
        "record_snapshot": ["crm_hosting_market"],
    }
    assert (
        owner.run("""
        select proname from pg_proc
        where prosecdef and pronamespace = 'crm_hosting'::regnamespace
          and proconfig is distinct from '{"search_path=pg_catalog, pg_temp"}'""")
        == []
    )


def test_the_role_is_an_ordinary_one(owner: Connection) -> None:
    assert owner.run("""
        select rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolconnlimit,
               (select count(*) from pg_auth_members m where m.member = r.oid),
               has_schema_privilege(oid, 'crm_hosting', 'create'), has_schema_privilege(oid, 'public', 'create')
        from pg_roles r where rolname = 'crm_hosting'""") == [[False, False, False, False, False, 25, 0, False, False]]


def test_what_the_bundle_can_read_holds_no_address_nor_anything_else_that_it_has_no_business_with(
    bundle: Connection, owner: Connection, tenants: dict[str, int]
) -> None:
    owner.run("analyze")
    bundle.run("begin")
    bundle.run(SCOPE_TO, tenant_id=None)
    readable = bundle.run("""
        select c.relnamespace::regnamespace || '.' || c.relname from pg_class c
        where c.relkind in ('r', 'v') and has_table_privilege(c.oid, 'SELECT')
          and c.relnamespace <> 'information_schema'::regnamespace""")
    assert len(readable) > 50

    for (relation,) in readable:
        for (row,) in bundle.run(f"select t::text from {relation} t"):
            if any(word in row for word in ("HASH", "PHONE", "NOTES")):
                assert relation == "pg_catalog.pg_stat_activity"  # its own statement
            # The key that customers and accounts are matched by is an address, and needed.
            assert "@example.com" not in row or relation in {"crm_hosting.customers", "crm_hosting.accounts"}, relation


# ── One tenant's customers ───────────────────────────────────────────────────────────────────────────────────


def test_a_query_without_a_tenant_filter_returns_the_tenants_customers_only(
    bundle: Connection, tenants: dict[str, int]
) -> None:
    alices = tenants["alice_customer"]
    enter(bundle, tenants["alice"])

    assert visible(bundle) == {alices}
    assert visible(bundle, f"id = {tenants['bob_customer']} or true") == {alices}
    assert bundle.run("select count(*), max(id) from crm_hosting.customers") == [[1, alices]]
    assert bundle.run("select count(*) from crm_hosting.customers a, crm_hosting.customers b") == [[1]]
    [[plan]] = bundle.run("explain (analyze, timing off, format json) select * from crm_hosting.customers")
    assert plan[0]["Plan"]["Actual Rows"] == 1


def test_what_lists_the_customers_of_one_scope_lists_nothing_in_the_other(
    bundle: Connection, crm: Crm, tenants: dict[str, int]
) -> None:
    def listed() -> list[list[list[Any]]]:
        """As a tenant, the next with their ids, those found, and by profit, first, from a place, and found."""
        return [
            bundle.run("select id from crm_hosting.tenant_customers order by id"),
            bundle.run("select ids from crm_hosting.next_customers(-2147483648, 1000)"),
            bundle.run("select crm_hosting.next_found('customer', 0, 1000) order by 1"),
            bundle.run("select crm_hosting.next_by_profit(null, null, null, 1000) order by 1"),
            bundle.run("select crm_hosting.next_by_profit(null, null, 0, 1000) order by 1"),
            bundle.run("select crm_hosting.next_by_profit('customer', null, null, 1000) order by 1"),
            bundle.run("select crm_hosting.next_by_profit(null, null, null, 1000, 'unlikely_figure') order by 1"),
        ]

    alices, bobs, nobodys = (tenants[f"{name}_customer"] for name in ("alice", "bob", "nobodys"))
    crm.db.run("insert into crm_hosting.findings (customer_id, kind) select id, 'unlikely_figure' from crm_customers")
    for name, customer in (("alice", alices), ("bob", bobs)):
        enter(bundle, tenants[name])
        assert listed() == [[[customer]], [[[customer]]], [[customer]], [], [], [], []]
        bundle.run("rollback")
    assert listed() == [[], [[[]]], [], [], [], [], []]

    enter(bundle, crm.account(role="admin"))
    everybodys = [[alices], [bobs], [nobodys]]
    assert listed() == [[], [[None]], everybodys, everybodys, everybodys, everybodys, everybodys]
    bundle.run("rollback")
    lists = ["next_by_profit(null, null, null, 1000)", "next_customers(0, 1000)", "next_found('customer', 0, 1000)"]
    for scope in ("ALL", "all ", "1 or true", "%"):
        for listing, is_refused in zip(lists, (False, True, True), strict=True):
            bundle.run("begin")
            bundle.run("select set_config('crm_hosting.scope', :scope, true)", scope=scope)
            if is_refused:
                assert refused(bundle, f"select crm_hosting.{listing}") == "22P02"
            else:
                assert bundle.run(f"select crm_hosting.{listing}") == []
            bundle.run("rollback")


def test_nobodys_customers_are_seen_by_who_sees_all_alone(
    bundle: Connection, crm: Crm, tenants: dict[str, int]
) -> None:
    admin = crm.account(role="admin")
    enter(bundle, admin)

    assert visible(bundle) == {tenants["alice_customer"], tenants["bob_customer"], tenants["nobodys_customer"]}


def test_a_customer_is_written_within_the_scope_and_by_the_columns_of_the_sync(
    bundle: Connection, crm: Crm, tenants: dict[str, int]
) -> None:
    alices, bobs = tenants["alice_customer"], tenants["bob_customer"]
    before = {customer: crm.row(customer) for customer in (alices, bobs)}
    enter(bundle, tenants["alice"])

    assert write(bundle, bobs) == []
    assert write(bundle, tenants["nobodys_customer"]) == []
    assert write(bundle, alices) == [alices]

    bundle.run("commit")
    assert crm.row(bobs) == before[bobs]
    assert {name for name, value in crm.row(alices).items() if value != before[alices][name]} == WRITTEN_BY_THE_SYNC


def test_many_customers_are_written_by_whoever_has_the_lease_of_their_scope_alone(
    bundle: Connection, owner: Connection, tenants: dict[str, int]
) -> None:
    both = (tenants["alice_customer"], tenants["bob_customer"])
    [[alices_run]] = owner.run(
        "insert into crm_hosting.runs (origin, tenant_id) values ('request', :alice) returning id",
        alice=tenants["alice"],
    )
    [[everybodys_run]] = owner.run("insert into crm_hosting.runs (origin) values ('schedule') returning id")
    [[ended_run]] = owner.run("insert into crm_hosting.runs (origin, state) values ('schedule', 'failed') returning id")
    attempts: list[dict[str, int | None]] = [
        {"run": None, "token": None},
        {"run": alices_run, "token": 1},
        {"run": everybodys_run, "token": 2},
        {"run": everybodys_run, "token": None},
        {"run": ended_run, "token": 1},
        {"run": 10**9, "token": 1},
    ]
    for attempt in attempts:
        bundle.run("begin")
        bundle.run(SCOPE_TO, tenant_id=None)
        with pytest.raises(DatabaseError, match=PERMISSION_DENIED):
            write(bundle, *both, **attempt)
        bundle.run("rollback")
    bundle.run("begin")
    bundle.run(SCOPE_TO, tenant_id=None)
    assert write(bundle, *both, run=everybodys_run, token=1) == list(both)


def test_nothing_is_written_round_the_function(bundle: Connection, tenants: dict[str, int]) -> None:
    for sql in (
        "select crm_hosting.write_rows('all', '{1}', '{1}', '{1}', '{x}', '{1}', '{1}', '{1}')",
        "update crm_hosting.customers set miners_count = 1",
        "select id from crm_hosting.customers for update",
        "select id from crm_hosting.customers for no key update",
        "delete from crm_hosting.customers",
        "insert into crm_hosting.customers (miners_count) values (1)",
    ):
        enter(bundle, tenants["alice"])
        assert refused(bundle, sql) in {PERMISSION_DENIED, NOT_UPDATABLE}, sql
        bundle.run("rollback")


def test_a_leaky_function_in_a_condition_learns_nothing(bundle: Connection, tenants: dict[str, int]) -> None:
    bundle.run("""create function pg_temp.tell(anyelement) returns boolean language plpgsql cost 0.0000001
                  as $$ begin raise notice 'told %', $1; return true; end $$""")
    told = [f"told {tenants['alice_customer']}"]

    def notices(sql: str) -> list[str]:
        bundle.notices.clear()
        bundle.run(sql)
        return [notice[b"M"].decode() for notice in bundle.notices]

    enter(bundle, tenants["alice"])
    for view in CUSTOMER_VIEWS:
        assert notices(f"select from crm_hosting.{view} where pg_temp.tell(id)") == told
        assert notices(f"select from crm_hosting.{view} where pg_temp.tell(id) and id::text like '%'") == told
        assert notices(f"select from crm_hosting.{view} c join crm_hosting.customers d using (id) "
                       "where pg_temp.tell(c.id)") == told  # fmt: skip
        assert notices(f"select count(*) filter (where pg_temp.tell(id)) from crm_hosting.{view}") == told
        # An error is as good as a word: this one divides by zero at another's customer.
        bundle.run(f"select from crm_hosting.{view} where 1 / (id - {tenants['bob_customer']}) = 5")
    bundle.run("rollback")
    for view in SCOPED_VIEWS:
        assert notices(f"select from crm_hosting.{view} v where pg_temp.tell(v::text)") == []


def test_what_the_planner_knows_is_not_told(bundle: Connection, owner: Connection, tenants: dict[str, int]) -> None:
    owner.run("analyze")

    assert owner.run("select count(*) > 10 from pg_stats where tablename = 'crm_customers'") == [[True]]
    assert bundle.run("select count(*) from pg_stats where schemaname = 'public'") == [[0]]
    assert refused(bundle, "select * from pg_statistic") == PERMISSION_DENIED


# ── The scope of a transaction ───────────────────────────────────────────────────────────────────────────────


def test_a_transaction_without_a_scope_sees_nothing(bundle: Connection, tenants: dict[str, int]) -> None:
    for scope in (None, ""):
        bundle.run("begin")
        if scope is not None:
            bundle.run("select set_config('crm_hosting.scope', :scope, true)", scope=scope)
        for view in SCOPED_VIEWS:
            assert bundle.run(f"select * from crm_hosting.{view}") == [], view
        assert write(bundle, tenants["alice_customer"]) == []
        bundle.run("commit")


def test_a_scope_that_is_none_is_an_error_and_not_everything(bundle: Connection, tenants: dict[str, int]) -> None:
    for scope in ("ALL", "all ", "1 or true", "1,2", "%", "null"):
        for view in CUSTOMER_VIEWS:
            bundle.run("begin")
            bundle.run("select set_config('crm_hosting.scope', :scope, true)", scope=scope)
            assert refused(bundle, f"select * from crm_hosting.{view}") == "22P02", scope
            bundle.run("rollback")


def test_a_scope_ends_with_its_transaction(bundle: Connection, tenants: dict[str, int]) -> None:
    for end in ("commit", "rollback"):
        enter(bundle, tenants["alice"])
        assert visible(bundle) == {tenants["alice_customer"]}
        bundle.run(end)
        assert visible(bundle) == set()
    enter(bundle, tenants["alice"])
    assert refused(bundle, "select 1 / 0") == "22012"
    bundle.run("rollback")
    assert visible(bundle) == set()
    enter(bundle, tenants["bob"])
    assert visible(bundle) == {tenants["bob_customer"]}


def test_a_reused_connection_carries_no_scope_over(
    environment: pytest.MonkeyPatch, crm: Crm, tenants: dict[str, int]
) -> None:
    admin = crm.account(role="owner")
    database = Database()

    def seen(transaction: Any) -> set[int]:
        return {row[0] for row in transaction.rows("select id from crm_hosting.customers")}

    with pytest.raises(QueryFailed), database.transaction() as transaction:  # noqa: PT012 (it fails at its end)
        verify_resource_access(transaction, admin, Permission.VIEW)()
        assert len(seen(transaction)) == 3
        transaction.rows("select 1 / 0")
    with database.transaction() as transaction:
        assert seen(transaction) == set()
    with pytest.raises(NotAuthenticated), database.transaction() as transaction:
        verify_resource_access(transaction, 2**31 - 1, Permission.VIEW)()
    with database.transaction() as transaction:
        verify_resource_access(transaction, tenants["bob"], Permission.VIEW)()
        assert seen(transaction) == {tenants["bob_customer"]}
    database.close()


@pytest.mark.parametrize(
    "columns", [{"is_active": False}, {"expires_at": "2020-01-01"}, {"expires_at": "-infinity"}], ids=str
)
def test_an_account_without_access_gets_no_scope(
    bundle: Connection, crm: Crm, tenants: dict[str, int], columns: dict[str, Any]
) -> None:
    gone = crm.account(role="admin", **columns)
    crm.customer(owner=gone)

    state, _, decision = enter(bundle, gone, tenants["alice_customer"])

    assert state in {"inactive", "expired"}
    assert decision == "own"  # which nobody asks for: the state comes first
    assert visible(bundle) == set()


def test_a_shadow_in_the_temporary_schema_deceives_no_function(bundle: Connection, tenants: dict[str, int]) -> None:
    alice, bobs = tenants["alice"], tenants["bob_customer"]
    bundle.run(f"create temp table user_access as select {alice} as id, 'owner' as role, true as is_active, "
               "null::timestamp as expires_at, 'x' as email, null::integer as created_by_id")  # fmt: skip
    bundle.run(f"create temp table crm_customers as select {bobs} as id, {alice} as created_by_id")
    bundle.run("create function pg_temp.current_setting(text, boolean) returns text return 'all'")
    bundle.run("set search_path = pg_temp, pg_catalog, public")

    assert enter(bundle, alice, bobs) == ["active", "mining_site_owner", "other"]
    assert visible(bundle) == {tenants["alice_customer"]}


def test_the_scope_is_set_for_the_bundle_alone(postgres: Server, database_name: str, owner: Connection) -> None:
    with connect(postgres.url("postgres", "postgres")) as admin:
        admin.run("drop role if exists bystander")
        admin.run("create role bystander login")
    with connect(postgres.url(database_name, "bystander")) as bystander:
        for sql in (
            "select crm_hosting.enter(1, 1, '{}')",
            "select crm_hosting.scope_to(null)",
            "select * from crm_hosting.customers",
            "select * from crm_hosting.runs",
        ):
            assert refused(bystander, sql) == PERMISSION_DENIED


def test_the_crm_sees_no_difference(owner: Connection, tenants: dict[str, int]) -> None:
    owner.run("begin")
    owner.run("select crm_hosting.scope_to(:tenant)", tenant=tenants["alice"])

    assert owner.run("select count(*) from crm_customers") == [[3]]
    assert owner.run("select count(*) from pg_class where relrowsecurity or relforcerowsecurity") == [[0]]
    assert owner.run("select count(*) from pg_trigger where not tgisinternal") == [[0]]
