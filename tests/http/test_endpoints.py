"""Each endpoint as the CRM's page meets it."""

import json

from tests.support.client import Client, data
from tests.support.crm import Crm


def test_an_owner_sees_the_figures_of_a_customer(client: Client, crm: Crm) -> None:
    owner = crm.account(role="mining_site_owner")
    crm.snapshot(price=100_000)
    customer = crm.linked_customer(owner, quantity=10)

    stats = data(client.get(f"/crm/api/customer/{customer}/hosting-stats", owner))

    assert stats["has_hosting"] is True
    assert (stats["miners_count"], stats["total_hashrate"], stats["total_power"]) == (10, 1000.0, 30_000)
    # 1,000 TH/s at $0.10 a day each; 30 kW for 24 h at $0.05
    assert (stats["estimated_daily_usd"], stats["electricity_cost_daily"]) == (100.0, 36.0)
    assert stats["net_profit_daily"] == 64.0


def test_an_unlinked_customer_has_no_hosting_and_zeros(client: Client, crm: Crm) -> None:
    owner = crm.account(role="mining_site_owner")
    customer = crm.customer("nobody@example.com", owner)

    stats = data(client.get(f"/crm/api/customer/{customer}/hosting-stats", owner))

    assert (stats["has_hosting"], stats["user_access_id"], stats["miners_count"]) == (False, None, 0)
    assert stats["by_status"] == {"active": 0, "offline": 0, "maintenance": 0, "sold": 0}


def test_the_miners_are_listed_newest_first_and_by_status(client: Client, crm: Crm) -> None:
    owner = crm.account(role="mining_site_owner")
    account = crm.account("fleet@example.com")
    older = crm.miners(account, created_at="2026-01-01")
    newer = crm.miners(account, created_at="2026-01-02", status="offline")
    customer = crm.customer(" Fleet@Example.com", owner)
    path = f"/crm/api/customer/{customer}/hosting-miners"

    assert [miner["id"] for miner in data(client.get(path, owner))] == [newer, older]
    assert [miner["id"] for miner in data(client.get(f"{path}?status=active", owner))] == [older]


def test_a_sync_writes_the_figures_into_the_customer_record(client: Client, crm: Crm) -> None:
    owner = crm.account(role="mining_site_owner")
    crm.snapshot()
    customer = crm.linked_customer(owner, quantity=500)

    answer = client.post(f"/crm/api/customer/{customer}/sync-hosting", owner)

    assert (answer.status_code, answer.json) == (200, {"success": True, "message": "托管数据同步成功"})
    row = crm.row(customer)
    assert (row["miners_count"], row["mining_capacity"], row["primary_miner_model"]) == (500, 1.5, "Antminer S21")
    assert row["hosting_synced_at"] is not None


def test_a_sync_of_an_unlinked_customer_is_not_found_and_touches_nothing(client: Client, crm: Crm) -> None:
    owner = crm.account(role="mining_site_owner")
    customer = crm.customer("nobody@example.com", owner, mining_capacity=7.5)
    before = crm.row(customer)

    answer = client.post(f"/crm/api/customer/{customer}/sync-hosting", owner)

    assert (answer.status_code, answer.json) == (404, {"success": False, "error": "未找到关联的托管账户或无矿机数据"})
    assert crm.row(customer) == before


def test_the_batch_counts_what_became_of_every_customer(client: Client, crm: Crm) -> None:
    admin = crm.account(role="admin")
    crm.snapshot()
    crm.linked_customer()
    crm.customer("nobody@example.com")

    answer = client.post("/crm/api/sync-all-hosting", admin)

    assert answer.json == {
        "success": True,
        "data": {"total": 2, "synced": 1, "skipped": 1, "errors": 0},
        "message": "已同步 1 个客户的托管数据",
    }
    status = data(client.get("/crm/api/sync-status", admin))
    assert (status["total_customers"], status["linked_customers"], status["link_rate"]) == (2, 1, 50.0)
    assert (status["sync_health"], status["issues"]) == ("healthy", [])
    assert status["last_sync"].endswith("Z")


def test_a_failure_has_one_body_in_the_language_of_the_caller(client: Client, crm: Crm) -> None:
    stranger = crm.account(role="mining_site_owner")
    customer = crm.customer(owner=crm.account(role="mining_site_owner"))
    path = f"/crm/api/customer/{customer}/hosting-stats"

    chinese, english = client.get(path, stranger), client.get(path, stranger, accept_language="en-GB, zh;q=0.5")

    assert (chinese.status_code, english.status_code) == (403, 403)
    assert chinese.json == {"success": False, "error": "无权访问该资源"}
    assert json.loads(english.get_data()) == {"success": False, "error": "You have no access to this resource"}


def test_without_a_session_nothing_is_answered(client: Client, crm: Crm) -> None:
    assert client.get("/crm/api/sync-status").status_code == 401
