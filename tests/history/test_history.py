"""A customer's days and a scope's, as they are shown: equal to what the syncs wrote, to the last digit."""

import json
import random
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from pg8000.native import Connection

from tests.support.client import Client, data
from tests.support.crm import DIFFICULTY, Crm
from tests.support.days import ago, days_pass, run, sync

SCOPE = "/crm/api/hosting/history"


def path(customer: int, first: int = 399) -> str:
    return f"/crm/api/customer/{customer}/hosting-history?from={ago(first)}"


@pytest.fixture
def admin(crm: Crm) -> int:
    return crm.account(role="admin")


def test_a_day_says_what_the_sync_wrote_that_day(client: Client, crm: Crm, owner: Connection, admin: int) -> None:
    crm.snapshot(price=98_765.43)
    customer = crm.linked_customer(quantity=7, actual_hashrate=101.37, electricity_cost=0.0531)
    run()
    record = crm.row(customer)

    [day] = data(client.get(path(customer), admin))

    assert day == {
        "day": ago(0), "carried": False,
        "miners_count": 7, "active_miners": 7, "offline_miners": 0, "maintenance_miners": 0,
        "total_hashrate": 709.59, "total_power": 21_000,
        "estimated_daily_btc": float(record["hosting_estimated_daily_btc"]),
        "estimated_daily_usd": float(record["hosting_estimated_daily_usd"]),
        "electricity_cost_daily": 26.76,
        "net_profit_daily": float(record["hosting_net_profit_daily"]),
        "by_location": {"__none__": {"count": 7, "hashrate": 709.59, "power": 21_000}},
        "btc_price": 98_765.43, "network_difficulty": pytest.approx(DIFFICULTY),
    }  # fmt: skip


def test_a_year_of_changes_prices_and_gaps_agrees_with_what_was_written_day_by_day(
    client: Client, crm: Crm, owner: Connection, admin: int
) -> None:
    chance = random.Random(20)  # noqa: S311
    tenant = crm.account(role="mining_site_owner")
    customers = [crm.linked_customer(owner=tenant if n % 2 else None, quantity=n + 1) for n in range(4)]
    written: dict[int, list[dict[str, Any]]] = {customer: [] for customer in customers}
    for age in range(60, -1, -1):
        if chance.random() < 0.4:
            owner.run(
                "update user_miners set quantity = :n, status = :status, actual_hashrate = :hashrate"
                " where id = (select id from user_miners order by id offset :place limit 1)",
                n=chance.randint(0, 9), status=chance.choice(["active", "offline", "maintenance", "sold"]),
                hashrate=round(chance.uniform(50, 200), chance.randint(0, 4)), place=chance.randrange(4),
            )  # fmt: skip
        if chance.random() < 0.7:
            crm.snapshot(price=round(chance.uniform(50_000, 120_000), 2))
        synced = set()
        match chance.choice(["everybody", "everybody", "everybody", "tenant", "one", "nobody"]):
            case "everybody":
                run()
                synced = set(customers)
            case "tenant":
                run(tenant)
                synced = {customers[1], customers[3]}
            case "one":
                sync(customers[0])
                synced = {customers[0]}
        for customer in customers:
            record = crm.row(customer)
            if record["hosting_synced_at"]:
                written[customer].append({"record": record, "day": ago(age), "carried": customer not in synced})
        if age:
            days_pass(owner)

    for customer in customers:
        shown = data(client.get(path(customer), admin))
        assert len(shown) == len(written[customer]) > 50
        for day, then in zip(shown, written[customer], strict=True):
            record = then["record"]
            assert (day["day"], day["carried"], day["miners_count"]) == (
                then["day"], then["carried"], record["miners_count"]
            )  # fmt: skip
            assert [day[name] for name in ("estimated_daily_btc", "estimated_daily_usd", "net_profit_daily")] == [
                float(record[f"hosting_{name}"])
                for name in ("estimated_daily_btc", "estimated_daily_usd", "net_profit_daily")
            ]


def test_a_period_begins_in_the_midst_of_what_did_not_change(
    client: Client, crm: Crm, owner: Connection, admin: int
) -> None:
    crm.snapshot(price=90_000)
    customer = crm.linked_customer(quantity=1)
    run()
    days_pass(owner, 10)
    crm.snapshot(price=95_000)
    owner.run("update user_miners set quantity = 2")
    run()
    days_pass(owner, 5)

    shown = data(client.get(f"{path(customer, 12)}&to={ago(4)}", admin))

    assert [day["day"] for day in shown] == [ago(n) for n in range(12, 3, -1)]
    assert [day["miners_count"] for day in shown] == [1] * 7 + [2] * 2
    assert [day["btc_price"] for day in shown] == [90_000] * 7 + [95_000] * 2
    assert [day["day"] for day in shown if not day["carried"]] == [ago(5)]


def test_a_day_without_a_market_has_no_dollars(client: Client, crm: Crm, owner: Connection, admin: int) -> None:
    customer, idle = crm.linked_customer(), crm.linked_customer(status="sold")
    run()

    [day] = data(client.get(path(customer), admin))
    assert [day[name] for name in ("estimated_daily_btc", "estimated_daily_usd", "net_profit_daily")] == [None] * 3
    assert (day["btc_price"], day["electricity_cost_daily"]) == (None, 3.6)
    assert data(client.get(path(idle), admin))[0]["net_profit_daily"] == 0


def test_who_has_no_day_has_an_empty_history(client: Client, crm: Crm, admin: int) -> None:
    assert data(client.get(path(crm.customer("nobody@example.com")), admin)) == []
    assert data(client.get(path(crm.linked_customer()), admin)) == []
    assert data(client.get(SCOPE, admin)) == []


def test_days_of_an_account_that_is_not_linked_any_more_are_not_shown(
    client: Client, crm: Crm, owner: Connection, admin: int
) -> None:
    customer = crm.linked_customer()
    run()
    days_pass(owner)
    owner.run("update crm_customers set email = null")
    assert data(client.get(path(customer), admin)) == []

    run()
    [day] = data(client.get(path(customer), admin))
    assert (day["day"], day["miners_count"]) == (ago(0), 0)


@pytest.mark.parametrize(
    "query",
    ["from=2026-02-30", "from=x", "to=2026-1-1", "to=0000-01-01", "from=2026-02-02&to=2026-02-01",
     "from=2025-01-01&to=2026-02-05", "from=infinity", "from=2026-01-01%00"],
)  # fmt: skip
def test_a_period_that_is_none_is_told_so(client: Client, crm: Crm, admin: int, query: str) -> None:
    customer = crm.linked_customer()
    for where in (f"/crm/api/customer/{customer}/hosting-history?{query}", f"{SCOPE}?{query}"):
        answer = client.get(where, admin)
        assert answer.status_code == 400, query


def test_a_period_that_is_too_long_is_told_how_long_it_may_be(client: Client, crm: Crm, admin: int) -> None:
    for query, allowed in (
        ("from=2025-01-01&to=2026-02-05", "2025-01-02 – 2026-02-05"),
        ("from=2026-02-02&to=2026-02-01", "2024-12-29 – 2026-02-01"),
        ("from=0001-02-01&to=0001-01-02", "0001-01-01 – 0001-01-02"),
        ("to=2026-02-30", "YYYY-MM-DD"),
    ):
        assert allowed in json.loads(client.get(f"{SCOPE}?{query}", admin).get_data())["error"]


@pytest.mark.parametrize("query", ["from=0001-01-01", "to=9999-12-31", "to=0001-01-01", "from=9999-12-31", "from="])
def test_a_period_at_the_end_of_time_is_a_period(client: Client, crm: Crm, admin: int, query: str) -> None:
    customer = crm.linked_customer()
    run()

    for where in (f"/crm/api/customer/{customer}/hosting-history?{query}", f"{SCOPE}?{query}"):
        assert len(data(client.get(where, admin))) <= 400


def test_unless_it_is_said_a_history_is_of_thirty_days_or_of_the_four_hundred_from_there(
    client: Client, crm: Crm, owner: Connection, admin: int
) -> None:
    customer = crm.linked_customer()
    run()
    days_pass(owner, 700)

    def shown(query: str) -> tuple[int, str, str]:
        days = data(client.get(f"/crm/api/customer/{customer}/hosting-history?{query}", admin))
        return len(days), days[0]["day"], days[-1]["day"]

    assert shown("") == (30, ago(29), ago(0))
    assert shown(f"to={ago(100)}") == (30, ago(129), ago(100))
    assert shown(f"from={ago(600)}") == (400, ago(600), ago(201))


def test_a_scopes_days_are_those_of_its_customers_together(
    client: Client, crm: Crm, owner: Connection, admin: int
) -> None:
    crm.snapshot()
    tenant = crm.account(role="mining_site_owner")
    crm.miners(crm.account("shared@example.com"), 5, electricity_cost=0.01)
    for someone in (tenant, tenant, None):
        crm.customer("shared@example.com", someone)
    crm.linked_customer(quantity=2)
    run()
    days_pass(owner, 2)
    owner.run("update crm_customers set email = 'x' || id where created_by_id is not null")
    run()

    everybodys = data(client.get(f"{SCOPE}?from={ago(10)}", admin))
    assert [(day["day"], day["carried"], day["customers"], day["miners_count"]) for day in everybodys] == [
        (ago(2), False, 4, 7), (ago(1), True, 4, 7), (ago(0), False, 2, 7)
    ]  # fmt: skip
    figures = {name: everybodys[0][name] for name in ("total_hashrate", "estimated_daily_usd", "net_profit_daily")}
    assert figures == {"total_hashrate": 700, "estimated_daily_usd": 70.0, "net_profit_daily": 70 - 3.6 - 7.2}
    his = data(client.get(f"{SCOPE}?from={ago(10)}", tenant))
    assert [(day["customers"], day["miners_count"]) for day in his] == [(2, 5), (2, 5), (0, 0)]


def test_a_scopes_days_are_its_own(client: Client, crm: Crm, owner: Connection) -> None:
    alice, bob = crm.account(role="mining_site_owner"), crm.account(role="mining_site_owner")
    crm.linked_customer(owner=alice)
    run()

    assert [day["miners_count"] for day in data(client.get(SCOPE, alice))] == [1]
    assert data(client.get(SCOPE, bob)) == []


def test_a_fleets_figures_are_worked_out_by_hand_too(client: Client, crm: Crm, owner: Connection, admin: int) -> None:
    price, difficulty, hashrate = 87_654.32, 1.4517e14, 123.4567
    crm.snapshot(price, difficulty)
    customer = crm.linked_customer(quantity=31, actual_hashrate=hashrate, electricity_cost=0.0471)
    run()

    [day] = json.loads(client.get(path(customer), admin).get_data(), parse_float=Decimal)["data"]

    terahash = 31 * Decimal(str(hashrate))
    btc = terahash * Decimal(10) ** 12 * 86_400 * Decimal("3.125") / (Decimal(difficulty) * 2**32)
    cent = Decimal("0.01")
    usd = (btc * Decimal(str(price))).quantize(cent, ROUND_HALF_UP)
    cost = (31 * 3 * 24 * Decimal("0.0471")).quantize(cent, ROUND_HALF_UP)
    assert day["estimated_daily_btc"] == btc.quantize(Decimal("1e-8"), ROUND_HALF_UP)
    assert (day["estimated_daily_usd"], day["electricity_cost_daily"], day["net_profit_daily"]) == (
        usd, cost, usd - cost
    )  # fmt: skip
    assert date.fromisoformat(day["day"])


def test_whose_last_customer_leaves_between_two_runs_of_a_day_has_nothing_on_it(
    client: Client, crm: Crm, owner: Connection, admin: int
) -> None:
    crm.snapshot()
    before, after = (crm.account(role="mining_site_owner") for _ in range(2))
    customer = crm.linked_customer(before, quantity=4)
    run()
    days_pass(owner)
    run()
    owner.run("update crm_customers set created_by_id = :id where id = :customer", id=after, customer=customer)
    run()

    def counts(user: int) -> list[tuple[str, int, int, Any]]:
        return [
            (day["day"], day["customers"], day["miners_count"], day["by_location"])
            for day in data(client.get(SCOPE, user))
        ]

    fleet = {"__none__": {"count": 4, "hashrate": 400, "power": 12_000}}
    assert counts(before) == [(ago(1), 1, 4, fleet), (ago(0), 0, 0, {})]
    assert counts(after) == [(ago(0), 1, 4, fleet)]
    assert counts(admin) == [(ago(1), 1, 4, fleet), (ago(0), 1, 4, fleet)]
