"""Figures that no machine of the model has: they count, and the batch finds them."""

from typing import Any

import pytest

from local import crm_rows, fleets
from tests.support.client import Client, data
from tests.support.crm import Crm

UNLIKELY = ["unlikely_figure"]


def found(client: Client, crm: Crm) -> list[str]:
    data(client.post("/crm/api/sync-all-hosting", crm.account(role="admin")))
    return [kind for (kind,) in crm.db.run("select kind from crm_hosting.findings order by kind")]


@pytest.mark.parametrize(
    ("columns", "findings"),
    [
        ({"actual_hashrate": 100_000.0}, UNLIKELY),  # GH/s
        ({"actual_hashrate": 0.1}, UNLIKELY),  # PH/s
        ({"actual_hashrate": 301.0}, UNLIKELY),
        ({"actual_hashrate": 300.0}, []),
        ({"actual_hashrate": 0.0}, []),
        ({"actual_power": 3}, UNLIKELY),  # kW
        ({"actual_power": 9001}, UNLIKELY),
        ({"actual_power": 1000}, []),
        ({"actual_power": 0}, []),
        ({"actual_power": 12, "actual_hashrate": 0.0}, []),  # its fans
        ({"electricity_cost": 5.0}, UNLIKELY),  # cents
        ({"electricity_cost": 1.0}, []),
        ({"electricity_cost": 0.0}, []),
        ({"actual_hashrate": float("nan")}, ["unusable_figure"]),
        ({"actual_hashrate": 1e6, "actual_power": -1}, ["unlikely_figure", "unusable_figure"]),
    ],
)
def test_a_figure_is_compared_with_what_the_model_s_data_sheet_says(
    client: Client, crm: Crm, columns: dict[str, Any], findings: list[str]
) -> None:
    crm.snapshot()
    crm.linked_customer(quantity=3, **columns)

    assert found(client, crm) == findings


def test_an_unlikely_figure_still_counts_and_status_says_how_many_customers_have_one(client: Client, crm: Crm) -> None:
    crm.snapshot()
    admin = crm.account(role="admin")
    customer = crm.linked_customer(actual_hashrate=100_000.0)

    assert found(client, crm) == UNLIKELY
    assert data(client.get(f"/crm/api/customer/{customer}/hosting-stats", admin))["total_hashrate"] == 100_000
    assert (
        "Customers that have miners with figures unlike their model's: 1"
        in data(client.get("/crm/api/sync-status", admin, accept_language="en"))["issues"]
    )

    crm.db.run("update user_miners set actual_hashrate = 100")

    assert found(client, crm) == []


@pytest.mark.parametrize(("hashrate", "power", "findings"), [(14_000.0, 3000, UNLIKELY), (1160.0, 11_020, []),
                                                             (100.0, 30_000, UNLIKELY)])  # fmt: skip
def test_where_no_data_sheet_is_known_no_machine_is_that_large(
    client: Client, crm: Crm, hashrate: float, power: int, findings: list[str]
) -> None:
    crm.snapshot()
    crm.linked_customer(actual_hashrate=hashrate, actual_power=power)
    crm.db.run("update miner_models set reference_hashrate = 0, reference_power = 0")

    assert found(client, crm) == findings


def test_a_fleet_of_the_crm_s_ordinary_rows_has_no_findings(client: Client, crm: Crm) -> None:
    crm.snapshot()
    account = crm.account("ordinary@example.com")
    crm.customer("ordinary@example.com")
    for model in fleets.MODELS:
        number = crm.model(model.name, model.hashrate, model.power)
        batches = [
            crm_rows.batch(account, number, quantity=9, actual_hashrate=float(model.hashrate), actual_power=model.power,
                           electricity_cost=0.05, status=status)
            for status in crm_rows.STATUSES
        ]  # fmt: skip
        crm_rows.autosave(crm.db, account, batches)

        assert found(client, crm) == []


@pytest.mark.parametrize("custom_name", [None, "", " ", "\u3000\t", "\u200b\ufeff"])
def test_a_batch_without_a_name_that_can_be_seen_has_the_model_s(
    client: Client, crm: Crm, custom_name: str | None
) -> None:
    customer = crm.linked_customer(custom_name=custom_name)

    [miner] = data(client.get(f"/crm/api/customer/{customer}/hosting-miners", crm.account(role="admin")))

    assert miner["name"] == "Antminer S21"
