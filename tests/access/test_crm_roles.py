"""What the bundle adds stands in the way of none of the CRM's roles: they write, dump and restore as before."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import pytest
from pg8000.exceptions import DatabaseError
from pg8000.native import Connection

from crm_services.base.errors import MigrationRefused
from crm_services.fleet.stats import STATS
from crm_services.postgres.migration import migrate
from crm_services.postgres.target import parse_database_url
from crm_services.sync.ranges import SYNC
from local.crm import TABLES
from local.postgres import Server, connect, create_database
from local.servers import PROGRAMS
from tests.support.crm import Crm

_numbers = count(1)


class CrmDatabase:
    """A database with the CRM's tables and no bundle as yet, and the CRM's other roles."""

    def __init__(self, postgres: Server, name: str) -> None:
        self.postgres = postgres
        self.name = name

    def url(self, user: str = "crm") -> str:
        return self.postgres.url(self.name, user)

    def migrate(self) -> None:
        migrate(parse_database_url(self.url()))

    @contextmanager
    def login(self, user: str = "crm") -> Iterator[Connection]:
        with connect(self.url(user)) as connection:
            yield connection

    def dump(self, user: str = "crm", *options: str) -> str:
        """What pg_dump writes as that role, less the token that differs each time."""
        command = [str(PROGRAMS / "pg_dump"), *options, self.url(user)]
        dumped = subprocess.run(command, capture_output=True, text=True, check=False)
        assert dumped.returncode == 0, dumped.stderr
        return "".join(line for line in dumped.stdout.splitlines(True) if "restrict " not in line)


@pytest.fixture
def database(postgres: Server) -> Iterator[CrmDatabase]:
    name = f"crm_roles_{next(_numbers)}"
    create_database(postgres, name)
    with connect(postgres.url(name, "postgres")) as admin:
        for role in ("crm_app", "crm_backup", "reporting", "crm_stranger"):
            if not admin.run("select from pg_roles where rolname = :role", role=role):
                admin.run(f"create role {role} login")
        admin.run("create role dumpers")
        admin.run("grant dumpers to crm_backup")
    with connect(postgres.url(name)) as owner:
        # A careful DBA's database: no function is everybody's.
        owner.run("alter default privileges revoke execute on functions from public")
        owner.run(TABLES.read_text())
        owner.run("grant select, insert, update on all tables in schema public to crm_app")
        owner.run("grant select, usage on all sequences in schema public to crm_app")
        owner.run("grant select on all tables in schema public to dumpers")
        owner.run("grant select on all sequences in schema public to dumpers")
        owner.run("grant select (id, name) on crm_customers to reporting")
        crm = Crm(owner)
        crm.snapshot()
        crm.linked_customer(crm.account("Ä@Example.com", role="owner"))
        crm.customer("\u3000trimmed@example.com\t")
    yield CrmDatabase(postgres, name)
    with connect(postgres.url("postgres", "postgres")) as admin:
        admin.run(f"drop database {name} with (force)")
        admin.run("drop role dumpers")


def test_a_dump_by_the_owner_is_what_it_was_and_the_bundles_additions(database: CrmDatabase) -> None:
    schema, data = database.dump("crm", "--schema-only"), database.dump("crm", "--data-only", "--schema=public")
    database.migrate()
    new_schema, new_data = database.dump("crm", "--schema-only"), database.dump("crm", "--data-only", "--schema=public")

    lines = [line.rstrip(",") for line in schema.splitlines()]
    new_lines = [line.rstrip(",") for line in new_schema.splitlines()]
    assert set(lines) - set(new_lines) == set()
    assert {line.split()[0] for line in _table(new_schema)} - {line.split()[0] for line in _table(schema)} == {
        "hosting_estimated_daily_btc",
        "hosting_estimated_daily_usd",
        "hosting_net_profit_daily",
        "hosting_synced_at",
    }
    empty = 4 * "\t\\N"
    assert len(_rows(data, "crm_customers")) == 2
    assert [row + empty for row in _rows(data, "crm_customers")] == _rows(new_data, "crm_customers")
    for table in ("network_snapshots", "user_access", "user_miners", "miner_models"):
        assert _rows(data, table) == _rows(new_data, table) != []


def _table(schema: str) -> list[str]:
    """The lines of the customers' table in a dump."""
    return schema.partition("CREATE TABLE public.crm_customers (\n")[2].partition("\n);")[0].splitlines()


def _rows(data: str, table: str) -> list[str]:
    """The rows of a table in a dump."""
    return data.partition(f"COPY public.{table} ")[2].partition("FROM stdin;\n")[2].partition("\n\\.")[0].splitlines()


@pytest.mark.parametrize("role", ["crm_app", "crm_backup"])
def test_a_role_that_owns_nothing_dumps_the_whole_database_as_before(database: CrmDatabase, role: str) -> None:
    before = _rows(database.dump(role), "crm_customers")
    database.migrate()
    with database.login() as owner:
        owner.run("insert into crm_hosting.runs (origin, state) values ('schedule', 'completed')")

    dump = database.dump(role)

    assert [row.split("\t")[:3] for row in _rows(dump, "crm_customers")] == [row.split("\t")[:3] for row in before]
    assert "COPY crm_hosting.runs " in dump
    assert dump == database.dump("crm")


def test_the_right_to_dump_goes_to_who_reads_the_customers_and_no_further(database: CrmDatabase) -> None:
    database.migrate()

    for role in ("reporting", "crm_stranger"):
        with database.login(role) as connection, pytest.raises(DatabaseError, match="42501"):
            connection.run("select * from crm_hosting.runs")
    for role in ("crm_app", "crm_backup"):
        with database.login(role) as connection:
            assert connection.run("select * from crm_hosting.runs") == []
            for sql in ("delete from crm_hosting.runs", "select crm_hosting.scope_to(null)"):
                with pytest.raises(DatabaseError, match="42501"):
                    connection.run(sql)


def test_a_dump_restores_into_a_database_in_which_the_bundle_works(database: CrmDatabase, postgres: Server) -> None:
    database.migrate()
    restored = CrmDatabase(postgres, f"{database.name}_restored")
    create_database(postgres, restored.name)
    try:
        with restored.login() as owner:
            owner.run("".join(line for line in _statements(database.dump("crm", "--inserts"))))
        assert restored.dump("crm", "--inserts") == database.dump("crm", "--inserts")
        restored.migrate()
        with restored.login("crm_hosting") as bundle:
            bundle.run("begin")
            bundle.run("select crm_hosting.scope_to(null)")
            assert bundle.run("select count(*) from crm_hosting.customers") == [[2]]
    finally:
        with connect(postgres.url("postgres", "postgres")) as admin:
            admin.run(f"drop database {restored.name} with (force)")


def _statements(dump: str) -> list[str]:
    # The newest pg_dump sets what an older server does not know; psql would report that and go on.
    return [line for line in dump.splitlines(True) if not line.startswith(("\\", "SET transaction_timeout"))]


def test_a_role_that_owns_nothing_writes_as_before(database: CrmDatabase) -> None:
    database.migrate()

    with database.login("crm_app") as app:
        app.run("insert into user_access (name, email) values ('a', ' New@Example.com ')")
        app.run("update user_access set email = 'Changed@Example.com' where name = 'a'")
        app.run("insert into crm_customers (name, email) values ('c', 'changed@example.com')")
        app.run("update crm_customers set email = ' CHANGED@example.com', created_by_id = 1 where name = 'c'")
        assert app.run("select count(*) from crm_customers") == [[3]]
    with database.login("crm_hosting") as bundle:
        bundle.run("begin")
        bundle.run("select crm_hosting.scope_to(null)")
        assert bundle.run("select count(*) from crm_hosting.customers join crm_hosting.accounts using (email_key) "
                          "where email_key = 'changed@example.com'") == [[1]]  # fmt: skip


def test_the_bundle_works_where_no_function_is_everybodys(database: CrmDatabase) -> None:
    database.migrate()

    with database.login("crm_hosting") as bundle:
        bundle.run("begin")
        bundle.run("select crm_hosting.scope_to(null)")
        for statement, parameters in (
            (STATS, {"customer_id": 1}),
            (SYNC, {"after": 0, "upto": 9, "only": None, "run_id": None, "token": None, "time_zone": "UTC"}),
        ):
            assert len(bundle.run(statement, link_any=True, **parameters)) == 1
        bundle.run("rollback")
    with database.login("crm_hosting_market") as market:
        assert len(market.run("select * from crm_hosting.market")) == 1


@pytest.mark.parametrize("grantee", ["public", "crm_hosting"])
@pytest.mark.parametrize("right", ["select on crm_customers", "select (password_hash) on user_access"])
def test_a_database_that_lets_the_bundle_round_its_views_is_not_migrated(
    database: CrmDatabase, right: str, grantee: str
) -> None:
    database.migrate()
    with database.login() as owner:
        owner.run(f"grant {right} to {grantee}")

    with pytest.raises(MigrationRefused, match=rf"public\.{right.rpartition(' ')[2]} may be read .* by {grantee}, "):
        database.migrate()

    with database.login() as owner:
        owner.run(f"revoke {right} from {grantee}")
    database.migrate()
