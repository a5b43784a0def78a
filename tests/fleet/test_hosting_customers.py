"""The list of customers behind the panel's overview."""

import json

import pytest

from tests.support.client import Client, data
from tests.support.crm import Crm

PATH = "/crm/api/hosting/customers"


def test_the_customers_come_by_the_profit_of_their_last_sync(client: Client, crm: Crm) -> None:
    owner = crm.account(role="mining_site_owner")
    crm.snapshot()
    never = crm.customer("nobody@example.com", owner)
    small, large = crm.linked_customer(owner, quantity=1), crm.linked_customer(owner, quantity=500)
    losing = crm.linked_customer(owner, electricity_cost=9.0)
    data(client.post("/crm/api/sync-all-hosting", owner))

    customers = data(client.get(PATH, owner))

    assert [one["id"] for one in customers] == [large, small, losing, never]
    row = crm.row(large)
    assert customers[0] == {
        "id": large,
        "name": row["name"],
        "company": None,
        "status": "active",
        "has_email": True,
        "has_hosting": True,
        "miners_count": 500,
        "mining_capacity": 1.5,
        "primary_miner_model": "Antminer S21",
        "estimated_daily_btc": 0.05,
        "estimated_daily_usd": 5000.0,
        "net_profit_daily": 3200.0,
        "synced_at": row["hosting_synced_at"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "findings": [],
    }
    assert (customers[3]["has_hosting"], customers[3]["net_profit_daily"], customers[3]["synced_at"]) == (
        False,
        None,
        None,
    )


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_hold_every_customer_once_and_ties_in_the_order_of_their_ids(
    client: Client, crm: Crm, limit: int
) -> None:
    owner = crm.account(role="mining_site_owner")
    profits = [None, "5", "-3.25", "5", None, "1e9", "0"]
    ids = [crm.customer(None, owner, hosting_net_profit_daily=profit) for profit in profits]
    pages, after = [], ""

    while True:
        answer = json.loads(client.get(f"{PATH}?limit={limit}{after}", owner).get_data())
        pages.append([one["id"] for one in answer["data"]])
        if answer["next"] is None:
            break
        after = f"&after={answer['next']}"

    assert [id_ for page in pages for id_ in page] == [ids[5], ids[1], ids[3], ids[6], ids[2], ids[0], ids[4]]
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)


def test_everyone_sees_their_own_customers_and_an_admin_all(client: Client, crm: Crm) -> None:
    owner, other = crm.account(role="mining_site_owner"), crm.account(role="mining_site_owner")
    mine, theirs, nobodys = crm.customer(None, owner), crm.customer(None, other), crm.customer()

    def seen(user: int, query: str = "") -> list[int]:
        return [one["id"] for one in data(client.get(PATH + query, user))]

    assert seen(owner) == [mine]
    assert seen(owner, f"?customer={theirs}") == []
    assert seen(owner, f"?customer={mine}") == [mine]
    assert seen(crm.account(role="admin")) == [mine, theirs, nobodys]
    assert client.get(PATH, crm.account(role="guest")).status_code == 403


def test_a_search_finds_name_and_company_in_any_case_and_takes_no_character_for_a_pattern(
    client: Client, crm: Crm
) -> None:
    owner = crm.account(role="mining_site_owner")
    named = crm.customer(None, owner, name="Åse 100%_fjord")
    company = crm.customer(None, owner, company="FJORD Compute 北极星")

    def found(text: str) -> list[int]:
        return [one["id"] for one in data(client.get(f"{PATH}?search={text}", owner))]

    assert found("fjord") == [named, company]
    assert found("%E5%8C%97%E6%9E%81") == [company]
    assert found("100%25_") == [named]
    assert found("%25") == [named]
    assert found("nobody") == []


@pytest.mark.parametrize(
    "query",
    [
        "after=1",
        "after=:x",
        "after=:12345678901",
        "after=NaN:1",
        "limit=0",
        "limit=1001",
        "customer=0",
        "search=%00",
    ],
)
def test_what_cannot_be_asked_is_refused(client: Client, crm: Crm, query: str) -> None:
    assert client.get(f"{PATH}?{query}", crm.account(role="admin")).status_code == 400
