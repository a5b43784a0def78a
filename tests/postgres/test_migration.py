"""The migration on real databases: empty, in use, half done; and everything taken away again."""

import gc
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
import pytest
from pg8000.native import Connection

import migrate as migrate_function
from crm_services.base.errors import MigrationRefused, QueryFailed
from crm_services.postgres import migration
from crm_services.postgres.connecting import session
from crm_services.postgres.migration import MigrationUnderWay, migrate, unmigrate
from crm_services.postgres.roles import MARKET_ROLE, ROLE, Login
from crm_services.postgres.target import DatabaseTarget, database_target, parse_database_url
from local.lambda_context import LambdaContext
from local.postgres import Server, connect, create_database, server
from local.servers import PROGRAMS
from tests.support.bare import bare_database

CRM_TABLES = ("crm_customers", "user_access", "user_miners", "miner_models", "network_snapshots")
PATIENCE_SECONDS = 20


@pytest.fixture(scope="module")
def strict() -> Iterator[tuple[Server, Path]]:
    """A server of its own that asks the bundle's role for its password and logs every statement; and its log."""
    with TemporaryDirectory() as folder, server(folder, {"fsync": "off", "log_statement": "all"}) as running:
        data = Path(folder) / "data"
        rules = data / "pg_hba.conf"
        rules.write_text("local all crm_hosting scram-sha-256\n" + rules.read_text())
        with connect(running.url("postgres", "postgres")) as admin:
            admin.run("select pg_reload_conf()")
        yield running, data / "server.log"


# ── What it reports ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_migration_reports_what_it_created_and_the_second_one_nothing(bare: DatabaseTarget) -> None:
    changes = migrate(bare)

    assert {
        "created schema crm_hosting",
        "created table crm_hosting.runs",
        "created view crm_hosting.customers",
    } <= set(changes)
    assert "created column crm_customers.hosting_synced_at" in changes
    assert "created index crm_hosting_account_email_key" in changes
    assert migrate(bare) == []


def test_a_migration_repairs_what_has_drifted_and_reports_it(bare: DatabaseTarget, bare_url: str) -> None:
    migrate(bare)
    with connect(bare_url) as owner:
        owner.run("revoke select on crm_hosting.market from crm_hosting")
        owner.run("alter table crm_customers drop column hosting_synced_at cascade")

    changes = migrate(bare)

    assert {"created column crm_customers.hosting_synced_at", "changed view crm_hosting.market"} <= set(changes)
    assert migrate(bare) == []


def test_without_the_crm_s_tables_it_fails_and_leaves_nothing_behind(postgres: Server) -> None:
    create_database(postgres, "no_crm")
    try:
        with pytest.raises(MigrationRefused, match="There is no table of the CRM's"):
            migrate(parse_database_url(postgres.url("no_crm")))

        with connect(postgres.url("no_crm")) as owner:
            assert owner.run("select to_regnamespace('crm_hosting')") == [[None]]
    finally:
        with connect(postgres.url("postgres", "postgres")) as admin:
            admin.run("drop database no_crm with (force)")


def test_of_two_migrations_at_once_the_second_gives_up(bare: DatabaseTarget) -> None:
    with migration._alone(bare), pytest.raises(MigrationUnderWay):
        migrate(bare)


# ── While the CRM works ──────────────────────────────────────────────────────────────────────────────────────


def test_only_tables_that_get_columns_are_locked_against_the_crm_and_that_only_once(bare: DatabaseTarget) -> None:
    first = _locks_of_the_schema(bare)
    migrate(bare)
    second = _locks_of_the_schema(bare)

    get_columns = {"crm_customers"}
    everyday_locks = {"AccessShareLock", "RowShareLock", "RowExclusiveLock"}  # of reading and writing: they bar neither
    assert all("AccessExclusiveLock" in first[table] for table in get_columns)
    assert set().union(*(first[table] for table in CRM_TABLES if table not in get_columns)) <= everyday_locks
    assert set().union(*(second[table] for table in CRM_TABLES)) <= everyday_locks


def test_a_migration_gives_way_to_a_writer_and_comes_back(
    bare: DatabaseTarget, bare_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "LOCK_TIMEOUT", "200ms")
    monkeypatch.setattr(migration, "PAUSE_SECONDS", 0.2)
    with connect(bare_url) as writer, connect(bare_url) as other:
        writer.run("begin")
        _insert_customer(writer)
        with _in_background(migrate, bare) as result:
            # It waits for the table, and somebody queues behind it …
            _wait_for(lambda: _waiting_for(other, "crm_customers") == ["AccessExclusiveLock"])
            _insert_customer(other)  # … but not for longer than the lock's time-out
            assert not result
            writer.run("commit")
        assert "created column crm_customers.hosting_synced_at" in result[0]
        assert other.run("select count(*) from crm_customers") == [[2]]


def test_a_migration_that_never_gets_its_lock_fails_and_leaves_nothing_behind(
    bare: DatabaseTarget, bare_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(migration, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(migration, "ATTEMPTS", 3)
    with connect(bare_url) as writer:
        writer.run("begin")
        _insert_customer(writer)
        with pytest.raises(MigrationRefused, match="The CRM held a lock"):
            migrate(bare)
        writer.run("commit")

        assert writer.run("select to_regnamespace('crm_hosting')") == [[None]]


def test_a_second_migration_does_not_wait_for_a_writer(bare: DatabaseTarget, bare_url: str) -> None:
    migrate(bare)
    with connect(bare_url) as writer:
        writer.run("begin")
        _insert_customer(writer)

        assert migrate(bare) == []

        writer.run("commit")


def test_an_index_is_made_without_barring_writers(bare: DatabaseTarget, bare_url: str) -> None:
    migrate(bare)
    with connect(bare_url) as writer, connect(bare_url) as other:
        other.run("drop index crm_hosting_customer_owner")
        writer.run("begin")
        _insert_customer(writer)
        with _in_background(migrate, bare) as result:
            # It waits for the transaction that began before it, with a lock that no reader or writer minds.
            _wait_for(lambda: _is_building(other, "crm_hosting_customer_owner"))
            assert _locks(other, "crm_customers") == {"ShareUpdateExclusiveLock"}
            _insert_customer(other)
            assert not result
            writer.run("commit")
        assert result[0] == ["created index crm_hosting_customer_owner"]


def test_an_index_that_was_left_unfinished_is_made_anew(bare: DatabaseTarget, bare_url: str) -> None:
    migrate(bare)
    with connect(bare_url) as writer, connect(bare_url) as other:
        other.run("drop index crm_hosting_customer_owner")
        writer.run("begin")
        _insert_customer(writer)
        with _in_background(migrate, bare) as result:
            _wait_for(lambda: _is_building(other, "crm_hosting_customer_owner"))
            [[pid]] = other.run("select pid from pg_stat_progress_create_index where datname = current_database()")
            other.run("select pg_terminate_backend(:pid)", pid=pid)
        writer.run("commit")
        assert "ended amid the migration (57P01)" in str(result[0])
        assert _is_valid(other, "crm_hosting_customer_owner") == [[False]]

        assert migrate(bare) == [
            "dropped index crm_hosting_customer_owner, which was left unfinished",
            "created index crm_hosting_customer_owner",
        ]
        assert _is_valid(other, "crm_hosting_customer_owner") == [[True]]


# ── The role ─────────────────────────────────────────────────────────────────────────────────────────────────


# The driver leaves the file of a connection that was refused to the garbage collector, which finds it closed.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning")
def test_the_role_gets_its_password_from_the_secret_and_no_log_sees_it(strict: tuple[Server, Path]) -> None:
    postgres, log = strict
    with bare_database(postgres) as url:
        owner = parse_database_url(url)

        first = migrate(owner, Login(password="péage-and-hashrate"))
        again = migrate(owner, Login(password="péage-and-hashrate"))
        rotated = migrate(owner, Login(password="a-new-one", connection_limit=30))

        assert {"created role crm_hosting", "set the password of role crm_hosting"} <= set(first)
        assert again == []
        assert rotated == ["let role crm_hosting open 30 connections", "set the password of role crm_hosting"]
        login = url.replace("crm@", "crm_hosting:a-new-one@")
        with session(parse_database_url(login)) as run:
            assert run("select current_user, current_setting('statement_timeout')") == [["crm_hosting", "10s"]]
        with pytest.raises(QueryFailed):
            migration.is_migrated(parse_database_url(login.replace("a-new-one", "péage-and-hashrate")))
        statements = log.read_text()
        assert 'alter role "crm_hosting" password \'SCRAM-SHA-256$' in statements
        assert "hashrate" not in statements.partition("alter role crm_hosting password")[2].partition("\n")[0]
        assert "a-new-one" not in statements
    gc.collect()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning")
def test_the_function_takes_the_owner_and_the_role_s_password_from_secrets(
    strict: tuple[Server, Path], aws: pytest.MonkeyPatch
) -> None:
    postgres, _ = strict
    aws.delenv("DATABASE_URL")
    with bare_database(postgres) as url:
        owner = parse_database_url(url)
        aws.setenv("DATABASE_HOST", owner.host)
        aws.setenv("DATABASE_NAME", owner.database)
        aws.setenv("CONNECTION_LIMIT", "25")
        for setting, user in (("MIGRATION_SECRET_ARN", "crm"), ("DATABASE_SECRET_ARN", "crm_hosting")):
            secret = json.dumps({"username": user, "password": f"of {user}"})
            created = boto3.client("secretsmanager").create_secret(Name=setting, SecretString=secret)
            aws.setenv(setting, created["ARN"])

        first = migrate_function.handler({}, LambdaContext("MigrateFunction"))
        second = migrate_function.handler({}, LambdaContext("MigrateFunction"))

        assert "created table crm_hosting.runs" in first["changes"]
        assert "let role crm_hosting open 25 connections" in first["changes"]
        assert second == {"changes": []}
        assert migration.is_migrated(database_target())
        aws.setenv("DATABASE_SECRET_ARN", os.environ["MIGRATION_SECRET_ARN"])
        with pytest.raises(MigrationRefused, match="crm, which owns"):
            migrate_function.handler({}, LambdaContext("MigrateFunction"))
    gc.collect()


def test_unmigrate_takes_everything_away_again(strict: tuple[Server, Path]) -> None:
    postgres, _ = strict
    with bare_database(postgres) as url:
        owner = parse_database_url(url)
        unmigrate(owner)  # what another test left of the role
        before = _dump(url)
        roles = _roles(postgres)

        migrate(owner, Login(password="secret"))
        assert _dump(url) != before
        changes = unmigrate(owner)

        assert _dump(url) == before
        assert _roles(postgres) == roles
        assert {"dropped schema crm_hosting", "dropped role crm_hosting"} <= set(changes)
        assert unmigrate(owner) == []


def test_unmigrate_keeps_a_role_that_another_database_needs(bare: DatabaseTarget) -> None:
    migrate(bare)  # the tests' template has the role's rights too

    assert unmigrate(bare)[-2:] == [
        f"kept role {role}, to which another database of this server grants rights" for role in (ROLE, MARKET_ROLE)
    ]


# ── Helpers ──────────────────────────────────────────────────────────────────────────────────────────────────


def _insert_customer(connection: Connection) -> None:
    connection.run("insert into crm_customers (name) values ('Aurora Mining')")


def _locks_of_the_schema(owner: DatabaseTarget) -> dict[str, set[str]]:
    """The locks on the CRM's tables that a transaction holds which applied the schema, and is then undone."""
    with session(owner) as run:
        run("begin")
        run(migration.schema("user_miners", "UTC", ROLE, MARKET_ROLE))
        held = run(
            "select relation::regclass::text, mode from pg_locks where locktype = 'relation' and pid = pg_backend_pid()"
        )
        run("rollback")
    return {table: {mode for name, mode in held if name == table} for table in CRM_TABLES}


def _waiting_for(connection: Connection, table: str) -> list[str]:
    rows = connection.run("select mode from pg_locks where relation = to_regclass(:table) and not granted", table=table)
    return [mode for (mode,) in rows]


def _locks(connection: Connection, table: str) -> set[str]:
    """The modes in which the session that makes an index has locked the table."""
    rows = connection.run(
        "select mode from pg_locks where relation = to_regclass(:table) and pid in"
        " (select pid from pg_stat_progress_create_index where datname = current_database())",
        table=table,
    )
    return {mode for (mode,) in rows}


def _is_building(connection: Connection, index: str) -> bool:
    rows = connection.run(
        "select 1 from pg_stat_progress_create_index where index_relid = to_regclass(:index) and phase like 'waiting%'",
        index=index,
    )
    return bool(rows)


def _is_valid(connection: Connection, index: str) -> Any:
    return connection.run("select indisvalid from pg_index where indexrelid = to_regclass(:index)", index=index)


@contextmanager
def _in_background(work: Callable[[DatabaseTarget], list[str]], target: DatabaseTarget) -> Iterator[list[Any]]:
    """Do the work in a thread until the block ends; its result, or what it raised, is then in the list."""
    result: list[Any] = []

    def run() -> None:
        try:
            result.append(work(target))
        except Exception as error:
            result.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield result
    finally:
        thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _dump(url: str) -> str:
    dumped = subprocess.run(
        [PROGRAMS / "pg_dump", "--schema-only", "--restrict-key=same", url], capture_output=True, text=True, check=True
    )
    return dumped.stdout


def _roles(postgres: Server) -> list[Any]:
    with connect(postgres.url("postgres", "postgres")) as admin:
        rows: list[Any] = admin.run("select rolname, rolconnlimit, rolconfig from pg_roles order by 1")
        return rows
