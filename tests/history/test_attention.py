"""What needs attention: exactly what changed for the worse, and nothing that comes and goes at a threshold."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from pg8000.native import Connection

from tests.support.client import Client, data
from tests.support.crm import Crm
from tests.support.days import ago, days_pass, run
from tests.support.emf import metrics_in

pytestmark = pytest.mark.usefixtures("environment")

PATH = "/crm/api/hosting/attention"
Days = Callable[..., list[list[str]]]


@pytest.fixture
def admin(crm: Crm) -> int:
    return crm.account(role="admin")


def fleet(crm: Crm, machines: int = 100) -> int:
    """A customer with so many machines that run and a batch of none that do not."""
    account = crm.account()
    crm.miners(account, machines, actual_hashrate=1.0)
    crm.miners(account, 0, status="offline", actual_hashrate=1.0)
    [[email]] = crm.db.run("select email from user_access where id = :id", id=account)
    return crm.customer(email)


def set_offline(owner: Connection, offline: int, machines: int = 100) -> None:
    owner.run(
        "update user_miners set quantity = case status when 'offline' then :off::integer else :on::integer end",
        off=offline, on=machines - offline,
    )  # fmt: skip


@pytest.fixture
def kinds(client: Client, owner: Connection, admin: int) -> Days:
    """Let days pass of one fleet, given its offline machines each day: which kinds are on the list on each."""

    def of(*offline: int) -> list[list[str]]:
        found = []
        for number in offline:
            days_pass(owner)
            set_offline(owner, number)
            run()
            found.append(sorted(item["kind"] for item in data(client.get(PATH, admin))))
        return found

    return of


def test_a_fifth_less_hashrate_is_noticed_the_day_it_is_lost(
    client: Client, crm: Crm, owner: Connection, admin: int
) -> None:
    customer, other = crm.linked_customer(quantity=10), crm.linked_customer(quantity=100)
    run()
    days_pass(owner)
    owner.run("update user_miners set quantity = case quantity when 10 then 8 else 81 end")
    run()

    [item] = data(client.get(PATH, admin))
    assert item == {
        "customer_id": customer, "name": crm.row(customer)["name"], "kind": "hashrate_down",
        "since": ago(0), "before": 1000, "after": 800, "severity": 20,
    }  # fmt: skip
    assert other


def test_an_offline_share_over_a_fifth_is_noticed_and_one_of_a_fifth_is_not(crm: Crm, kinds: Days) -> None:
    fleet(crm)
    assert kinds(0, 10, 20, 21) == [[], [], [], ["offline_share"]]


def test_nothing_comes_and_goes_at_a_threshold(crm: Crm, kinds: Days) -> None:
    fleet(crm)

    both = ["hashrate_down", "offline_share"]
    assert kinds(0, 21, 19, 21, 20, 18, 21, 16) == [[], *[both] * 7]
    assert kinds(15, 19, 20, 15) == [[]] * 4


def test_what_is_worse_from_the_start_did_not_change(crm: Crm, kinds: Days) -> None:
    fleet(crm)
    assert kinds(50, 50, 51) == [[]] * 3


def test_what_stays_worse_for_a_month_is_what_is_usual(
    crm: Crm, client: Client, owner: Connection, admin: int, kinds: Days
) -> None:
    fleet(crm)
    assert kinds(0, 40)[-1] == ["hashrate_down", "offline_share"]
    days_pass(owner, 29)
    run()
    assert len(data(client.get(PATH, admin))) == 2
    days_pass(owner)
    run()
    assert data(client.get(PATH, admin)) == []


def test_a_lost_link_is_noticed_until_there_is_one(client: Client, crm: Crm, owner: Connection, admin: int) -> None:
    customer = crm.linked_customer()
    [[email]] = owner.run("select email from crm_customers")
    run()
    days_pass(owner)
    owner.run("update crm_customers set email = null")
    run()
    run()
    [item] = data(client.get(PATH, admin))
    assert (item["customer_id"], item["kind"], item["severity"]) == (customer, "link_lost", 100)

    days_pass(owner)
    owner.run("update crm_customers set email = :email", email=email)
    run()
    assert data(client.get(PATH, admin)) == []


def test_figures_that_turn_unusable_are_noticed(client: Client, crm: Crm, owner: Connection, admin: int) -> None:
    crm.linked_customer()
    run()
    days_pass(owner)
    owner.run("update user_miners set electricity_cost = 'NaN'")
    run()
    assert [item["kind"] for item in data(client.get(PATH, admin))] == ["unusable_figure"]

    days_pass(owner)
    owner.run("update user_miners set electricity_cost = 0.05")
    run()
    assert data(client.get(PATH, admin)) == []


def test_another_accounts_fleet_is_no_loss(client: Client, crm: Crm, owner: Connection, admin: int) -> None:
    crm.miners(crm.account("large@example.com"), 100)
    crm.miners(crm.account("small@example.com"), 1)
    crm.customer("large@example.com")
    run()
    days_pass(owner)
    owner.run("update crm_customers set email = 'small@example.com'")
    run()

    assert data(client.get(PATH, admin)) == []


def test_everybody_sees_his_own_worst_first(client: Client, crm: Crm, owner: Connection, admin: int) -> None:
    alice, bob = crm.account(role="mining_site_owner"), crm.account(role="mining_site_owner")
    customers = [crm.linked_customer(owner=tenant, quantity=100) for tenant in (alice, alice, bob)]
    run()
    days_pass(owner)
    for customer, left in zip(customers, (70, 10, 50), strict=True):
        owner.run(
            "update user_miners m set quantity = :left from user_access a, crm_customers c"
            " where a.id = m.user_id and a.email = c.email and c.id = :id", left=left, id=customer,
        )  # fmt: skip
    run()

    def seen(user: int, query: str = "") -> list[int]:
        return [item["customer_id"] for item in data(client.get(PATH + query, user))]

    assert seen(admin) == [customers[1], customers[2], customers[0]]
    assert seen(alice) == [customers[1], customers[0]]
    assert seen(bob) == [customers[2]]
    assert seen(admin, "?limit=1") == [customers[1]]


def test_the_thresholds_are_settings(crm: Crm, environment: pytest.MonkeyPatch, kinds: Days) -> None:
    environment.setenv("HASHRATE_DROP_PERCENT", "50")
    environment.setenv("OFFLINE_PERCENT", "30")
    fleet(crm)
    assert kinds(0, 30, 31, 23, 22, 0, 50) == [
        [], [], ["offline_share"], ["offline_share"], [], [], ["hashrate_down", "offline_share"]
    ]  # fmt: skip


def test_the_run_says_how_many_customers_there_are(
    crm: Crm, owner: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        crm.linked_customer(quantity=10)
    run()
    days_pass(owner)
    owner.run("update user_miners set quantity = 1 where id > (select min(id) from user_miners)")
    capsys.readouterr()
    run()

    found = {metric.name: metric.value for metric in metrics_in(capsys.readouterr().out)}
    assert found["CustomersNeedingAttention"] == 2


def test_a_season_of_outages_is_told_as_a_reading_by_hand_tells_it(
    client: Client, crm: Crm, owner: Connection, admin: int
) -> None:
    chance = random.Random(7)  # noqa: S311
    customer = fleet(crm)
    noted: dict[str, Any] = {}
    before: int | None = None
    offline = 0
    for _ in range(60):
        days_pass(owner)
        if chance.random() < 0.3:
            offline = chance.choice([0, 5, 14, 15, 16, 19, 20, 21, 25, 60, 100])
        set_offline(owner, offline)
        run()
        running = 100 - offline
        noted = {kind: (age + 1, was) for kind, (age, was) in noted.items()}
        if "hashrate_down" in noted and running * 100 >= noted["hashrate_down"][1] * 85:
            del noted["hashrate_down"]
        if "offline_share" in noted and offline <= 15:
            del noted["offline_share"]
        noted = {kind: (age, was) for kind, (age, was) in noted.items() if age < 30}
        if before is not None and before != offline:
            if 100 - before > 0 and running * 100 <= (100 - before) * 80:
                noted.setdefault("hashrate_down", (0, 100 - before))
            if offline > 20 >= before:
                noted.setdefault("offline_share", (0, before))
        before = offline

        shown = {item["kind"]: (item["since"], item["before"]) for item in data(client.get(PATH, admin))}
        assert shown == {kind: (ago(age), was) for kind, (age, was) in noted.items()}
    assert customer
