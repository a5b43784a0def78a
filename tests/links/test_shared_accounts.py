"""Customers that share an account: named to whom it concerns, and their fleet counted once in totals."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

import daily_sync
from crm_services.sync import worker
from local.lambda_context import LambdaContext
from tests.support.client import Client, data
from tests.support.crm import Crm
from tests.support.emf import by_name, metrics_in

WITHIN = "Customers that share their account with another, whose fleet totals count once: {}"
ACROSS = "Customers whose account is linked to a customer of another owner too: {}"


@dataclass
class Case:
    """A fleet of 1,000 that two customers of one owner and one of another's are linked to, with others between them."""

    client: Client
    crm: Crm
    admin: int
    owner: int
    other: int
    shared: list[int]
    across: int

    def machines(self, caller: int) -> int:
        """How many machines the caller's customers have together today."""
        [day] = data(self.client.get(f"/crm/api/hosting/history?from={datetime.now(UTC).date()}", caller))
        found: int = day["miners_count"]
        return found

    def issues(self, caller: int) -> list[str]:
        found: list[str] = data(self.client.get("/crm/api/sync-status", caller, accept_language="en"))["issues"]
        return found

    def listed(self, caller: int) -> list[int]:
        """Whom the caller's list of links calls shared, by the filter; the state of every row agrees."""
        rows: list[Any] = data(self.client.get("/crm/api/hosting/links?state=shared&limit=2", caller))
        after = rows[-1]["customer_id"] if rows else 0
        rows += data(self.client.get(f"/crm/api/hosting/links?state=shared&after={after}", caller))
        every = data(self.client.get("/crm/api/hosting/links?limit=100", caller))
        ids = [row["customer_id"] for row in rows]
        assert ids == [row["customer_id"] for row in every if row["state"] == "shared"]
        assert ids == [
            row["customer_id"] for row in every if "linked_shared" in [reason["code"] for reason in row["reasons"]]
        ]
        return ids

    def findings(self) -> list[tuple[int, str]]:
        rows = self.crm.db.run("select customer_id, kind from crm_hosting.findings order by kind, customer_id")
        return [(id_, kind) for id_, kind in rows]


@pytest.fixture(params=[10_000, 1], ids=["in one chunk", "in chunks of their own"])
def case(client: Client, crm: Crm, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Case:
    monkeypatch.setattr(worker, "CHUNK_SIZE", request.param)
    crm.snapshot()
    owner, other = (crm.account(role="mining_site_owner") for _ in range(2))
    crm.miners(crm.account("whale@x.com"), 1000)
    first = crm.customer("whale@x.com", owner)
    for _ in range(2):
        crm.linked_customer(owner, quantity=10)
    across = crm.customer("Whale@x.com", other)
    crm.linked_customer(other, quantity=7)
    second = crm.customer("WHALE@X.com", owner)
    return Case(client, crm, crm.account(role="admin"), owner, other, [first, second], across)


def run() -> None:
    daily_sync.handler({}, LambdaContext("DailySyncFunction", timeout=900))


def test_a_scope_s_totals_count_a_shared_fleet_once_wherever_its_customers_are(case: Case) -> None:
    run()

    assert case.machines(case.owner) == 1000 + 2 * 10
    assert case.machines(case.other) == 1000 + 7
    assert case.machines(case.admin) == 1000 + 2 * 10 + 7
    rows = data(case.client.get("/crm/api/hosting/customers", case.admin))
    assert [row["miners_count"] for row in rows[:3]] == [1000] * 3
    assert data(case.client.get("/crm/api/sync-status", case.admin))["linked_customers"] == 6


def test_it_is_named_to_each_owner_in_his_own_customers_and_across_owners_to_who_sees_all(case: Case) -> None:
    run()

    every = sorted([*case.shared, case.across])
    assert case.findings() == [
        *((one, "shared_account") for one in case.shared),
        *((one, "shared_across_owners") for one in every),
    ]
    assert case.listed(case.owner) == case.shared
    assert case.issues(case.owner) == [WITHIN.format(2)]
    assert case.listed(case.other) == []
    assert case.issues(case.other) == []
    assert case.listed(case.admin) == every
    assert case.issues(case.admin) == [WITHIN.format(2), ACROSS.format(3)]


def test_an_owner_s_own_run_leaves_what_is_not_his_to_say(case: Case) -> None:
    case.client.post("/crm/api/sync-all-hosting", case.owner)
    assert case.findings() == [(one, "shared_account") for one in case.shared]
    run()
    before = case.findings()

    case.client.post("/crm/api/sync-all-hosting", case.other)
    case.client.post(f"/crm/api/customer/{case.across}/sync-hosting", case.other)

    assert case.findings() == before
    case.crm.db.run("update crm_customers set email = null where id = :id", id=case.shared[0])
    case.client.post("/crm/api/sync-all-hosting", case.owner)
    assert (case.shared[1], "shared_account") not in case.findings()
    assert (case.across, "shared_across_owners") in case.findings()
    case.crm.db.run("update crm_customers set email = null where id = :id", id=case.across)
    run()
    assert [kind for _, kind in case.findings()] == ["link_lost"] * 2


def test_a_run_s_record_and_metrics_say_how_many_links_it_left_shared_ambiguous_and_lost(
    case: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    case.crm.account("two@x.com"), case.crm.account("Two@x.com")
    for owner in (case.owner, case.owner, case.other):
        case.crm.customer("two@x.com", owner)
    lost = case.crm.linked_customer(case.other)
    run()
    case.crm.db.run("update crm_customers set email = null where id = :id", id=lost)
    capsys.readouterr()

    run()

    published = by_name(metrics_in(capsys.readouterr().out))
    assert [published[name] for name in ("LinksLost", "LinksAmbiguous", "LinksShared")] == [1, 3, 3]
    case.client.post("/crm/api/sync-all-hosting", case.owner)
    recorded = {
        caller: [
            (one["tenant_id"], one["links_lost"], one["links_ambiguous"], one["links_shared"])
            for one in data(case.client.get("/crm/api/sync-runs", caller))
        ]
        for caller in (case.admin, case.owner)
    }
    assert recorded[case.owner] == [(case.owner, 0, 2, 2)]
    assert recorded[case.admin] == [(case.owner, 0, 2, 2), (None, 1, 3, 3), (None, 0, 3, 3)]


def test_a_run_that_did_not_complete_does_not_say_what_it_has_not_looked_for(case: Case) -> None:
    case.crm.db.run("insert into crm_hosting.runs (origin, state) values ('console', 'failed')")

    [one] = data(case.client.get("/crm/api/sync-runs", case.admin))

    assert (one["links_lost"], one["links_ambiguous"], one["links_shared"]) == (0, None, None)
