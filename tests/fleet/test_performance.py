"""How a customer's machines do, where the hosting module's collector looks at them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pg8000.native import Connection

from crm_services.base.settings import MachineSource
from crm_services.fleet.performance import PERFORMANCE
from crm_services.postgres.machines import machines_view
from crm_services.postgres.migration import detach, migrate
from crm_services.postgres.target import DatabaseTarget, parse_database_url
from local.postgres import Server, connect
from tests.support.client import Client, data
from tests.support.conformity import body_of
from tests.support.crm import Crm

# Where in the answer a column of the collector's is seen.
SEEN_BY = {
    "rack_position": {"hashrate", "silent"},
    "temperature_avg": {"temperature"},
    "temperature_max": {"temperature", "hashrate"},
    "reject_rate": {"reject_rate", "hashrate"},
    "health_score": {"health", "hashrate"},
    "cgminer_online": {"silent"},
    "last_seen": {"silent"},
}
RETYPED = (
    "hosting_miners alter column temperature_avg type numeric(5, 2)",
    "hosting_miners alter column temperature_max type real",
    "hosting_miners alter column health_score type double precision",
    "hosting_miners alter column last_seen type timestamptz using last_seen at time zone 'utc'",
    "hosting_miners alter column rack_position type text",
    "hosting_miners alter column serial_number type text",
    "telemetry_daily alter column day type timestamp",
    "telemetry_daily alter column miner_id type text",
    "telemetry_daily alter column site_id type bigint",
    "telemetry_daily alter column total_power_kwh type numeric(12, 4)",
)


@pytest.fixture
def target(postgres: Server, database_name: str) -> DatabaseTarget:
    return parse_database_url(postgres.url(database_name))


@pytest.fixture
def hosted(owner: Connection) -> None:
    owner.run(machines_view("hosting_miners"))


def path_to(customer: int) -> str:
    return f"/crm/api/customer/{customer}/hosting-performance"


def asked(client: Client, customer: int, caller: int) -> dict[str, Any]:
    """What is answered, less when."""
    found: dict[str, Any] = data(client.get(path_to(customer), caller))
    del found["as_of"]
    return found


def minutes_ago(minutes: int) -> datetime:
    return datetime.now(UTC).replace(tzinfo=None) - timedelta(minutes=minutes)


@pytest.fixture
def fleet(crm: Crm) -> tuple[int, int]:
    """An admin, and a customer with a machine of each kind, every one of 100 TH/s by its data sheet."""
    account, site = crm.account("hosted@example.com"), crm.site("Paraguay Itaipú")
    kinds: list[dict[str, Any]] = [
        {"actual_hashrate": 102.0, "last_seen": minutes_ago(1)},
        {"actual_hashrate": 80.0, "last_seen": minutes_ago(1), "temperature_max": 84.26, "reject_rate": 2.125},
        {"actual_hashrate": 79.9, "last_seen": "2026-01-02 03:04:05.9", "health_score": 40, "rack_position": "R07-2"},
        {"actual_hashrate": 0.0, "last_seen": minutes_ago(1), "temperature_avg": 0.0, "temperature_max": 0.0},
        {"actual_hashrate": 0.0, "status": "error", "cgminer_online": False, "last_seen": minutes_ago(60)},
        {"actual_hashrate": 0.0, "status": "pending", "cgminer_online": False, "last_seen": None},
        {"actual_hashrate": 0.0, "status": "maintenance", "cgminer_online": False, "last_seen": minutes_ago(9000)},
        {"actual_hashrate": 90.0, "status": "sold", "cgminer_online": False, "last_seen": minutes_ago(9000)},
        {"actual_hashrate": 90.0, "approval_status": "draft", "cgminer_online": False},
    ]
    machines = [crm.machine(account, site, **columns) for columns in kinds]
    crm.machine_day(machines[0], 1)
    crm.machine_day(machines[0], 30, online_ratio=0.5, uptime_hours=12.0, total_power_kwh=42.25)
    crm.machine_day(machines[1], 1, online_ratio=None, uptime_hours=18.0, total_power_kwh=None)
    for out_of_sight in (0, 31):
        crm.machine_day(machines[0], out_of_sight)
    crm.machine_day(machines[7], 1)
    return crm.account(role="admin"), crm.customer("hosted@example.com")


@pytest.mark.usefixtures("hosted")
def test_what_machines_hash_of_what_they_should_how_hot_and_who_is_silent(
    client: Client, crm: Crm, fleet: tuple[int, int]
) -> None:
    admin, customer = fleet
    ids = {id_: (place, name) for place, (id_, name) in enumerate(
        crm.db.run("select id, serial_number from hosting_miners order by id"), 1)}  # fmt: skip

    found = asked(client, customer, admin)

    assert [found[f"{name}_miners"] for name in ("active", "offline", "maintenance")] == [4, 2, 1]
    hashrate, silent = found["hashrate"], found["silent"]
    assert {name: hashrate[name] for name in ("actual", "reference", "percent", "measured", "low")} == {
        "actual": 261.9, "reference": 400.0, "percent": 65.5, "measured": 4, "low": 2,
    }  # fmt: skip
    assert [(ids[one["id"]][0], one["percent"]) for one in hashrate["lowest"]] == [(4, 0.0), (3, 79.9)]
    third = hashrate["lowest"][1]
    assert third == {
        "id": third["id"], "name": ids[third["id"]][1], "model": "Antminer S21", "location": "Paraguay Itaipú",
        "rack_position": "R07-2", "hashrate": 79.9, "reference": 100, "percent": 79.9, "temperature": 71.0,
        "reject_rate": 0.12, "health": 40,
    }  # fmt: skip
    assert found["by_model"] == [{
        "model": "Antminer S21", "miners_count": 7, "active_miners": 4, "hashrate": 261.9, "reference": 100,
        "percent": 65.5, "low": 2,
    }]  # fmt: skip
    assert found["temperature"] == {"average": 62.5, "highest": 84.3, "measured": 3}
    assert found["reject_rate"] == {"average": 0.62, "highest": 2.13, "measured": 4}
    assert found["health"] == {"average": 85.0, "lowest": 40.0, "measured": 4}
    assert (silent["count"], silent["watched"], silent["never_seen"]) == (3, 6, 1)
    assert [ids[one["id"]][0] for one in silent["longest"]] == [3, 5, 6]
    assert [one["status"] for one in silent["longest"]] == ["active", "offline", "offline"]
    assert silent["longest"][0]["since"] == "2026-01-02T03:04:05Z"
    assert silent["longest"][2]["since"] is None


@pytest.mark.usefixtures("hosted")
def test_uptime_and_energy_are_those_of_thirty_days_that_are_over(client: Client, fleet: tuple[int, int]) -> None:
    admin, customer = fleet
    today = datetime.now(UTC).date()
    first, last = (today - timedelta(days=30)).isoformat(), (today - timedelta(days=1)).isoformat()

    assert data(client.get(path_to(customer), admin))["last_30_days"] == {
        "from": first, "to": last, "uptime_percent": 75.0, "energy_kwh": 126.3,
        "days": [
            {"day": first, "miners": 1, "uptime_percent": 50.0, "energy_kwh": 42.3},
            {"day": last, "miners": 2, "uptime_percent": 87.5, "energy_kwh": 84.0},
        ],
    }  # fmt: skip


@pytest.mark.usefixtures("hosted")
def test_a_customer_without_an_account_has_nothing_and_that_is_no_error(client: Client, crm: Crm) -> None:
    found = data(client.get(path_to(crm.customer()), crm.account(role="admin")))

    assert (found["has_hosting"], found["user_access_id"], found["miners_count"]) == (False, None, 0)
    assert found["hashrate"]["percent"] is None
    assert found["temperature"] == {"average": None, "highest": None, "measured": 0}
    assert found["last_30_days"]["days"] == found["silent"]["longest"] == found["by_model"] == []


@pytest.mark.usefixtures("hosted")
def test_a_tenant_sees_his_own_customers_machines_alone(client: Client, crm: Crm, fleet: tuple[int, int]) -> None:
    _, customer = fleet
    tenant, rival = crm.account(role="mining_site_owner"), crm.account(role="mining_site_owner")
    crm.db.run("update crm_customers set created_by_id = :tenant where id = :id", tenant=tenant, id=customer)
    rivals = crm.customer("rival@example.com", rival)
    machine = crm.machine(crm.account("rival@example.com"), crm.site(), serial_number="RIVAL-1", actual_hashrate=1.0)
    crm.machine_day(machine, 1)

    assert data(client.get(path_to(customer), tenant))["miners_count"] == 7
    assert b"RIVAL-1" not in body_of(client.get(path_to(customer), tenant))
    assert b"RIVAL-1" in body_of(client.get(path_to(rivals), rival))
    for caller, status in ((tenant, 403), (crm.account(role="guest"), 403), (None, 401)):
        refused = client.get(path_to(rivals), caller)
        assert refused.status_code == status
        assert b"RIVAL-1" not in body_of(refused)


def test_where_no_collector_looks_it_is_404_and_says_why_but_to_strangers(client: Client, crm: Crm) -> None:
    owner = crm.account(role="mining_site_owner")
    customer, anothers = crm.linked_customer(owner), crm.customer()

    english = client.get(path_to(customer), owner, accept_language="en")
    chinese = client.get(path_to(customer), owner, accept_language="zh-CN")

    assert (english.status_code, chinese.status_code) == (404, 404)
    assert english.json == {
        "success": False,
        "error": "Machines do not come from hosting_miners here (MACHINE_SOURCE): there are no performance data",
    }
    assert chinese.json is not None
    assert "没有实时性能数据" in chinese.json["error"]
    assert client.get(path_to(anothers), owner).status_code == 403
    missing = client.get(path_to(2**31 - 1), owner, accept_language="en")
    assert missing.json == {"success": False, "error": "There is no such customer"}


def test_the_answer_follows_the_source_of_the_machines(
    client: Client, target: DatabaseTarget, fleet: tuple[int, int]
) -> None:
    admin, customer = fleet
    answers: list[tuple[MachineSource, int]] = [("hosting_miners", 200), ("user_miners", 404)]
    for source, status in answers:
        migrate(target, machine_source=source)
        assert client.get(path_to(customer), admin).status_code == status


@pytest.mark.usefixtures("hosted")
def test_what_an_older_crm_does_not_collect_is_null(client: Client, owner: Connection, fleet: tuple[int, int]) -> None:
    admin, customer = fleet
    before = asked(client, customer, admin)
    for column, parts in SEEN_BY.items():
        owner.run(f"alter table hosting_miners rename column {column} to was_{column}")
        owner.run(machines_view("hosting_miners"))

        found = asked(client, customer, admin)

        assert found["hashrate"]["percent"] == before["hashrate"]["percent"]
        assert {part for part, was in before.items() if found[part] != was} == parts, column
        owner.run(f"alter table hosting_miners rename column was_{column} to {column}")
    owner.run(machines_view("hosting_miners"))
    assert asked(client, customer, admin) == before


def test_a_crm_that_collects_nothing_is_served_all_the_same(
    client: Client, owner: Connection, target: DatabaseTarget, fleet: tuple[int, int]
) -> None:
    admin, customer = fleet
    owner.run(f"alter table hosting_miners {', '.join(f'drop column {column}' for column in SEEN_BY)}")
    owner.run("drop table telemetry_daily")

    migrate(target, machine_source="hosting_miners")
    found = asked(client, customer, admin)

    assert found["hashrate"]["low"] == 2
    assert found["health"] == {"average": None, "lowest": None, "measured": 0}
    assert found["silent"] == {"count": 0, "watched": 0, "never_seen": 0, "longest": []}
    assert found["last_30_days"] is None


@pytest.mark.usefixtures("hosted")
def test_a_day_s_figure_that_is_not_kept_is_null(client: Client, owner: Connection, fleet: tuple[int, int]) -> None:
    admin, customer = fleet
    for column, expected in (
        ("uptime_hours", (75.0, 126.3)),
        ("online_ratio", (75.0, 126.3)),
        ("total_power_kwh", (75.0, None)),
    ):
        owner.run(f"alter table telemetry_daily rename column {column} to was_{column}")
        owner.run(machines_view("hosting_miners"))

        days = asked(client, customer, admin)["last_30_days"]

        owner.run(f"alter table telemetry_daily rename column was_{column} to {column}")
        assert (days["uptime_percent"], days["energy_kwh"]) == expected, column


@pytest.mark.parametrize(
    "change",
    [
        "drop column miner_id",
        "alter column miner_id type integer using 1",
        "alter column day type text",
        "owner to stranger",
    ],
)
def test_days_that_cannot_be_read_are_not_there(  # noqa: PLR0913, PLR0917 (five of them are fixtures)
    client: Client, owner: Connection, postgres: Server, database_name: str, fleet: tuple[int, int], change: str
) -> None:
    admin, customer = fleet
    with connect(postgres.url(database_name, "postgres")) as superuser:
        superuser.run("do $$ begin if to_regrole('stranger') is null then create role stranger; end if; end $$")
        superuser.run("alter table telemetry_daily drop constraint telemetry_daily_site_id_miner_id_day_key")
        superuser.run(f"alter table telemetry_daily {change}")

    owner.run(machines_view("hosting_miners"))

    assert asked(client, customer, admin)["last_30_days"] is None


def test_columns_get_other_types_and_the_answer_is_as_before(
    client: Client, owner: Connection, target: DatabaseTarget, fleet: tuple[int, int]
) -> None:
    admin, customer = fleet
    migrate(target, machine_source="hosting_miners")
    before = asked(client, customer, admin)

    detach(target)
    assert client.get(path_to(customer), admin).status_code == 503
    for change in RETYPED:
        owner.run(f"alter table {change}")
    migrate(target, machine_source="hosting_miners")

    assert asked(client, customer, admin) == before
    assert migrate(target, machine_source="hosting_miners") == []


@pytest.mark.usefixtures("hosted")
def test_a_machine_s_days_are_looked_up_and_not_searched_for_among_all(crm: Crm, fleet: tuple[int, int]) -> None:
    _, customer = fleet
    crm.db.run(
        "insert into hosting_miners (customer_id, site_id, miner_model_id, serial_number,"
        " actual_hashrate, actual_power, approval_status) select"
        " :account, :site, :model, 'OTHER-' || other, 100, 3000, 'approved' from generate_series(1, 3000) other",
        account=crm.account(), site=crm.site(), model=crm.model("Antminer S21"),
    )  # fmt: skip
    crm.db.run(
        "insert into telemetry_daily (day, site_id, miner_id) select current_date - day, site_id, serial_number"
        " from generate_series(1, 12) day, hosting_miners where serial_number like 'OTHER-%'"
    )
    crm.db.run("analyze")
    crm.db.run("select crm_hosting.scope_to(null)")

    [[plan]] = crm.db.run(f"explain (format json) {PERFORMANCE}", customer_id=customer, link_any=True)

    assert '"Index Name": "telemetry_daily_site_id_miner_id_day_key"' in json.dumps(plan)


@pytest.mark.usefixtures("hosted")
def test_of_a_large_fleet_the_worst_are_named_and_all_are_counted(client: Client, crm: Crm) -> None:
    admin, customer = crm.account(role="admin"), crm.customer("large@example.com")
    account, site = crm.account("large@example.com"), crm.site("北" * 100)
    models = [crm.model(f"{number:03}{'极' * 97}") for number in range(250)]
    crm.db.run(
        "insert into hosting_miners (customer_id, site_id, miner_model_id, serial_number, rack_position,"
        " actual_hashrate, actual_power, status, approval_status, cgminer_online, last_seen)"
        " select :account, :site, :model + i % 250, i || repeat(E'\\x01', 90), repeat('\"', 50), i / 100.0, 3000,"
        " 'active', 'approved', false, now() at time zone 'utc' - i * interval '1 hour'"
        " from generate_series(1, 5000) i",
        account=account, site=site, model=models[0],
    )  # fmt: skip

    answer = client.get(path_to(customer), admin)
    found = data(answer)

    assert len(body_of(answer)) < 500_000
    assert (found["hashrate"]["low"], found["silent"]["count"], found["miners_count"]) == (5000, 5000, 5000)
    assert [one["hashrate"] for one in found["hashrate"]["lowest"]] == [number / 100 for number in range(1, 51)]
    assert [one["id"] for one in found["silent"]["longest"]] == sorted(
        (one["id"] for one in found["silent"]["longest"]), reverse=True
    )
    assert len(found["silent"]["longest"]) == 50
    assert len(found["by_model"]) == 200
