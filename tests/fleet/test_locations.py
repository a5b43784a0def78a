"""Where a fleet stands: by the name of the site, and never more than a page of them."""

import json
from decimal import Decimal
from typing import Any

from tests.support.client import Client
from tests.support.conformity import body_of
from tests.support.crm import Crm


def stats(client: Client, crm: Crm, customer: int) -> Any:
    answer = client.get(f"/crm/api/customer/{customer}/hosting-stats?include=", crm.account(role="admin"))
    return json.loads(body_of(answer), parse_float=Decimal)["data"]


def together(figures: Any, of: str) -> Any:
    return sum(place[of] for place in figures["by_location"].values())


def test_what_stands_at_a_location_adds_up_to_the_fleet(client: Client, crm: Crm) -> None:
    customer = crm.linked_customer(quantity=3, location="Texas DC-01", actual_hashrate=100.123456789)
    account = crm.db.run("select max(user_id) from user_miners")[0][0]
    crm.miners(account, 2, location=" Texas DC-01\u3000", status="offline")
    crm.miners(account, 1, location=None)
    crm.miners(account, 4, location="\t", actual_hashrate=0.1)
    crm.miners(account, 9, location="sold and gone", status="sold")
    crm.miners(account, 0, location="empty")

    figures = stats(client, crm, customer)

    assert figures["by_location"] == {
        "Texas DC-01": {"count": 5, "hashrate": Decimal("500.370370367"), "power": 15_000},
        "__none__": {"count": 5, "hashrate": Decimal("100.4"), "power": 15_000},
    }
    assert together(figures, "count") == figures["miners_count"]
    assert together(figures, "power") == figures["total_power"]
    assert round(together(figures, "hashrate"), 2) == figures["total_hashrate"]


def test_beyond_twenty_the_others_are_together_however_they_are_called(client: Client, crm: Crm) -> None:
    customer = crm.linked_customer(quantity=1, location="__other__", actual_hashrate=1000.0)
    account = crm.db.run("select max(user_id) from user_miners")[0][0]
    for number in range(30, 0, -1):  # the last of equals by name
        crm.miners(account, 1, location=f"Site {number:02}")
    crm.miners(account, 1, location="__none__", actual_hashrate=999.0)
    crm.miners(account, 1, location="", actual_hashrate=998.0)

    figures = stats(client, crm, customer)

    places = list(figures["by_location"])
    assert places == ["___other__", "___none__", "__none__", *(f"Site {n:02}" for n in range(1, 18)), "__other__"]
    assert figures["by_location"]["__other__"] == {"count": 13, "hashrate": 1300, "power": 39_000}
    assert together(figures, "count") == figures["miners_count"] == 33
    assert together(figures, "hashrate") == figures["total_hashrate"]


def test_a_customer_without_machines_is_nowhere(client: Client, crm: Crm) -> None:
    assert stats(client, crm, crm.customer("nobody@example.com"))["by_location"] == {}
