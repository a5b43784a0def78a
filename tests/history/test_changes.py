"""Which fleets changed on a day, against what each customer's own history says of the two days."""

import csv
import io
import json
import random
from typing import Any

import pytest
from pg8000.native import Connection

from crm_services.history import changes
from crm_services.history.changes import MOST_LOOKED_AT
from tests.support.client import Client
from tests.support.crm import Crm
from tests.support.days import ago, days_pass, run, sync

CHANGES = "/crm/api/hosting/changes"
SHOWN = ("miners_count", "active_miners", "offline_miners", "maintenance_miners", "total_hashrate", "total_power",
         "net_profit_daily")  # fmt: skip
# What a day has that is the fleet's and not the market's. What earns shows by the dollars that one day's market makes.
FLEETS = (*SHOWN[:-1], "electricity_cost_daily")

SEASON, NEW = 60, 33
EVENTS = {45: "moves", 38: "returns", 9: "leaves"}

Answer = dict[str, Any]


def asked(client: Client, user: int, query: str = "") -> Answer:
    answer: Answer = json.loads(client.get(f"{CHANGES}?{query}", user).get_data())
    assert answer.pop("success") is True, answer
    return answer


@pytest.fixture
def admin(crm: Crm) -> int:
    return crm.account(role="admin")


@pytest.fixture
def fleet(crm: Crm) -> int:
    crm.snapshot(price=90_000, difficulty=1e14)
    return crm.linked_customer(quantity=10, actual_hashrate=100.0)


def change(owner: Connection, customer: int, **values: object) -> None:
    for name, value in values.items():
        owner.run(
            f"update user_miners set {name} = :value where user_id = (select a.id from user_access a"
            " join crm_customers c on c.email = a.email where c.id = :customer)",
            value=value, customer=customer,
        )  # fmt: skip


def test_a_fleet_that_changed_is_shown_as_it_was_and_as_it_is(
    client: Client, crm: Crm, owner: Connection, admin: int, fleet: int
) -> None:
    crm.linked_customer(quantity=3)
    run()
    days_pass(owner, 3)
    crm.snapshot(price=100_000, difficulty=2e14)
    change(owner, fleet, quantity=7)
    run()

    answer = asked(client, admin)

    days = json.loads(client.get(f"/crm/api/customer/{fleet}/hosting-history", admin).get_data())["data"]
    before, after = ({name: day[name] for name in SHOWN} for day in (days[-2], days[-1]))
    assert (before["miners_count"], after["miners_count"]) == (10, 7)
    assert answer == {
        "data": [{"customer_id": fleet, "name": crm.row(fleet)["name"], "before": before, "after": after}],
        "day": ago(0), "since": ago(3), "count": 1, "next": None,
        "market": {"before": {"btc_price": 90_000, "network_difficulty": 1e14},
                   "after": {"btc_price": 100_000, "network_difficulty": 2e14}},
    }  # fmt: skip


def test_prices_that_move_alone_change_no_fleet(client: Client, crm: Crm, owner: Connection, admin: int) -> None:
    crm.snapshot(price=90_000)
    crm.linked_customer()
    run()
    days_pass(owner)
    crm.snapshot(price=50_000)
    run()

    answer = asked(client, admin)
    assert (answer["data"], answer["count"], answer["since"]) == ([], 0, ago(1))
    assert answer["market"]["after"]["btc_price"] == 50_000


def test_a_move_to_another_site_is_no_change_of_the_fleets_figures(
    client: Client, owner: Connection, admin: int, fleet: int
) -> None:
    run()
    days_pass(owner)
    change(owner, fleet, location="Texas")
    run()

    assert asked(client, admin)["count"] == 0


def test_before_the_second_day_there_is_nothing_to_compare_with(
    client: Client, owner: Connection, admin: int, fleet: int
) -> None:
    nothing = {"data": [], "count": 0, "next": None, "since": None}
    assert asked(client, admin) == nothing | {"day": None, "market": {"before": None, "after": None}}
    run()
    first = nothing | {"day": ago(0)}
    first["market"] = {"before": None, "after": {"btc_price": 90_000, "network_difficulty": 1e14}}
    assert asked(client, admin) == first
    assert asked(client, admin, f"day={ago(1)}") == nothing | {
        "day": ago(1), "market": {"before": None, "after": None},
    }  # fmt: skip


def test_a_new_fleet_was_none_before(client: Client, crm: Crm, owner: Connection, admin: int, fleet: int) -> None:
    run()
    days_pass(owner)
    new = crm.linked_customer(quantity=2)
    run()
    days_pass(owner)
    change(owner, new, quantity=1)
    run()

    for day, was, now in ((1, None, 2), (0, 2, 1)):
        [item] = asked(client, admin, f"day={ago(day)}")["data"]
        assert item["customer_id"] == new
        assert (item["before"] and item["before"]["miners_count"], item["after"]["miners_count"]) == (was, now)


def test_what_is_undone_within_the_day_is_no_change(client: Client, owner: Connection, admin: int, fleet: int) -> None:
    run()
    days_pass(owner)
    for quantity in (2, 10):
        change(owner, fleet, quantity=quantity)
        run()

    assert asked(client, admin)["count"] == 0


def test_lost_links_and_days_of_another_account_are_not_shown(
    client: Client, crm: Crm, owner: Connection, admin: int
) -> None:
    crm.snapshot()
    lost, moved, cut = (crm.linked_customer(quantity=n) for n in (5, 6, 7))
    other = crm.account("other@example.com")
    crm.miners(other, 3)
    run()
    days_pass(owner)
    owner.run("update crm_customers set email = null where id = :id", id=lost)
    owner.run("update crm_customers set email = 'other@example.com' where id = :id", id=moved)
    change(owner, cut, quantity=1)
    run()
    found = {item["customer_id"]: item["before"] for item in asked(client, admin)["data"]}
    assert found.keys() == {moved, cut}
    assert found[moved] is None

    owner.run("update crm_customers set email = null where id = :id", id=cut)
    assert [item["customer_id"] for item in asked(client, admin)["data"]] == [moved]


def test_whose_link_is_lost_or_who_is_deleted_since_is_neither_counted_nor_leaves_a_gap_in_a_page(
    client: Client, crm: Crm, owner: Connection, admin: int
) -> None:
    crm.snapshot()
    tenant = crm.account(role="mining_site_owner")
    fleets = [crm.linked_customer(tenant, quantity=20 + n) for n in range(6)]
    run()
    days_pass(owner)
    for fleet in fleets:
        change(owner, fleet, quantity=1)
    run()
    unlinked, deleted = fleets[5], fleets[3]
    owner.run("update crm_customers set email = null where id = :id", id=unlinked)
    owner.run("delete from crm_customers where id = :id", id=deleted)

    for who in (admin, tenant):
        first = asked(client, who, "limit=2")
        second = asked(client, who, f"limit=2&after={first['next']}")
        assert [[one["customer_id"] for one in page["data"]] for page in (first, second)] == [
            [fleets[4], fleets[2]],
            [fleets[1], fleets[0]],
        ]
        assert (first["count"], second["count"], second["next"]) == (4, 4, None)


def test_of_very_many_changes_each_is_listed_once(
    client: Client, crm: Crm, owner: Connection, admin: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm.snapshot()
    fleets = [crm.linked_customer(quantity=n) for n in (7, 6, 5, 4)]
    run()
    days_pass(owner)
    for customer in fleets:
        change(owner, customer, quantity=1)
    run()
    few = f"<= {MOST_LOOKED_AT} from changed"
    monkeypatch.setattr(changes, "EVERYBODYS_CHANGES", changes.EVERYBODYS_CHANGES.replace(few, "<= 3 from changed"))

    first = asked(client, admin, "limit=3")
    second = asked(client, admin, f"limit=3&after={first['next']}")

    assert [one["customer_id"] for one in first["data"] + second["data"]] == fleets
    assert (first["count"], second["count"], second["next"]) == (4, 4, None)


def test_a_tenant_sees_his_own_changes_as_of_his_own_runs(client: Client, crm: Crm, owner: Connection) -> None:
    crm.snapshot(price=90_000)
    alice, bob = (crm.account(role="mining_site_owner") for _ in range(2))
    hers, his = (crm.linked_customer(owner=who, quantity=9) for who in (alice, bob))
    run()
    days_pass(owner)
    crm.snapshot(price=70_000)
    for customer in (hers, his):
        change(owner, customer, quantity=4)
    run(alice)

    answer = asked(client, alice)
    assert [item["customer_id"] for item in answer["data"]] == [hers]
    assert (answer["day"], answer["since"], answer["count"]) == (ago(0), ago(1), 1)
    assert answer["market"]["after"]["btc_price"] == 70_000
    assert (asked(client, bob)["day"], asked(client, bob)["count"]) == (ago(1), 0)


@pytest.mark.parametrize(
    "query",
    ["day=2026-02-30", "day=x", "day=2026-1-1", "day=0000-01-01", "day=infinity", "day=2026-01-01%00",
     "limit=0", "limit=1001", "after=1", "after=x:1", "after=NaN:1"],
)  # fmt: skip
def test_what_is_no_day_or_no_place_is_told_so(client: Client, admin: int, query: str) -> None:
    answer = client.get(f"{CHANGES}?{query}", admin)
    assert answer.status_code == 400
    assert query.partition("=")[0] in json.loads(answer.get_data())["error"]


@pytest.mark.parametrize("query", ["day=0001-01-01", "day=9999-12-31", "day=", "after=0:1", f"after={'9' * 400}.99:-9"])
def test_a_day_at_the_end_of_time_is_a_day(
    client: Client, owner: Connection, admin: int, query: str, fleet: int
) -> None:
    run()
    assert asked(client, admin, query)["count"] == 0


def test_pages_have_each_change_once_the_largest_first(client: Client, crm: Crm, owner: Connection, admin: int) -> None:
    crm.snapshot()
    fleets = [crm.linked_customer(quantity=20, actual_hashrate=100.125) for _ in range(7)]
    run()
    days_pass(owner)
    for lost, customer in zip((1, 5, 5, 2, 7, 5, 3), fleets, strict=True):
        change(owner, customer, quantity=20 + (lost if customer % 2 else -lost))
    run()

    seen, after = [], ""
    while after is not None:
        page = asked(client, admin, f"limit=3&after={after}")
        assert page["count"] == 7
        seen += [item["customer_id"] for item in page["data"]]
        after = page["next"]
    assert seen == [fleets[n] for n in (4, 1, 2, 5, 6, 3, 0)]


def test_the_table_has_a_column_for_each_figure(
    client: Client, crm: Crm, owner: Connection, admin: int, fleet: int
) -> None:
    run()
    days_pass(owner)
    change(owner, fleet, quantity=4)
    new = crm.linked_customer(quantity=3)
    run()

    answer = client.get(f"{CHANGES}?format=csv&limit=1", admin)
    rows = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert [(row["customer_id"], row["before.miners_count"], row["after.miners_count"]) for row in rows] == [
        (str(fleet), "10", "4")
    ]
    assert set(rows[0]) == {
        "customer_id",
        "name",
        *(f"{when}.{name}" for when in ("before", "after") for name in SHOWN),
    }
    following = answer.headers["Link"].partition(">")[0].lstrip("<")
    [row] = csv.DictReader(io.StringIO(client.get(following, admin).get_data().decode("utf-8-sig")))
    assert (row["customer_id"], row["before.miners_count"], row["after.total_power"]) == (str(new), "", "9000")


def test_a_new_fleet_without_machines_is_none(client: Client, crm: Crm, owner: Connection, admin: int) -> None:
    crm.linked_customer()
    run()
    days_pass(owner)
    crm.linked_customer(status="sold")
    run()

    assert asked(client, admin)["count"] == 0


def test_a_season_of_changes_agrees_with_every_customers_own_history(
    client: Client, crm: Crm, owner: Connection, admin: int
) -> None:
    tenants = [crm.account(role="mining_site_owner") for _ in range(2)]
    customers = {crm.linked_customer(owner=who, quantity=4): who for who in (tenants[0], tenants[1], None, tenants[0])}
    crm.miners(crm.account("spare@example.com"), 8)
    marks = _season(crm, owner, tenants, customers)
    histories = {
        customer: {
            day["day"]: day
            for day in json.loads(
                client.get(f"/crm/api/customer/{customer}/hosting-history?from={ago(SEASON + 9)}", admin).get_data()
            )["data"]
        }
        for customer in customers
    }

    changed = 0
    for who in (None, *tenants):
        for age in range(SEASON + 2):
            day = ago(age)
            since = max((one for one in marks[who] if one < day), default=None)
            expected = {}
            for customer, whose in customers.items() if since else ():
                before, after = (histories[customer].get(one) for one in (since, day))
                if who in (None, whose) and _differ(before, after):
                    expected[customer] = [one and {name: one[name] for name in SHOWN} for one in (before, after)]
            answer = asked(client, who or admin, f"day={day}")
            found = {item["customer_id"]: [item["before"], item["after"]] for item in answer["data"]}
            assert (answer["since"], answer["count"], found) == (since, len(expected), expected), (who, day)
            changed += len(expected)
    assert changed > 30


def _season(
    crm: Crm, owner: Connection, tenants: list[int], customers: dict[int, int | None]
) -> dict[int | None, list[str]]:
    """Weeks of changes, prices, moves and runs of everybody's, an owner's and one customer's; who was synced when."""
    chance = random.Random(7)  # noqa: S311
    first, second, *_ = customers
    own = crm.row(first)["email"]
    marks: dict[int | None, list[str]] = {None: [], tenants[0]: [], tenants[1]: []}
    for age in range(SEASON, -1, -1):
        for _ in range(chance.choice([0, 1, 2])):
            owner.run(
                "update user_miners set quantity = :n, status = :status, electricity_cost = :cost"
                " where id = (select id from user_miners order by id offset :place limit 1)",
                n=chance.randint(0, 4), status=chance.choice(["active", "active", "offline", "maintenance", "sold"]),
                cost=chance.choice([0.04, 0.05]), place=chance.randrange(5),
            )  # fmt: skip
        if age in EVENTS:
            email = {"moves": "spare@example.com", "returns": own}.get(EVENTS[age])
            customer = second if EVENTS[age] == "leaves" else first
            owner.run("update crm_customers set email = :email where id = :id", email=email, id=customer)
        if age == NEW:
            customers[crm.linked_customer(owner=tenants[1], quantity=6)] = tenants[1]
        for what in chance.choices(["everybody", "everybody", "tenant", "one", "nobody"], k=chance.choice([1, 1, 2])):
            if chance.random() < 0.6:
                crm.snapshot(price=round(chance.uniform(50_000, 120_000), 2), difficulty=chance.uniform(1e14, 2e14))
            if what == "one":
                sync(first)
            elif what != "nobody":
                run(tenants[0] if what == "tenant" else None)
                for who, days in marks.items():
                    if what == "everybody" or who == tenants[0]:
                        days.append(ago(age))
        if age:
            days_pass(owner)
    return marks


def _differ(before: Answer | None, after: Answer | None) -> bool:
    if after is None:
        return False
    return after["miners_count"] > 0 if before is None else any(before[name] != after[name] for name in FLEETS)
