"""Where fleets stood, day by day: a move is a change, and what stands where adds up to the fleet."""

import random
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from pg8000.native import Connection

from tests.support.client import Client, data
from tests.support.crm import Crm
from tests.support.days import ago, days_pass, run

SCOPE = "/crm/api/hosting/history"
Places = dict[str, tuple[int, Decimal, int]]


@pytest.fixture
def admin(crm: Crm) -> int:
    return crm.account(role="admin")


def history(client: Client, customer: int, admin: int) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = data(
        client.get(f"/crm/api/customer/{customer}/hosting-history?from={ago(99)}", admin)
    )
    return shown


def standing(day: dict[str, Any]) -> Places:
    """A day's locations, which have to come to its figures."""
    places = {
        name: (place["count"], Decimal(str(place["hashrate"])), place["power"])
        for name, place in day["by_location"].items()
    }
    figures = [sum((one[n] for one in places.values()), Decimal(0)) for n in range(3)]
    assert figures == [day["miners_count"], Decimal(str(day["total_hashrate"])), day["total_power"]]
    return places


def machines(owner: Connection, accounts: list[int]) -> Places:
    """What stands where, added up by hand."""
    rows = owner.run(
        "select location, quantity, actual_hashrate, actual_power from user_miners"
        " where status <> 'sold' and user_id = any(:accounts)", accounts=accounts,
    )  # fmt: skip
    places: Places = defaultdict(lambda: (0, Decimal(0), 0))
    for location, quantity, hashrate, power in rows:
        name = (location or "").strip() or "__none__"
        count, terahash, watts = places[name]
        places[name] = (count + quantity, terahash + quantity * Decimal(str(hashrate)), watts + quantity * power)
    return dict(places)


def test_machines_that_were_moved_are_a_change_and_nothing_else_is(
    client: Client, crm: Crm, owner: Connection, admin: int
) -> None:
    crm.snapshot()
    customer = crm.linked_customer(quantity=4, location="North")
    account = owner.run("select max(user_id) from user_miners")[0][0]
    crm.miners(account, 4, location="North")
    run()
    days_pass(owner)
    run()  # nothing changed
    days_pass(owner)
    owner.run("update user_miners set location = 'South' where id = (select max(id) from user_miners)")
    run()
    days_pass(owner)
    # As the autosave does it: the same rows, inserted anew.
    owner.run("create temp table kept as select * from user_miners; ")
    owner.run("delete from user_miners")
    owner.run("update kept set id = id + 1000")
    owner.run("insert into user_miners overriding system value select * from kept")
    run()

    one, half = {"count": 8, "hashrate": 800, "power": 24_000}, {"count": 4, "hashrate": 400, "power": 12_000}
    assert [day["by_location"] for day in history(client, customer, admin)] == [
        {"North": one}, {"North": one}, {"North": half, "South": half}, {"North": half, "South": half}
    ]  # fmt: skip
    kept = owner.run("select day, places from crm_hosting.fleet_days union all"
                     " select day, places from crm_hosting.fleet_now order by 1")  # fmt: skip
    assert [(str(day), places) for day, places in kept] == [
        (ago(3), '"North"'), (ago(1), '{"North":[4,400,12000],"South":[4,400,12000]}')
    ]  # fmt: skip


def test_figures_that_change_places_are_a_change(client: Client, crm: Crm, owner: Connection, admin: int) -> None:
    customer = crm.linked_customer(quantity=1, location="North", actual_hashrate=100.0)
    account = owner.run("select max(user_id) from user_miners")[0][0]
    crm.miners(account, 1, location="South", actual_hashrate=200.0)
    crm.miners(account, 1, location="South", actual_hashrate=300.0, status="sold")
    run()
    days_pass(owner)
    owner.run("update user_miners set actual_hashrate = 300 - actual_hashrate where actual_hashrate < 300")
    run()

    hashrates = [{name: place["hashrate"] for name, place in day["by_location"].items()}
                 for day in history(client, customer, admin)]  # fmt: skip
    assert hashrates == [{"South": 200, "North": 100}, {"North": 200, "South": 100}]


def test_every_day_has_its_locations_of_a_customer_and_of_a_scope(
    client: Client, crm: Crm, owner: Connection, admin: int
) -> None:
    chance = random.Random(21)  # noqa: S311
    tenant = crm.account(role="mining_site_owner")
    accounts = [crm.account(f"fleet{n}@example.com") for n in range(4)]
    customers = [crm.customer(f"fleet{n}@example.com", tenant if n < 3 else None) for n in range(4)]
    crm.customer("fleet0@example.com", tenant)  # who shares a fleet
    crm.customer("fleet1@example.com")
    sites = ["Texas DC-01", "Norway", " Norway ", "", None, '"quoted" {name}', "北"]
    for account in accounts:
        for _ in range(3):
            crm.miners(account, chance.randint(1, 9), location=chance.choice(sites), actual_hashrate=100.25)
    expected: list[list[Places]] = []
    for _ in range(12):
        days_pass(owner)
        for account in chance.sample(accounts, chance.randint(0, 3)):
            owner.run(
                "update user_miners set location = :site, quantity = :quantity, status = :status where id ="
                " (select id from user_miners where user_id = :account order by random() limit 1)",
                site=chance.choice(sites), quantity=chance.randint(0, 9), account=account,
                status=chance.choice(["online", "offline", "sold", "error"]),
            )  # fmt: skip
        run()
        expected.append([machines(owner, scope) for scope in ([a] for a in accounts)]
                        + [machines(owner, accounts[:3]), machines(owner, accounts)])  # fmt: skip

    answers = [history(client, customer, admin) for customer in customers]
    answers += [data(client.get(SCOPE, user)) for user in (tenant, admin)]
    for place, days in enumerate(answers):
        there = [{name: one for name, one in then[place].items() if one[0]} for then in expected]
        assert [standing(day) for day in days] == there


def test_beyond_twenty_a_scopes_others_are_together(client: Client, crm: Crm, owner: Connection, admin: int) -> None:
    for customer in range(2):
        crm.linked_customer(quantity=1, location=f"Site {customer}")
        account = owner.run("select max(user_id) from user_miners")[0][0]
        for number in range(1, 26):
            crm.miners(account, number, location=f"Site {customer}.{number}", actual_hashrate=10.0 + customer)
    run()

    [of_one] = history(client, 1, admin)
    [of_all] = data(client.get(SCOPE, admin))
    assert list(of_one["by_location"])[-1] == list(of_all["by_location"])[-1] == "__other__"
    assert len(standing(of_one)) == len(standing(of_all)) == 21
    assert next(iter(of_all["by_location"])) == "Site 1.25"


def test_a_day_that_was_kept_before_locations_were_says_so(
    client: Client, crm: Crm, owner: Connection, admin: int
) -> None:
    customer = crm.linked_customer(location="North")
    run()
    owner.run("update crm_hosting.fleet_now set places = null, fingerprint = null")
    owner.run("update crm_hosting.scope_days set places = null")
    days_pass(owner)
    run()

    for days in (history(client, customer, admin), data(client.get(SCOPE, admin))):
        assert [day["by_location"] and list(day["by_location"]) for day in days] == [None, ["North"]]
