"""Without a usable snapshot nobody knows what machines earn: nothing is invented, and what was known is kept."""

from decimal import Decimal
from typing import Any

import pytest
from pg8000.native import Connection

from tests.support.client import Client, data
from tests.support.crm import Crm

ESTIMATES = ("hosting_estimated_daily_btc", "hosting_estimated_daily_usd", "hosting_net_profit_daily")


@pytest.fixture
def admin(crm: Crm) -> int:
    """Somebody who sees everything."""
    return crm.account(role="admin")


def estimates(crm: Crm, customer: int) -> list[Any]:
    row = crm.row(customer)
    return [row[name] for name in ESTIMATES]


def sync(client: Client, admin: int, customer: int, how: str) -> None:
    path = f"/crm/api/customer/{customer}/sync-hosting" if how == "alone" else "/crm/api/sync-all-hosting"
    assert client.post(path, admin).status_code == 200


def test_the_figures_are_zeros_and_what_is_unknown_is_null(client: Client, crm: Crm, admin: int) -> None:
    customer = crm.linked_customer(quantity=10)

    stats = data(client.get(f"/crm/api/customer/{customer}/hosting-stats", admin))

    assert {name: stats[name] for name in ("btc_price", "network_difficulty", "market_as_of")} == {
        "btc_price": None, "network_difficulty": None, "market_as_of": None,
    }  # fmt: skip
    assert (stats["estimated_daily_btc"], stats["estimated_daily_usd"], stats["net_profit_daily"]) == (0, 0, 0)
    assert (stats["electricity_cost_daily"], stats["active_miners"]) == (36.0, 10)


@pytest.mark.parametrize("how", ["alone", "batch"])
def test_a_first_sync_writes_no_estimate_and_every_later_one_keeps_the_last(
    client: Client, crm: Crm, owner: Connection, admin: int, how: str
) -> None:
    customer = crm.linked_customer(quantity=10)
    sync(client, admin, customer, how)
    assert (crm.row(customer)["miners_count"], estimates(crm, customer)) == (10, [None, None, None])
    assert (
        "There is no usable market data"
        in data(client.get("/crm/api/sync-status", admin, accept_language="en"))["issues"]
    )

    crm.snapshot()  # $0.10 for a TH/s
    sync(client, admin, customer, how)
    known = [Decimal("0.001"), Decimal(100), Decimal(64)]
    assert estimates(crm, customer) == known

    owner.run("update network_snapshots set is_valid = false")
    owner.run("update user_miners set quantity = 20")
    sync(client, admin, customer, how)
    assert (crm.row(customer)["miners_count"], estimates(crm, customer)) == (20, known)


def test_the_preview_announces_no_estimate_either(client: Client, crm: Crm, admin: int) -> None:
    customer = crm.linked_customer(quantity=10)

    preview = client.post(f"/crm/api/customer/{customer}/sync-hosting?dry_run=true", admin)

    assert "miners_count" in data(preview)
    assert not set(data(preview)) & set(ESTIMATES)


@pytest.mark.parametrize("what_happens", ["delete from user_miners", "update user_miners set status = 'sold'"])
def test_who_has_no_machines_any_more_earns_nothing_whatever_the_market(
    client: Client, crm: Crm, owner: Connection, admin: int, what_happens: str
) -> None:
    crm.snapshot()
    customer = crm.linked_customer(quantity=10)
    sync(client, admin, customer, "alone")

    owner.run("delete from network_snapshots")
    owner.run(what_happens)
    sync(client, admin, customer, "alone")

    assert (crm.row(customer)["miners_count"], estimates(crm, customer)) == (0, [0, 0, 0])
