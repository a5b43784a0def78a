"""Nobody waits for a database that says nothing, and what passes by itself is tried again, or is a 503."""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from pg8000.native import Connection as Plain

from crm_services.http.api import logger
from crm_services.postgres import connecting
from crm_services.postgres.database import database
from local.postgres import Server, connect
from tests.support.client import Client, data
from tests.support.crm import Crm
from tests.support.relay import Relay, relay

# The function ends at 29 seconds, and nobody would be told anything.
FUNCTION_SECONDS = 29.0
assert 2 * connecting.CONNECT_SECONDS < FUNCTION_SECONDS / 2  # what a request takes that tries twice
GET = "/crm/api/customer/{}/hosting-stats"
POST = "/crm/api/customer/{}/sync-hosting"


@pytest.fixture
def between(tmp_path: Path, postgres: Server, environment: pytest.MonkeyPatch, database_name: str) -> Iterator[Relay]:
    """A network before the server, which can be broken."""
    with relay(tmp_path, postgres) as network:
        environment.setenv("DATABASE_URL", network.server.url(database_name, "crm_hosting"))
        yield network
        database.close()


# ── Silence ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.any_version
@pytest.mark.parametrize("is_connected", [True, False])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_database_that_says_nothing_is_unavailable_long_before_the_function_ends(
    client: Client, crm: Crm, between: Relay, method: str, is_connected: bool
) -> None:
    admin, path = crm.account(role="admin"), (GET if method == "GET" else POST).format(crm.linked_customer())
    right = client.ask(method, path, admin)
    if not is_connected:
        database.close()
    between.become("swallow")
    started = time.monotonic()

    answer = client.ask(method, path, admin)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert time.monotonic() - started < FUNCTION_SECONDS / 2
    between.cut()
    between.become("open")
    assert client.ask(method, path, admin).data == right.data


@contextmanager
def silent_from(step: str) -> Iterator[int]:
    """A port where nobody says anything from that step on."""
    connections = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    connections.append(connection)
                    if step != "the request for TLS":
                        connection.recv(8)
                        connection.sendall(b"S" if step == "TLS" else b"N")
                    if step == "a login that trickles":
                        threading.Thread(target=trickle, args=(connection,)).start()

        def trickle(connection: socket.socket) -> None:
            with suppress(OSError):
                connection.recv(1000)
                for byte in b"R" + (8).to_bytes(4) + (0).to_bytes(4) + b"S" * 100:
                    connection.sendall(bytes([byte]))
                    time.sleep(0.5)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in connections:
            connection.close()


@pytest.mark.any_version
@pytest.mark.parametrize("step", ["the request for TLS", "TLS", "the login", "a login that trickles"])
def test_each_step_of_a_connection_has_a_limit_and_is_named(
    client: Client, crm: Crm, environment: pytest.MonkeyPatch, step: str
) -> None:
    admin = crm.account(role="admin")
    mode = "prefer" if "login" in step else "verify-full"
    environment.setattr(connecting, "CONNECT_SECONDS", 1.0)
    with silent_from(step) as port:
        environment.setenv("DATABASE_URL", f"postgresql://crm@127.0.0.1:{port}/crm?sslmode={mode}")
        started = time.monotonic()

        answer = client.get("/crm/api/sync-status", admin)

        assert answer.status_code == 503
        assert time.monotonic() - started < FUNCTION_SECONDS / 2
        assert logger.get_current_keys()["reason"] == f"{'login' if 'login' in step else 'TLS'}: no answer in time"


@pytest.mark.any_version
def test_a_name_server_that_says_nothing_is_not_waited_for(
    client: Client, crm: Crm, environment: pytest.MonkeyPatch
) -> None:
    admin, test_ends = crm.account(role="admin"), threading.Event()
    environment.setattr(connecting, "CONNECT_SECONDS", 1.0)
    environment.setattr(socket, "getaddrinfo", lambda *_, **__: test_ends.wait(2 * FUNCTION_SECONDS))
    environment.setenv("DATABASE_URL", "postgresql://crm@db.example.com/crm?sslmode=disable")
    started = time.monotonic()

    answer = client.get("/crm/api/sync-status", admin)

    test_ends.set()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert time.monotonic() - started < FUNCTION_SECONDS / 2
    assert logger.get_current_keys()["reason"] == "look-up: no answer in time"


@contextmanager
def deaf() -> Iterator[tuple[str, int]]:
    """An address where nobody takes a call: as many wait already as may."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as waiting:
        for _ in range(2):
            caller = waiting.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield listener.getsockname()


@pytest.mark.any_version
def test_of_several_addresses_one_that_is_silent_leaves_time_for_the_next(
    client: Client, crm: Crm, environment: pytest.MonkeyPatch
) -> None:
    admin = crm.account(role="admin")
    environment.setattr(connecting, "CONNECT_SECONDS", 1.0)
    with deaf() as nobody, silent_from("the request for TLS") as port:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in (nobody, ("127.0.0.1", port))]
        environment.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        environment.setenv("DATABASE_URL", "postgresql://crm@db.example.com/crm?sslmode=verify-full")

        assert client.get("/crm/api/sync-status", admin).status_code == 503

    assert logger.get_current_keys()["reason"] == "TLS: no answer in time"  # the second one's


@pytest.mark.any_version
@pytest.mark.parametrize("host", ["db.example.invalid", f"{'x' * 70}.example.com"])
def test_a_name_that_leads_nowhere_is_said_to(
    client: Client, crm: Crm, environment: pytest.MonkeyPatch, host: str
) -> None:
    admin = crm.account(role="admin")
    environment.setenv("DATABASE_URL", f"postgresql://crm@{host}/crm?sslmode=disable")

    assert client.get("/crm/api/sync-status", admin).status_code == 503
    assert logger.get_current_keys()["reason"].startswith("look-up: ")


# ── What passes by itself ────────────────────────────────────────────────────────────────────────────────────

# A trigger of the CRM's, or whatever else: it fails so many times, and no more.
FAILING = """
create sequence attempts; grant usage on sequence attempts to public;
create function fail() returns trigger language plpgsql security definer as $$
begin
  if nextval('public.attempts') <= {times} then raise exception 'x' using errcode = '{sqlstate}'; end if;
  return new;
end $$;
create trigger fail before update on crm_customers for each row execute function fail();
"""
PASSING = ["40001", "40P01", "57014", "55P03", "25006", "57P01", "57P03", "53200", "53300", "08006"]


@pytest.mark.parametrize("sqlstate", PASSING)
def test_what_passes_by_itself_is_tried_again(client: Client, crm: Crm, owner: Plain, sqlstate: str) -> None:
    admin, customer = crm.account(role="admin"), crm.linked_customer()
    owner.run(FAILING.format(times=1, sqlstate=sqlstate))

    answer = client.post(POST.format(customer), admin)

    assert (answer.status_code, crm.row(customer)["miners_count"]) == (200, 1)


@pytest.mark.parametrize("sqlstate", PASSING)
def test_and_what_does_not_is_a_503_that_says_when_to_come_again(
    client: Client, crm: Crm, owner: Plain, sqlstate: str
) -> None:
    admin, customer = crm.account(role="admin"), crm.linked_customer()
    owner.run(FAILING.format(times=1_000_000, sqlstate=sqlstate))

    answer = client.post(POST.format(customer), admin)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert logger.get_current_keys()["reason"] == sqlstate
    assert owner.run("select last_value from attempts") == [[2]]


def test_what_is_somebodys_fault_is_not_tried_again(client: Client, crm: Crm, owner: Plain) -> None:
    admin, customer = crm.account(role="admin"), crm.linked_customer()
    owner.run(FAILING.format(times=1_000_000, sqlstate="P0001"))

    assert client.post(POST.format(customer), admin).status_code == 409
    assert owner.run("select last_value from attempts") == [[1]]


def test_a_record_that_somebody_edits_stays_a_conflict(
    client: Client, crm: Crm, postgres: Server, database_name: str
) -> None:
    admin, customer = crm.account(role="admin"), crm.linked_customer()
    with connect(postgres.url(database_name, "crm")) as editor:
        editor.run("begin")
        editor.run("select from crm_customers for update")

        assert client.post(POST.format(customer), admin).status_code == 409


def test_a_statement_behind_somebodys_lock_is_a_503_in_time(
    client: Client, crm: Crm, postgres: Server, database_name: str
) -> None:
    admin, path = crm.account(role="admin"), GET.format(crm.linked_customer())
    assert client.get(path, admin).status_code == 200
    with connect(postgres.url(database_name, "crm")) as migrating:
        migrating.run("begin")
        migrating.run("lock table user_miners in access exclusive mode")
        started = time.monotonic()

        answer = client.get(path, admin)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert time.monotonic() - started < FUNCTION_SECONDS
    assert logger.get_current_keys()["tried_again"] == "57014"
    assert client.get(path, admin).status_code == 200


def test_a_writer_that_comes_back_is_written_to_at_once(client: Client, crm: Crm, owner: Plain) -> None:
    admin, customer = crm.account(role="admin"), crm.linked_customer()
    # A demoted writer refuses what says that it will write; a setting is as near to one as a test comes.
    owner.run("create function demoted() returns trigger language plpgsql as $$ begin"
              " raise exception 'read only' using errcode = '25006'; end $$")  # fmt: skip
    owner.run("create trigger demoted before update on crm_customers for each row execute function demoted()")
    assert client.post(POST.format(customer), admin).status_code == 503

    owner.run("drop trigger demoted on crm_customers")

    assert client.post(POST.format(customer), admin).status_code == 200


def test_an_idle_connection_that_the_server_has_ended_is_replaced_without_a_word(
    client: Client, crm: Crm, owner: Plain, postgres: Server, database_name: str
) -> None:
    with connect(postgres.url("postgres", "postgres")) as admin:
        admin.run(f"alter role crm_hosting in database {database_name} set idle_session_timeout = '100ms'")
    user, path = crm.account(role="admin"), GET.format(crm.linked_customer())
    others = "select count(*) from pg_stat_activity where datname = current_database() and usename = 'crm_hosting'"

    for _ in range(3):
        assert data(client.get(path, user))["has_hosting"]
        while owner.run(others) != [[0]]:
            time.sleep(0.02)


def test_the_answer_to_a_commit_that_was_lost_is_not_asked_for_again(
    client: Client, crm: Crm, owner: Plain, postgres: Server, database_name: str
) -> None:
    """A deferred trigger ends the connection within the commit: nobody knows what became of it."""
    admin, customer = crm.account(role="admin"), crm.linked_customer()
    with connect(postgres.url(database_name, "postgres")) as superuser:
        superuser.run("create function public.end_me() returns boolean language sql security definer as"
                      " 'select pg_terminate_backend(pg_backend_pid())'")  # fmt: skip
    owner.run("create sequence ends; grant usage on sequence ends to public")
    owner.run("create function end_it() returns trigger language plpgsql security definer as $$ begin"
              " perform nextval('public.ends'), public.end_me(); return null; end $$")  # fmt: skip
    owner.run("create constraint trigger end_it after update on crm_customers deferrable initially deferred"
              " for each row execute function end_it()")  # fmt: skip

    answer = client.post(POST.format(customer), admin)

    assert answer.status_code == 503
    assert owner.run("select last_value from ends") == [[1]]


@pytest.mark.parametrize("sqlstate", ["42501", "3D000"])
def test_a_login_that_the_server_refuses_is_a_503_that_says_why(
    client: Client, crm: Crm, environment: pytest.MonkeyPatch, sqlstate: str
) -> None:
    admin = crm.account(role="admin")
    [[name]] = crm.db.run("select current_database()::text")
    if sqlstate == "3D000":
        environment.setenv("DATABASE_URL", os.environ["DATABASE_URL"].replace(name, "nowhere"))
    else:
        crm.db.run(f"revoke connect on database {name} from public, crm_hosting")

    answer = client.get("/crm/api/sync-status", admin)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert logger.get_current_keys()["reason"] == sqlstate


def test_a_policy_that_would_hide_rows_refuses_instead(client: Client, crm: Crm, owner: Plain) -> None:
    admin, customer = crm.account(role="admin"), crm.linked_customer()
    owner.run("alter table crm_customers enable row level security, force row level security")

    answers = [client.get(GET.format(customer), admin), client.post("/crm/api/sync-all-hosting", admin)]

    assert [answer.status_code for answer in answers] == [500, 500]
    assert owner.run("select from crm_hosting.runs where state = 'completed'") == []


# ── The server's settings ────────────────────────────────────────────────────────────────────────────────────

SETTINGS = [
    "client_encoding = 'GBK'",
    "client_encoding = 'SQL_ASCII'",
    "client_encoding = 'LATIN1'",
    "default_transaction_isolation = 'serializable'",
    "default_transaction_read_only = on",
    "default_transaction_deferrable = on",
    "timezone = 'Asia/Kathmandu'",
    "datestyle = 'German, DMY'",
    "standard_conforming_strings = off",
    "search_path = 'nowhere'",
    "statement_timeout = '1ms'",
    "lock_timeout = '1ms'",
    "idle_in_transaction_session_timeout = '1ms'",
    "bytea_output = 'escape'",
    "intervalstyle = 'sql_standard'",
    "extra_float_digits = -15",
    "array_nulls = off",
    "transform_null_equals = on",
    "lc_monetary = 'C'",
    "row_security = off",
    "quote_all_identifiers = on",
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_what_the_server_sets_for_everybody_changes_no_answer(
    client: Client, crm: Crm, postgres: Server, database_name: str, setting: str
) -> None:
    admin = crm.account(role="admin")
    crm.snapshot()
    customer = crm.linked_customer(actual_hashrate=100.123456789, custom_name="机架 ✓")
    crm.db.run("update crm_customers set name = '客户 ✓ é'")
    paths = [
        GET.format(customer),
        f"/crm/api/customer/{customer}/hosting-miners",
        "/crm/api/hosting/customers?search=客户",
    ]
    right = [client.get(path, admin) for path in paths]
    assert {answer.status_code for answer in right} == {200}
    assert "客户 ✓ é" in json.dumps(data(right[2]), ensure_ascii=False)
    database.close()
    with connect(postgres.url("postgres", "postgres")) as superuser:
        superuser.run(f"alter database {database_name} set {setting}")

    assert [client.get(path, admin).data for path in paths] == [answer.data for answer in right]
    assert client.post(POST.format(customer), admin).status_code == 200


def test_nothing_is_compiled_whatever_the_server_says(
    environment: pytest.MonkeyPatch, postgres: Server, database_name: str
) -> None:
    with connect(postgres.url("postgres", "postgres")) as superuser:
        superuser.run(f"alter database {database_name} set jit = on")

    with database.transaction(read_only=True) as transaction:
        assert transaction.value("select current_setting('jit')") == "off"


def test_what_a_transaction_runs_with_is_the_bundles(environment: pytest.MonkeyPatch) -> None:
    with database.transaction(read_only=True) as transaction:
        [found] = transaction.rows(
            "select " + ", ".join(f"current_setting('{name}')" for name in (
                "client_encoding", "timezone", "datestyle", "search_path", "transaction_isolation",
                "transaction_read_only", "statement_timeout", "standard_conforming_strings"))
        )  # fmt: skip

    assert found == ["UTF8", "UTC", "ISO, MDY", "pg_catalog, pg_temp", "read committed", "on", "10s", "on"]
