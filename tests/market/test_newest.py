"""Which snapshot counts: the CRM's in its unit and clock, the bundle's own, and what neither of them may be."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pg8000.native import Connection

from crm_services.base.errors import MigrationRefused
from crm_services.postgres.migration import migrate
from crm_services.postgres.target import parse_database_url
from local.postgres import Server
from tests.support.client import Client
from tests.support.crm import Crm

TRILLION = 10**12
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
Market = tuple[datetime, Any, Any]
Migrate = Callable[..., list[str]]


@pytest.fixture
def to_migrate(postgres: Server, database_name: str) -> Migrate:
    """Migrates this test's database, by what is chosen."""
    target = parse_database_url(postgres.url(database_name, "crm"))
    return lambda **chosen: migrate(target, **chosen)


def write(owner: Connection, recorded_at: object, **columns: Any) -> None:
    """A row of the CRM's, with the time as it is written."""
    values = {"btc_price": 95_000.0, "network_difficulty": 145.04, "network_hashrate": 1000.0} | columns
    named = ", ".join(f":{name}" for name in values)
    owner.run(
        f"insert into network_snapshots (recorded_at, {', '.join(values)}) values ('{recorded_at}', {named})",
        **values,
    )


def write_own(owner: Connection, recorded_at: object, **columns: Any) -> None:
    """A row of the bundle's own."""
    values = {"btc_price": 96_000.0, "network_difficulty": 1.5e14, "block_reward": 3.125, "is_valid": True} | columns
    named = ", ".join(f":{name}" for name in values)
    owner.run(
        "insert into crm_hosting.market_snapshots (recorded_at, network_hashrate, "
        f"{', '.join(values)}) values ('{recorded_at}', 1000, {named})",
        **values,
    )


def market(owner: Connection, now: datetime | None = None) -> Market | None:
    """Time, price and difficulty of the one that counts; as of another moment by the view's own text."""
    [[sql]] = owner.run("select pg_get_viewdef('crm_hosting.market'::regclass)")
    if now:
        assert "now()" in sql
        sql = sql.replace("now()", f"timestamptz '{now.isoformat()}'")
    rows = owner.run(f"select recorded_at, btc_price, network_difficulty from ({sql.rstrip().rstrip(';')}) m")
    return (rows[0][0], rows[0][1], rows[0][2]) if rows else None


def as_of(owner: Connection, now: datetime | None = None) -> datetime | None:
    found = market(owner, now)
    return found[0] if found else None


def price(owner: Connection) -> Any:
    found = market(owner)
    return found[1] if found else None


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# ── The unit ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_row_of_the_calculator_earns_what_the_calculator_says(client: Client, crm: Crm, owner: Connection) -> None:
    admin, eastern = crm.account(role="admin"), datetime.now(ZoneInfo("America/New_York")).replace(tzinfo=None)
    write(owner, eastern, btc_price=95_000.0, network_difficulty=145.04)
    customer = crm.linked_customer(quantity=14)  # 1,400 TH/s

    stats = client.get(f"/crm/api/customer/{customer}/hosting-stats", admin).get_json()["data"]

    assert stats["estimated_daily_btc"] == 0.00060680
    assert stats["network_difficulty"] == 145_040_000_000_000
    assert abs(utc(stats["market_as_of"].removesuffix("Z")) - datetime.now(UTC)) < MINUTE


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (145.04, 145_040_000_000_000),
        (999_999.999999, 999_999_999_999_000_000),
        (1e6, 1_000_000),
        (145_040_000_000_000.0, 145_040_000_000_000),
        (1e-6, 1_000_000),
    ],
)
def test_a_difficulty_below_a_million_is_in_trillions_and_any_other_as_it_is(
    owner: Connection, written: float, meant: int
) -> None:
    write(owner, "2026-01-15 12:00", network_difficulty=written)

    assert market(owner) == (utc("2026-01-15T17:00"), 95_000, meant)


def test_the_bundles_own_difficulty_is_always_as_it_is(owner: Connection) -> None:
    write_own(owner, "2026-01-15 12:00+00", network_difficulty=145.04)

    assert market(owner) == (utc("2026-01-15T12:00"), 96_000, Decimal("145.04"))


# ── The clock ────────────────────────────────────────────────────────────────────────────────────────────────

# The clocks of New York were put back on 1 November 2026 at 06:00 UTC, and forward on 8 March at 07:00 UTC.
CLOCK = {
    "in winter": ("2026-01-15 12:00", "2026-01-15T17:00"),
    "in summer": ("2026-07-15 12:00", "2026-07-15T16:00"),
    "just before the hour that comes twice": ("2026-11-01 00:59:59", "2026-11-01T04:59:59"),
    "in the hour that comes twice": ("2026-11-01 01:30", "2026-11-01T05:30"),
    "just after it": ("2026-11-01 02:00", "2026-11-01T07:00"),
    "just before the hour that is left out": ("2026-03-08 01:59:59", "2026-03-08T06:59:59"),
    "in the hour that is left out": ("2026-03-08 02:30", "2026-03-08T07:30"),
    "just after it, too": ("2026-03-08 03:00", "2026-03-08T07:00"),
}


@pytest.mark.parametrize(("written", "meant"), CLOCK.values(), ids=CLOCK)
def test_the_time_is_new_york_s(owner: Connection, written: str, meant: str) -> None:
    write(owner, written)

    assert as_of(owner) == utc(meant)


@pytest.mark.parametrize("minutes", [0, 1, 29, 31, 59, 61, 89, 91, 119, 121, 179, 181, 300])
def test_what_was_written_before_the_clock_was_put_back_stays_usable_while_the_clock_shows_less(
    owner: Connection, minutes: int
) -> None:
    write(owner, "2026-11-01 01:59")  # 05:59 UTC

    assert as_of(owner, utc("2026-11-01T05:59") + minutes * MINUTE) == utc("2026-11-01T05:59")


def test_what_is_to_come_is_refused_after_the_clock_was_put_back_too(owner: Connection) -> None:
    write(owner, "2026-11-01 01:10")
    write(owner, "2026-11-01 02:20")  # 07:20 UTC

    assert as_of(owner, utc("2026-11-01T06:15")) == utc("2026-11-01T05:10")
    assert as_of(owner, utc("2026-11-01T07:14")) == utc("2026-11-01T05:10")
    assert as_of(owner, utc("2026-11-01T07:15")) == utc("2026-11-01T07:20")


ZONES = ("America/New_York", "Australia/Lord_Howe", "Antarctica/Troll", "Europe/London", "Asia/Shanghai", "UTC")
YEAR = datetime(2026, 1, 1)
# Of a year's hours those about which its clocks are changed, and any.
CHANGES = (
    "2026-03-08 07:00",
    "2026-11-01 06:00",
    "2026-04-04 15:00",
    "2026-10-03 15:30",
    "2026-03-29 01:00",
    "2026-10-25 01:00",
)
around = st.sampled_from(CHANGES).map(datetime.fromisoformat)
moments = st.one_of(around, around, st.integers(0, 8759).map(lambda hours: YEAR + hours * HOUR))


@pytest.fixture(params=ZONES)
def zone(request: pytest.FixtureRequest, to_migrate: Migrate) -> str:
    """The CRM's clock, once the database was migrated for it."""
    chosen: str = request.param
    to_migrate(snapshot_time_zone=chosen)
    return chosen


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), moment=moments)
def test_whatever_the_zone_and_the_hour_the_newest_that_is_not_to_come_counts(
    owner: Connection, zone: str, data: st.DataObject, moment: datetime
) -> None:
    now = (moment + data.draw(st.integers(-300, 300)) * MINUTE).replace(tzinfo=UTC)
    minutes = st.lists(st.integers(-300, 300), max_size=6)
    walls = [(now + n * MINUTE).astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) for n in data.draw(minutes)]
    owner.run("delete from network_snapshots")
    for wall in walls:
        write(owner, wall)

    # The first of two hours, and before the clock was put forward: what Python makes of a time without `fold`.
    read = [wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for wall in walls]
    assert as_of(owner, now) == max((one for one in read if one <= now + 5 * MINUTE), default=None)


def test_a_column_with_a_zone_is_taken_as_it_is(owner: Connection, to_migrate: Migrate) -> None:
    owner.run("drop view crm_hosting.market")
    owner.run("alter table network_snapshots alter recorded_at type timestamptz using recorded_at at time zone 'UTC'")
    to_migrate()
    write(owner, "2026-01-15 12:00+00")
    write(owner, datetime.now(UTC) + 6 * MINUTE)

    assert market(owner) == (utc("2026-01-15T12:00"), 95_000, 145_040_000_000_000)


@pytest.mark.parametrize("columns", [
    "network_snapshots.recorded_at", "user_miners.created_at", "user_access.expires_at",
    "network_snapshots.recorded_at user_miners.created_at user_access.expires_at crm_customers.created_at",
])  # fmt: skip
def test_a_crm_whose_times_have_a_zone_is_served(
    client: Client, crm: Crm, owner: Connection, to_migrate: Migrate, columns: str
) -> None:
    owner.run("drop schema crm_hosting cascade")
    for table, column in (name.split(".") for name in columns.split()):
        owner.run(f"alter table {table} alter {column} type timestamptz using {column} at time zone 'utc'")
    to_migrate()
    admin = crm.account(role="admin", expires_at=datetime.now(UTC) + HOUR)
    late = crm.account(role="admin", expires_at=datetime.now(UTC) - HOUR)
    recorded: dict[str, Any] = {"recorded_at": datetime.now(UTC)} if "recorded_at" in columns else {}
    crm.snapshot(**recorded)
    customer = crm.linked_customer()

    for path in ("sync-status", f"customer/{customer}/hosting-stats", f"customer/{customer}/hosting-miners?limit=1"):
        assert client.get(f"/crm/api/{path}", admin).status_code == 200
        assert client.get(f"/crm/api/{path}", late).status_code == 401
    for path in (f"customer/{customer}/sync-hosting", "sync-all-hosting"):
        assert client.post(f"/crm/api/{path}", admin).status_code == 200
    status = client.get("/crm/api/sync-status", admin).get_json()["data"]
    assert (status["sync_health"], status["issues"]) == ("healthy", [])


def test_an_unknown_zone_is_refused_by_name_before_anything_changes(to_migrate: Migrate, owner: Connection) -> None:
    owner.run("alter table crm_customers drop column hosting_synced_at cascade")

    for zone in ("Amerika/New_York", "", "New York", "XYZ5", "'; drop table crm_customers; --"):
        with pytest.raises(MigrationRefused, match=f"SNAPSHOT_TIME_ZONE.*{re.escape(repr(zone))}"):
            to_migrate(snapshot_time_zone=zone)

    assert owner.run("select to_regclass('crm_hosting.customers')") == [[None]]


def test_another_zone_is_a_change_of_the_view_alone(to_migrate: Migrate, owner: Connection) -> None:
    write(owner, "2026-01-15 12:00")

    assert to_migrate(snapshot_time_zone="asia/shanghai") == ["changed view crm_hosting.market"]
    assert as_of(owner) == utc("2026-01-15T04:00")
    assert to_migrate(snapshot_time_zone="asia/shanghai") == []


# ── What counts ──────────────────────────────────────────────────────────────────────────────────────────────


def eastern(before_now: timedelta) -> datetime:
    return (datetime.now(UTC) - before_now).astimezone(ZoneInfo("America/New_York")).replace(tzinfo=None)


def test_of_both_tables_the_newest_counts_whichever_it_is_in(owner: Connection) -> None:
    write(owner, eastern(2 * HOUR), btc_price=1.0)
    write_own(owner, datetime.now(UTC) - 3 * HOUR, btc_price=2.0)
    assert price(owner) == 1
    write_own(owner, datetime.now(UTC) - HOUR, btc_price=3.0)
    assert price(owner) == 3
    write(owner, eastern(MINUTE), btc_price=4.0)
    assert price(owner) == 4


NAN, INFINITY = float("nan"), float("inf")
UNUSABLE: list[dict[str, Any]] = [
    *({name: figure} for name in ("btc_price", "network_difficulty", "block_reward")
      for figure in (0.0, -1.0, NAN, INFINITY, -INFINITY)),
    {"is_valid": False},
]  # fmt: skip


@pytest.mark.parametrize("columns", UNUSABLE, ids=str)
def test_an_unusable_row_does_not_count_in_either_table(owner: Connection, columns: dict[str, Any]) -> None:
    write(owner, eastern(HOUR), **columns)
    write_own(owner, datetime.now(UTC), **columns)
    assert market(owner) is None

    write(owner, "2026-01-15 12:00")

    assert as_of(owner) == utc("2026-01-15T17:00")


@pytest.mark.parametrize("hashrate", [0.0, -1.0, NAN, INFINITY])
def test_the_network_s_hashrate_is_not_needed(owner: Connection, hashrate: float) -> None:
    write(owner, "2026-01-15 12:00", network_hashrate=hashrate)

    assert as_of(owner) == utc("2026-01-15T17:00")


def test_a_row_that_nobody_judged_counts(owner: Connection) -> None:
    write(owner, "2026-01-15 12:00", is_valid=None)

    assert as_of(owner) == utc("2026-01-15T17:00")


IMPOSSIBLE = [
    "56868-10-16 00:00", "294276-12-31 23:59", "10000-01-01 00:00", "infinity",
    "0044-03-15 12:00 BC", "4713-01-01 00:00 BC", "0001-01-01 00:00", "-infinity",
]  # fmt: skip


@pytest.mark.parametrize("recorded_at", IMPOSSIBLE)
def test_a_time_that_cannot_be_does_not_count_and_breaks_nothing(
    client: Client, crm: Crm, owner: Connection, recorded_at: str
) -> None:
    admin, customer = crm.account(role="admin"), crm.linked_customer()
    write(owner, recorded_at)
    own = recorded_at.replace(" BC", "+00 BC") if recorded_at.endswith("BC") else recorded_at
    write_own(owner, own)
    paths = ("/crm/api/sync-status", f"/crm/api/customer/{customer}/hosting-stats")

    for is_alone in (True, False):
        if not is_alone:
            write(owner, "2026-01-15 12:00")
        assert [client.get(path, admin).status_code for path in paths] == [200, 200]
        assert client.post("/crm/api/sync-all-hosting", admin).status_code == 200
        assert as_of(owner) == (None if is_alone else utc("2026-01-15T17:00"))


@pytest.mark.parametrize("recorded_at", ["0001-01-02 00:00", "1970-01-01 00:00"])
def test_a_time_long_ago_is_old_and_said_to_be(client: Client, crm: Crm, owner: Connection, recorded_at: str) -> None:
    admin = crm.account(role="admin")
    write(owner, recorded_at)

    issues = client.get("/crm/api/sync-status", admin, accept_language="en").get_json()["data"]["issues"]

    assert any(issue.startswith("Market data are") and issue.endswith("more than 6") for issue in issues)


@pytest.mark.parametrize("seconds", [-60, 0, 240])
def test_a_clock_a_little_ahead_is_borne_with(owner: Connection, seconds: int) -> None:
    write(owner, eastern(-timedelta(seconds=seconds)), btc_price=1.0)
    assert price(owner) == 1

    write_own(owner, datetime.now(UTC) + timedelta(seconds=seconds + 10), btc_price=2.0)

    assert price(owner) == 2


@pytest.mark.parametrize("ahead", [timedelta(seconds=330), HOUR, 5 * HOUR, 400 * 24 * HOUR])
def test_what_is_to_come_does_not_count(owner: Connection, ahead: timedelta) -> None:
    write(owner, eastern(-ahead))
    write_own(owner, datetime.now(UTC) + ahead)

    assert market(owner) is None


# ── How it is found ──────────────────────────────────────────────────────────────────────────────────────────

MANY = """
insert into network_snapshots (recorded_at, btc_price, network_difficulty, network_hashrate, is_valid)
  select now() at time zone 'America/New_York' - n * interval '10 minutes', 95000, 145.04, 1000, n > 3000
  from generate_series(-20000, 80000) n;
insert into crm_hosting.market_snapshots (
  recorded_at, btc_price, network_difficulty, network_hashrate, block_reward, is_valid)
  select now() - n * interval '1 hour', 95000, 1.5e14, 1000, 3.125, n > 100 from generate_series(-9000, 9000) n;
analyze network_snapshots;
analyze crm_hosting.market_snapshots
"""


def test_among_a_hundred_thousand_the_newest_is_found_by_the_indexes_and_those_to_come_are_not_read(
    owner: Connection,
) -> None:
    owner.run(MANY)

    plan = "\n".join(line for (line,) in owner.run("explain (analyze, costs off) select * from crm_hosting.market"))

    assert plan.count("Index Scan Backward") == 2
    assert "Seq Scan" not in plan
    removed = [int(line.split(":")[1]) for line in plan.splitlines() if "Rows Removed by Filter" in line]
    to_come = 18  # of the next three hours, which a clock that is put back may show already
    assert removed == [3001 + to_come]  # and none of the bundle's own
