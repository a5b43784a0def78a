"""What a request costs the database: no round trip and no row more than it needs; and a connection that dies."""

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

import pytest
from pg8000.native import Connection as Plain

from crm_services.base.errors import ConnectionLost, QueryFailed
from crm_services.postgres.connection import Connection
from crm_services.postgres.database import database
from local.postgres import Server, connect
from tests.support.client import Client, data
from tests.support.crm import Crm


@pytest.fixture
def as_the_role(postgres: Server, database_name: str) -> Iterator[Plain]:
    """A connection of the bundle's role, which may end its others."""
    with connect(postgres.url(database_name, "crm_hosting")) as connection:
        yield connection


@pytest.mark.parametrize("request_", ["GET hosting-stats", "POST sync-hosting"])
def test_a_request_survives_a_connection_that_died_unnoticed(
    client: Client, crm: Crm, request_: str, as_the_role: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, endpoint = request_.split()
    admin, path = crm.account(role="admin"), f"/crm/api/customer/{crm.linked_customer()}/{endpoint}"
    first = client.ask(method, path, admin)
    assert first.status_code == 200
    _kill_others(as_the_role)
    monkeypatch.setattr(Connection, "has_surplus", lambda _: False)

    again = client.ask(method, path, admin)

    assert (again.status_code, again.data) == (200, first.data)


def test_nothing_is_prepared_for_a_pooler_that_cannot_carry_it(
    environment: pytest.MonkeyPatch, client: Client, crm: Crm
) -> None:
    environment.setenv("PREPARE_STATEMENTS", "false")
    admin, customer = crm.account(role="admin"), crm.linked_customer()

    synced = client.post(f"/crm/api/customer/{customer}/sync-hosting", admin)
    stats = data(client.get(f"/crm/api/customer/{customer}/hosting-stats", admin))
    status = data(client.get("/crm/api/sync-status", admin))

    assert (synced.status_code, stats["has_hosting"], status["linked_customers"]) == (200, True, 1)
    with database.transaction() as transaction:
        assert transaction.rows("select name from pg_prepared_statements where not from_sql and name <> ''") == []


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("read_only", [True, False])
def test_a_transaction_in_which_nothing_is_asked_ends_at_once_and_the_next_is_served(read_only: bool) -> None:
    for _ in range(2):
        with database.transaction(read_only):
            pass
    with database.transaction() as transaction:
        assert transaction.value("select 1") == 1


def test_what_was_asked_ahead_and_failed_says_so_whoever_heard_it(environment: pytest.MonkeyPatch) -> None:
    with database.transaction(read_only=True) as transaction:
        answer = transaction.ask("select 1 / 0")
        hearings: list[Callable[[], Any]] = [lambda: transaction.rows("select 1"), answer, answer]
        for hear in hearings:
            with pytest.raises(QueryFailed) as failure:
                hear()
            assert failure.value.sqlstate == "22012"


def test_what_has_begun_is_not_carried_over_to_another_connection(
    environment: pytest.MonkeyPatch, as_the_role: Plain
) -> None:
    def lose_it_halfway() -> None:
        with database.transaction() as transaction:
            transaction.rows("select 1")
            _kill_others(as_the_role)
            with pytest.raises(ConnectionLost):
                transaction.rows("select 1")
            transaction.rows("select 1")

    with pytest.raises(ConnectionLost):
        lose_it_halfway()


def test_the_figures_wait_for_the_database_once(
    client: Client, crm: Crm, as_the_role: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin, customer = crm.account(role="admin"), crm.linked_customer()
    turns: list[str] = []
    path = f"/crm/api/customer/{customer}/hosting-stats"
    assert client.get(path, admin).status_code == 200
    driver = database._connection and database._connection._driver
    assert driver
    monkeypatch.setattr(driver, "_stream", _Noting(driver.stream, turns))

    assert client.get(path, admin).status_code == 200

    # The answer to the commit before; who asks, and for what; and a commit that is not waited for.
    assert [turn for turn, _ in groupby(turns)] == ["read", "flush", "read", "flush"]
    assert database._connection
    database._connection.hear()  # or PostgreSQL might not have come to the commit yet
    others = "select state from pg_stat_activity where usename = current_user and pid <> pg_backend_pid()"
    assert as_the_role.run(others) == [["idle"]]


def _kill_others(role: Plain) -> None:
    role.run("select pg_terminate_backend(pid, 5000) from pg_stat_activity"
             " where usename = current_user and pid <> pg_backend_pid()")  # fmt: skip


class _Noting:
    def __init__(self, stream: object, turns: list[str]) -> None:
        self._stream = stream
        self._turns = turns

    def flush(self) -> None:
        self._turns.append("flush")
        self._stream.flush()  # type: ignore[attr-defined]

    def read(self, size: int) -> object:
        self._turns.append("read")
        return self._stream.read(size)  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def test_the_newest_market_is_found_without_reading_the_others(owner: Plain, crm: Crm) -> None:
    crm.snapshot()
    owner.run("insert into network_snapshots (recorded_at, btc_price, network_difficulty, network_hashrate)"
              " select recorded_at - n * interval '1 hour', btc_price, network_difficulty, network_hashrate"
              " from network_snapshots, generate_series(1, 2000) n")  # fmt: skip
    owner.run("analyze network_snapshots")

    plan = "\n".join(line for (line,) in owner.run("explain select * from crm_hosting.market"))

    assert "Index Scan Backward" in plan
    assert "Seq Scan" not in plan
