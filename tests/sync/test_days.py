"""A customer's days: kept by the sync, only where something changed, and nobody else's."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pg8000.native import Connection

from crm_services.access.entry import SCOPE_TO
from crm_services.base.errors import UnusableSetting
from crm_services.postgres.database import database
from crm_services.sync import batch, old_days, worker
from crm_services.sync.batch import TimeLimit
from crm_services.sync.ranges import sync_one
from tests.support.crm import Crm
from tests.support.days import days_pass
from tests.support.emf import metrics_in
from tests.support.runs import time_for

pytestmark = pytest.mark.usefixtures("environment")


def today() -> date:
    return datetime.now(UTC).date()


def ago(days: int) -> date:
    return today() - timedelta(days=days)


def run(tenant: int | None = None, **more: Any) -> None:
    batch.run(database, tenant, "console", **more)


def sync(customer: int) -> None:
    with database.transaction() as transaction:
        transaction.rows(SCOPE_TO, tenant_id=None)
        sync_one(transaction, customer)


def kept(owner: Connection, customer: int) -> list[tuple[Any, ...]]:
    """The customer's rows, oldest first: day, until (None: still), active, offline, maintenance."""
    rows = owner.run(
        """
        select day, until, active, offline, maintenance from crm_hosting.fleet_days where customer_id = :id
        union all
        select day, null, active, offline, maintenance from crm_hosting.fleet_now where customer_id = :id
        order by 1""",
        id=customer,
    )
    return [tuple(row) for row in rows]


def test_the_first_sync_begins_a_row_with_the_days_figures(crm: Crm, owner: Connection) -> None:
    crm.snapshot()
    customer = crm.linked_customer(quantity=3, actual_hashrate=100.12, electricity_cost=0.07)
    account = owner.run("select max(user_id) from user_miners")[0][0]
    crm.miners(account, 2, status="error")
    crm.miners(account, 4, status="maintenance")
    crm.miners(account, 8, status="sold")

    run()

    assert kept(owner, customer) == [(today(), None, 3, 2, 4)]
    [[hashrate, earning, power, cost]] = owner.run(
        "select hashrate::text, earning_hashrate::text, power, electricity_cost::text from crm_hosting.fleet_now"
    )
    assert (float(hashrate), float(earning), power, float(cost)) == (900.36, 300.36, 27_000, 15.12)


def test_a_change_on_the_same_day_stands_and_one_on_a_later_day_begins_a_row(crm: Crm, owner: Connection) -> None:
    customer = crm.linked_customer(quantity=3)
    run()
    owner.run("update user_miners set quantity = 4")
    run()
    assert kept(owner, customer) == [(today(), None, 4, 0, 0)]

    days_pass(owner, 3)
    owner.run("update user_miners set quantity = 5")
    run()
    run()

    assert kept(owner, customer) == [(ago(3), today(), 4, 0, 0), (today(), None, 5, 0, 0)]


def test_a_day_on_which_the_price_alone_moved_has_no_row(crm: Crm, owner: Connection) -> None:
    crm.snapshot(price=90_000)
    customer = crm.linked_customer()
    run()
    days_pass(owner)
    crm.snapshot(price=95_000)

    run()

    assert kept(owner, customer) == [(ago(1), None, 1, 0, 0)]
    assert owner.run("select day, btc_price::integer from crm_hosting.market_days order by 1") == [
        [ago(1), 90_000],
        [today(), 95_000],
    ]


def test_the_sync_of_one_customer_keeps_its_day_and_nobody_elses(crm: Crm, owner: Connection) -> None:
    one, another = crm.linked_customer(quantity=1), crm.linked_customer(quantity=2)

    sync(one)

    assert kept(owner, one) == [(today(), None, 1, 0, 0)]
    assert kept(owner, another) == []
    assert owner.run("select tenant_id, customer_id from crm_hosting.market_days") == [[0, one]]


def test_who_has_nothing_to_sync_has_no_day(crm: Crm, owner: Connection) -> None:
    crm.account("empty@example.com")
    customers = [crm.customer("empty@example.com"), crm.customer("nobody@example.com")]

    run()
    for customer in customers:
        sync(customer)

    assert owner.run("select count(*) from crm_hosting.fleet_now") == [[0]]


def test_a_run_that_is_killed_anywhere_keeps_no_wrong_day_and_none_twice(
    crm: Crm, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "CHUNK_SIZE", 2)
    customers = [crm.linked_customer(quantity=n) for n in range(1, 6)]
    run()
    days_pass(owner)
    owner.run("update user_miners set quantity = quantity + 10")

    run(limit=TimeLimit(has_time=time_for(1)))
    assert [len(kept(owner, customer)) for customer in customers] == [2, 2, 1, 1, 1]
    assert owner.run("select count(*) from crm_hosting.market_days where day = :day", day=today()) == [[0]]
    run()
    run()

    for number, customer in enumerate(customers, 1):
        assert kept(owner, customer) == [(ago(1), today(), number, 0, 0), (today(), None, number + 10, 0, 0)]


def test_a_record_that_could_not_be_written_keeps_the_day_that_it_had(crm: Crm, owner: Connection) -> None:
    owner.run("alter table crm_customers add constraint few check (miners_count < 5)")
    refused, taken = crm.linked_customer(quantity=3), crm.linked_customer(quantity=3)
    run()
    days_pass(owner)
    owner.run("update user_miners set quantity = case when id = (select min(id) from user_miners) then 7 else 4 end")

    run()

    assert kept(owner, refused) == [(ago(1), None, 3, 0, 0)]
    assert kept(owner, taken) == [(ago(1), today(), 3, 0, 0), (today(), None, 4, 0, 0)]


def test_a_customer_that_is_another_accounts_now_keeps_no_day_of_the_former(crm: Crm, owner: Connection) -> None:
    crm.miners(crm.account("one@example.com"), 3)
    crm.miners(crm.account("two@example.com"), 5)
    customer = crm.customer("one@example.com")
    for quantity in (3, 4):
        owner.run("update user_miners set quantity = :n where id = (select min(id) from user_miners)", n=quantity)
        run()
        days_pass(owner)
    owner.run("update crm_customers set email = 'two@example.com'")

    run()

    assert kept(owner, customer) == [(today(), None, 5, 0, 0)]


def test_a_customer_that_lost_its_link_keeps_the_day_of_that_and_no_other(crm: Crm, owner: Connection) -> None:
    customer = crm.linked_customer(quantity=3)
    run()
    days_pass(owner)
    owner.run("update user_miners set quantity = 4")
    run()
    days_pass(owner)
    owner.run("update crm_customers set email = null")

    run()
    run()
    assert kept(owner, customer) == [(today(), None, 0, 0, 0)]
    days_pass(owner)
    run()
    assert kept(owner, customer) == [(ago(1), None, 0, 0, 0)]


def test_a_deleted_customers_days_go_with_the_next_run_over_everybody(crm: Crm, owner: Connection) -> None:
    tenant = crm.account(role="mining_site_owner")
    crm.linked_customer(owner=tenant)
    deleted, others, last = crm.linked_customer(owner=tenant), crm.linked_customer(), crm.linked_customer()
    run()
    days_pass(owner)
    owner.run("update user_miners set quantity = 2")
    run()
    owner.run("delete from crm_customers where id in (:deleted, :last)", deleted=deleted, last=last)

    run(tenant)
    assert len(kept(owner, others)) == 2  # whom the tenant does not see, and who is there all the same
    assert len(kept(owner, deleted)) == 2
    run()

    assert kept(owner, deleted) == []
    assert kept(owner, last) == []
    assert len(kept(owner, others)) == 2


def test_the_totals_of_each_owner_and_of_all_count_a_shared_fleet_once(crm: Crm, owner: Connection) -> None:
    alice, bob = crm.account(role="mining_site_owner"), crm.account(role="mining_site_owner")
    crm.miners(crm.account("shared@example.com"), 5)
    for tenant in (alice, alice, bob, None):
        crm.customer("shared@example.com", tenant)
    crm.linked_customer(owner=alice, quantity=2)
    crm.linked_customer(quantity=1)

    run()

    rows = owner.run("select tenant_id, customers, active, power::integer from crm_hosting.scope_days order by 1")
    assert rows == [[0, 6, 8, 24_000], [alice, 3, 7, 21_000], [bob, 1, 5, 15_000]]


def test_a_tenants_run_marks_his_day_and_leaves_the_totals(crm: Crm, owner: Connection) -> None:
    tenant = crm.account(role="mining_site_owner")
    crm.linked_customer(owner=tenant)

    run(tenant)

    assert owner.run("select tenant_id, customer_id from crm_hosting.market_days") == [[tenant, 0]]
    assert owner.run("select count(*) from crm_hosting.scope_days") == [[0]]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "Asia/Shanghai"])
def test_a_day_ends_by_the_clock_of_the_setting(
    crm: Crm, owner: Connection, environment: pytest.MonkeyPatch, zone: str
) -> None:
    environment.setenv("HISTORY_TIME_ZONE", zone)
    customer = crm.linked_customer()

    run()

    [[here]] = owner.run("select (now() at time zone :zone)::date", zone=zone)
    assert kept(owner, customer)[0][0] == here
    assert owner.run("select day from crm_hosting.market_days") == [[here]]


def test_a_zone_that_nobody_knows_is_told_before_anything_is_synced(crm: Crm, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HISTORY_TIME_ZONE", "Mars/Olympus")
    crm.linked_customer()

    with pytest.raises(UnusableSetting):
        run()


def test_a_day_that_seems_to_lie_ahead_is_gone_on_with(crm: Crm, owner: Connection) -> None:
    customer = crm.linked_customer(quantity=1)
    run()
    days_pass(owner, -1)
    owner.run("update user_miners set quantity = 2")

    run()

    assert kept(owner, customer) == [(ago(-1), None, 2, 0, 0)]


def test_what_is_too_old_is_forgotten_in_bounded_steps(
    crm: Crm, owner: Connection, environment: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.setenv("HISTORY_DAYS", "2")
    monkeypatch.setattr(old_days, "STEP", 1)
    customer = crm.linked_customer()
    for quantity in range(1, 6):
        owner.run("update user_miners set quantity = :n", n=quantity)
        run()
        days_pass(owner)

    run()

    assert [row[0] for row in kept(owner, customer)] == [ago(2), ago(1)]
    assert owner.run("select min(day) from crm_hosting.market_days") == [[ago(2)]]
    assert owner.run("select min(day) from crm_hosting.scope_days") == [[ago(2)]]


@pytest.mark.parametrize("gone", ["newest", "all"])
def test_who_is_deleted_is_in_no_total_of_that_day_and_needs_no_attention(
    crm: Crm, owner: Connection, capsys: pytest.CaptureFixture[str], gone: str
) -> None:
    first = crm.linked_customer(quantity=3)
    owner.run("update crm_customers set id = -7 where id = :id", id=first)
    customer = crm.linked_customer(quantity=100)
    run()
    days_pass(owner)
    owner.run("update user_miners set quantity = 1")
    run()
    days_pass(owner)
    owner.run("delete from crm_customers where :all or id = :id", all=gone == "all", id=customer)
    capsys.readouterr()

    run()

    left = 0 if gone == "all" else 1
    assert owner.run("select customers, active from crm_hosting.scope_days order by day desc limit 1") == [[left, left]]
    assert owner.run("select count(*) from crm_hosting.fleet_now") == [[left]]
    assert owner.run("select count(*) from crm_hosting.attention") == [[left]]
    found = {metric.name: metric.value for metric in metrics_in(capsys.readouterr().out)}
    assert found["CustomersNeedingAttention"] == left
