"""Machines of the hosting module's, where the migration was told that they are the fleet."""

import json
from typing import Any

import pytest

from crm_services.base.errors import MigrationRefused, UnusableSetting
from crm_services.base.settings import MachineSource, machine_source
from crm_services.postgres.migration import migrate
from crm_services.postgres.target import parse_database_url
from local.postgres import Server, connect
from tests.support.client import Client, data
from tests.support.crm import Crm

# Nothing else of the schema depends on it.
CHANGED = [f"changed view crm_hosting.{name}" for name in ("machine_days", "machines", "sources")]


def bring(postgres: Server, database_name: str, source: MachineSource) -> list[str]:
    return migrate(parse_database_url(postgres.url(database_name)), machine_source=source)


@pytest.fixture
def hosted(postgres: Server, database_name: str) -> None:
    bring(postgres, database_name, "hosting_miners")


def customer_with_account(crm: Crm) -> tuple[int, int]:
    crm.snapshot()
    return crm.customer("hosted@example.com"), crm.account("hosted@example.com")


@pytest.mark.usefixtures("hosted")
def test_a_row_is_a_machine_at_its_site_s_price_and_only_approved_ones_count(client: Client, crm: Crm) -> None:
    customer, account = customer_with_account(crm)
    admin, site = crm.account(role="admin"), crm.site("Paraguay Itaipú", 0.04)
    crm.miners(account, 1000)  # the contract's table, which may hold the same machines
    first = crm.machine(account, site, actual_power=2999.5, created_at="2026-01-01")
    second = crm.machine(account, site, status="error", actual_hashrate=0.0, actual_power=0.0, created_at="2026-01-02")
    for approval in ("draft", "pending_approval", "rejected", None):
        crm.machine(account, site, approval_status=approval)
    path = f"/crm/api/customer/{customer}"

    stats = data(client.get(f"{path}/hosting-stats", admin))
    miners = data(client.get(f"{path}/hosting-miners", admin))

    assert stats["by_status"] == {"active": 1, "offline": 1, "maintenance": 0, "sold": 0}
    assert (stats["total_hashrate"], stats["total_power"], stats["electricity_cost_daily"]) == (100.0, 3000, 2.88)
    assert [one["id"] for one in miners] == [second, first]
    [[serial_number]] = crm.db.run("select serial_number from hosting_miners where id = :id", id=first)
    assert miners[1] == {
        "id": first, "name": serial_number, "model": "Antminer S21", "quantity": 1, "hashrate": 100.0,
        "total_hashrate": 100.0, "power": 3000, "total_power": 3000, "status": "active", "location": "Paraguay Itaipú",
        "electricity_cost": 0.04, "daily_electricity_cost": 2.88,
    }  # fmt: skip
    assert [one["id"] for one in data(client.get(f"{path}/hosting-miners?status=active", admin))] == [first]

    assert data(client.post("/crm/api/sync-all-hosting", admin))["synced"] == 1
    assert crm.row(customer)["miners_count"] == 2
    assert crm.db.run("select kind from crm_hosting.findings") == []


@pytest.mark.usefixtures("hosted")
@pytest.mark.parametrize(
    ("columns", "rate", "power", "found"),
    [
        ({"actual_power": 3000.4999}, 0.05, 3000, []),
        ({"actual_power": float("nan")}, 0.05, 0, ["unusable_figure"]),
        ({"actual_power": -0.5}, 0.05, 0, ["unusable_figure"]),
        ({"actual_power": 3e9}, 0.05, 0, ["unusable_figure"]),
        ({}, 0.0, 3000, []),
        ({}, float("inf"), 3000, ["unusable_figure"]),
        ({"actual_hashrate": float("inf")}, 0.05, 3000, ["unusable_figure"]),
        ({"status": "?"}, 0.05, 3000, ["unknown_status"]),
    ],
)
def test_what_cannot_be_counts_as_nothing_and_is_found(  # noqa: PLR0913, PLR0917 (two of them are fixtures)
    client: Client, crm: Crm, columns: dict[str, Any], rate: float, power: int, found: list[str]
) -> None:
    customer, account = customer_with_account(crm)
    admin = crm.account(role="admin")
    crm.machine(account, crm.site(electricity_rate=rate), **columns)

    stats = data(client.get(f"/crm/api/customer/{customer}/hosting-stats", admin))
    data(client.post("/crm/api/sync-all-hosting", admin))

    assert stats["total_power"] == power
    assert [kind for (kind,) in crm.db.run("select kind from crm_hosting.findings")] == found


@pytest.mark.usefixtures("hosted")
def test_an_account_s_machines_are_found_by_the_crm_s_index(crm: Crm) -> None:
    _, account = customer_with_account(crm)
    site, model = crm.site(), crm.model("Antminer S21")
    crm.db.run(
        "insert into hosting_miners (customer_id, site_id, miner_model_id, serial_number, actual_hashrate,"
        " actual_power, approval_status) select :account, :site, :model, 'SN-' || i, 100, 3000, 'approved'"
        " from generate_series(1, 5000) i",
        account=account, site=site, model=model,
    )  # fmt: skip
    other = crm.account()
    crm.machine(other, site)
    crm.db.run("analyze hosting_miners")
    crm.db.run("select crm_hosting.scope_to(null)")

    [[plan]] = crm.db.run(
        "explain (format json, costs off) select * from crm_hosting.machines where account_id = :account", account=other
    )

    assert "hosting_miners_customer_id_idx" in json.dumps(plan)


def test_the_source_is_changed_by_the_next_migration(
    client: Client, crm: Crm, postgres: Server, database_name: str
) -> None:
    customer, account = customer_with_account(crm)
    admin = crm.account(role="admin")
    crm.miners(account, 7)
    crm.machine(account, crm.site())

    def count() -> int:
        return int(data(client.get(f"/crm/api/customer/{customer}/hosting-stats", admin))["miners_count"])

    assert count() == 7
    assert bring(postgres, database_name, "hosting_miners") == CHANGED
    assert count() == 1
    assert bring(postgres, database_name, "hosting_miners") == []
    assert bring(postgres, database_name, "user_miners") == CHANGED
    assert count() == 7


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ("drop table hosting_miners", "table public.hosting_miners"),
        ("alter table hosting_miners drop column approval_status", "column public.hosting_miners.approval_status"),
        (
            "alter table hosting_sites rename column electricity_rate to rate",
            "column public.hosting_sites.electricity_rate",
        ),
    ],
)
def test_a_crm_without_the_hosting_module_is_refused_with_a_sentence_before_anything_changes(
    postgres: Server, database_name: str, change: str, missing: str
) -> None:
    url = postgres.url(database_name)
    with connect(url) as owner:
        owner.run("drop schema crm_hosting cascade")
        owner.run(change)

    with pytest.raises(MigrationRefused) as refusal:
        bring(postgres, database_name, "hosting_miners")

    assert missing in str(refusal.value)
    assert "set MachineSource (MACHINE_SOURCE) to user_miners" in str(refusal.value)
    with connect(url) as owner:
        assert owner.run("select to_regnamespace('crm_hosting')") == [[None]]
    assert "created view crm_hosting.machines" in bring(postgres, database_name, "user_miners")


def test_a_source_that_does_not_exist_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MACHINE_SOURCE", "both")

    with pytest.raises(UnusableSetting, match="MACHINE_SOURCE is not user_miners or hosting_miners"):
        machine_source()
