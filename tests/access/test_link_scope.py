"""An owner who types a stranger's address into a customer: seen in link scope `any`, and nowhere in `tenant`."""

from dataclasses import dataclass
from typing import Any

import pytest

import daily_sync
from local.environment import ROOT
from local.lambda_context import LambdaContext
from local.routes import routes
from tests.support.client import Client, data, path_of
from tests.support.crm import Crm

FLEET = "whale@example.com"
RACK = "the stranger's rack"


@dataclass
class Case:
    """A nosy owner, the customer with the stranger's address, the stranger, and an honest customer of the owner."""

    client: Client
    crm: Crm
    owner: int
    nosy: int
    stranger: int
    honest: int

    def get(self, what: str, user: int | None = None, **query: str) -> Any:
        query_string = "&".join(f"{name}={value}" for name, value in query.items())
        return data(self.client.get(f"/crm/api/{what}?{query_string}", user or self.owner))

    def written(self, customer: int) -> tuple[Any, ...]:
        row = self.crm.row(customer)
        return row["miners_count"], row["primary_miner_model"], row["hosting_synced_at"] is not None


@pytest.fixture
def case(client: Client, crm: Crm) -> Case:
    crm.snapshot()
    other_owner = crm.account(role="mining_site_owner")
    stranger = crm.account(FLEET, created_by_id=other_owner)
    crm.miners(stranger, quantity=1000, custom_name=RACK, model="Whatsminer M60S")
    owner = crm.account(role="mining_site_owner")
    honest = crm.linked_customer(owner, quantity=3)
    return Case(client, crm, owner, crm.customer(f" {FLEET.upper()}", owner), stranger, honest)


@pytest.fixture
def tenant_scope(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("LINK_SCOPE", "tenant")


def test_in_scope_any_the_contract_links_every_matching_account(case: Case) -> None:
    stats = case.get(f"customer/{case.nosy}/hosting-stats")

    assert (stats["user_access_id"], stats["miners_count"]) == (case.stranger, 1000)
    assert [miner["name"] for miner in case.get(f"customer/{case.nosy}/hosting-miners")] == [RACK]
    assert case.get("sync-status")["linked_customers"] == 2


@pytest.mark.usefixtures("tenant_scope")
def test_in_scope_tenant_a_strangers_fleet_is_seen_at_no_endpoint(case: Case) -> None:
    stats = case.get(f"customer/{case.nosy}/hosting-stats", include="miners")
    assert (stats["has_hosting"], stats["user_access_id"], stats["miners_count"]) == (False, None, 0)
    assert stats["miners"] == []
    assert case.get(f"customer/{case.nosy}/hosting-miners") == []
    assert case.client.post(f"/crm/api/customer/{case.nosy}/sync-hosting", case.owner).status_code == 404
    assert data(case.client.post("/crm/api/sync-all-hosting", case.owner)) == {
        "total": 2, "synced": 1, "skipped": 1, "errors": 0,
    }  # fmt: skip
    assert case.get("sync-status")["linked_customers"] == 1
    assert case.written(case.nosy) == (0, None, False)
    assert case.written(case.honest) == (3, "Antminer S21", True)
    for route in routes(ROOT / "template.yaml"):
        answer = case.client.ask(route.method, path_of(route, case.nosy), case.owner)
        assert RACK not in answer.get_data(as_text=True), route.key


@pytest.mark.usefixtures("tenant_scope")
def test_in_scope_tenant_the_batch_of_all_writes_no_strangers_figures(case: Case) -> None:
    result = daily_sync.handler({}, LambdaContext("DailySyncFunction", timeout=900))

    assert (result["total"], result["synced"], result["skipped"]) == (2, 1, 1)
    assert case.written(case.nosy) == (0, None, False)


@pytest.mark.usefixtures("tenant_scope")
def test_in_scope_tenant_an_admin_sees_the_owners_links_and_not_more(case: Case) -> None:
    admin = case.crm.account(role="admin")

    assert case.get(f"customer/{case.nosy}/hosting-stats", admin)["has_hosting"] is False
    assert case.get(f"customer/{case.honest}/hosting-stats", admin)["miners_count"] == 3


@pytest.mark.usefixtures("tenant_scope")
def test_in_scope_tenant_an_owner_links_to_what_it_created_to_itself_and_nobodys_to_any(case: Case) -> None:
    crm = case.crm
    itself = crm.account("self@example.com", "mining_site_owner")
    crm.miners(itself, 5)
    own = crm.customer("self@example.com", itself)
    nobodys = crm.customer(FLEET)

    assert case.get(f"customer/{own}/hosting-stats", itself)["miners_count"] == 5
    assert case.get(f"customer/{nobodys}/hosting-stats", crm.account(role="owner"))["miners_count"] == 1000


@pytest.mark.usefixtures("tenant_scope")
def test_in_scope_tenant_a_strangers_account_is_passed_over_before_the_lowest_id_is_chosen(case: Case) -> None:
    mine = case.crm.account(FLEET.title(), created_by_id=case.owner)
    case.crm.miners(mine, 2)

    stats = case.get(f"customer/{case.nosy}/hosting-stats")

    assert mine > case.stranger
    assert (stats["user_access_id"], stats["miners_count"]) == (mine, 2)
