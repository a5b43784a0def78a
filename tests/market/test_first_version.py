"""A database of version 0.1.0, which appended its snapshots to the CRM's table: what becomes of them."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import pytest
from pg8000.exceptions import DatabaseError
from pg8000.native import Connection

from crm_services.postgres.migration import migrate, unmigrate
from crm_services.postgres.roles import MARKET_ROLE
from crm_services.postgres.target import DatabaseTarget, parse_database_url
from local.postgres import Server, connect
from tests.support.bare import first_version
from tests.support.crm import Crm

RECORD = "select crm_hosting.record_snapshot(:price, 1.45e14, 620, 3.125, 'mempool.space', 'mempool.space', :valid, 12)"
COLUMN = "column network_snapshots.hosting_response_ms"


@pytest.fixture
def url(postgres: Server) -> Iterator[str]:
    """The owner's login to a database of that version."""
    with first_version(postgres) as found:
        yield found


@pytest.fixture
def owner(url: str) -> Iterator[Connection]:
    """The owner of the CRM's tables."""
    with connect(url) as connection:
        yield connection


@pytest.fixture
def target(url: str) -> DatabaseTarget:
    """What is migrated."""
    return parse_database_url(url)


def own(owner: Connection) -> list[list[object]]:
    rows: list[list[object]] = owner.run("""
        select btc_price, network_difficulty, network_hashrate, block_reward, price_source, data_source, is_valid,
               response_ms, recorded_at from crm_hosting.market_snapshots order by id""")
    return rows


@pytest.mark.parametrize("recorded_at", ["timestamp", "timestamptz"])
def test_its_snapshots_move_with_their_time_and_the_crm_s_stay(
    owner: Connection, target: DatabaseTarget, recorded_at: str
) -> None:
    Crm(owner).snapshot(90_000, network_difficulty=145.04)
    owner.run("insert into network_snapshots (btc_price, network_difficulty, network_hashrate) values (1, 1.4e14, 1)")
    crm_s = owner.run("select id, btc_price, network_difficulty from network_snapshots order by id")
    for price, valid in ((95_000, True), (1, False)):
        owner.run(RECORD, price=price, valid=valid)
    owner.run("update network_snapshots set recorded_at = '2026-07-01 12:00' where hosting_response_ms is not null")
    if recorded_at == "timestamptz":
        owner.run("drop view crm_hosting.market")
        owner.run(
            "alter table network_snapshots alter recorded_at type timestamptz using recorded_at at time zone 'utc'"
        )
        owner.run(f"alter database {target.database} set timezone = 'Asia/Tokyo'")

    changes = migrate(target)

    assert {f"dropped {COLUMN}", "created table crm_hosting.market_snapshots"} <= set(changes)
    at = datetime(2026, 7, 1, 12, tzinfo=UTC)
    source = "mempool.space"
    assert own(owner) == [
        [95_000, 1.45e14, 620, 3.125, source, source, True, 12, at],
        [1, 1.45e14, 620, 3.125, source, source, False, 12, at],
    ]
    assert owner.run("select id, btc_price, network_difficulty from network_snapshots order by id") == crm_s
    assert migrate(target) == []
    assert len(own(owner)) == 2


def test_a_function_of_that_version_that_is_still_warm_appends_to_the_new_table(
    postgres: Server, owner: Connection, target: DatabaseTarget
) -> None:
    with connect(postgres.url(target.database, MARKET_ROLE)) as warm:
        warm.run(RECORD, price=95_000, valid=True)
        migrate(target)
        warm.run(RECORD, price=96_000, valid=True)

    assert [row[0] for row in own(owner)] == [95_000, 96_000]
    assert owner.run("select count(*) from network_snapshots") == [[0]]
    assert owner.run("select btc_price from crm_hosting.market") == [[96_000]]


def test_none_is_lost_that_is_appended_meanwhile_nor_one_of_the_crm_s(
    postgres: Server, url: str, owner: Connection, target: DatabaseTarget
) -> None:
    appended, written, is_over = count(1), count(1), threading.Event()
    numbers: dict[str, int] = {}

    def append() -> None:
        with connect(postgres.url(target.database, MARKET_ROLE)) as warm:
            while not is_over.is_set():
                try:
                    warm.run(RECORD, price=95_000, valid=True)
                except DatabaseError as error:  # at the moment of the change, aloud: the next hour is the next attempt
                    assert error.args[0]["C"] == "42703"  # noqa: PT017
                else:
                    numbers["bundle"] = next(appended)

    def write() -> None:
        with connect(url) as calculator:
            crm = Crm(calculator)
            while not is_over.is_set():
                crm.snapshot()
                numbers["crm"] = next(written)

    others = [threading.Thread(target=work) for work in (append, write)]
    for other in others:
        other.start()
    while len(numbers) < 2:
        time.sleep(0.01)
    migrate(target)
    is_over.set()
    for other in others:
        other.join()

    assert len(own(owner)) == numbers["bundle"]
    assert owner.run("select count(*), count(*) filter (where network_difficulty < 1e6) from network_snapshots") == [
        [numbers["crm"], numbers["crm"]]
    ]


def test_unmigrate_takes_its_snapshots_away_too(owner: Connection, target: DatabaseTarget) -> None:
    Crm(owner).snapshot()
    owner.run(RECORD, price=95_000, valid=True)

    assert f"dropped {COLUMN}" in unmigrate(target)

    assert owner.run("select count(*) from network_snapshots") == [[1]]
