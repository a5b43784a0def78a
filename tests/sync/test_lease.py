"""Two at once: one run a scope, and a worker that was taken over writes nothing more."""

import threading
from contextlib import closing
from typing import Any

import pytest
from pg8000.native import Connection

import daily_sync
from crm_services.base.errors import Conflict
from crm_services.postgres.database import Database, database
from crm_services.sync import batch, lease, worker
from crm_services.sync.batch import TimeLimit
from crm_services.sync.counts import Counts
from crm_services.sync.lease import TakenOver
from local.lambda_context import LambdaContext
from tests.support.client import Client
from tests.support.crm import Crm
from tests.support.runs import runs, time_for

pytestmark = pytest.mark.usefixtures("environment")

GO_COLD = "update crm_hosting.runs set heartbeat_at = now() - interval '301 seconds' where state = 'running'"


def start(tenant_id: int | None = None) -> lease.Lease:
    with database.transaction() as transaction:
        return lease.take(transaction, tenant_id, "console", None)


def test_a_second_run_of_the_same_scope_is_a_conflict(client: Client, crm: Crm) -> None:
    admin = crm.account(role="admin")
    start()

    answer = client.post("/crm/api/sync-all-hosting", admin, accept_language="en")

    assert (answer.status_code, answer.json) == (
        409,
        {"success": False, "error": "A synchronisation is under way; try again later"},
    )


def test_runs_of_different_scopes_do_not_wait_for_each_other(crm: Crm, owner: Connection) -> None:
    one, another = (crm.account(role="mining_site_owner") for _ in range(2))
    for tenant in (None, one, another):
        start(tenant)
    assert [run["state"] for run in runs(owner)] == ["running"] * 3


def test_a_start_is_not_kept_waiting_by_one_that_is_not_committed(crm: Crm) -> None:
    with closing(Database()) as elsewhere, elsewhere.transaction() as transaction:
        lease.take(transaction, None, "console", None)
        with pytest.raises(Conflict):
            start()


def test_a_dead_run_of_any_scope_is_abandoned_by_the_next_start(crm: Crm, owner: Connection) -> None:
    tenant = crm.account(role="mining_site_owner")
    start(tenant)
    start()
    owner.run(GO_COLD)

    batch.run(database, None, "console")

    assert [run["state"] for run in runs(owner)] == ["abandoned", "abandoned", "completed"]


def test_a_heartbeat_within_five_minutes_keeps_the_lease(owner: Connection) -> None:
    start()
    owner.run("update crm_hosting.runs set heartbeat_at = now() - interval '290 seconds'")
    with pytest.raises(Conflict):
        start()


def test_a_worker_that_was_taken_over_writes_nothing_more(
    crm: Crm, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "CHUNK_SIZE", 2)
    customers = [crm.linked_customer() for _ in range(6)]

    def taken_over_after_a_chunk() -> bool:
        if runs(owner)[-1]["cursor"] >= 2:
            owner.run(GO_COLD)
            with closing(Database()) as elsewhere, elsewhere.transaction() as transaction:
                lease.take(transaction, None, "console", None)
        return True

    with pytest.raises(TakenOver):
        batch.run(database, None, "console", limit=TimeLimit(taken_over_after_a_chunk))

    old, new = runs(owner)
    assert (old["state"], old["total"], new["state"], new["total"]) == ("abandoned", 2, "running", 0)
    assert [crm.row(customer)["miners_count"] for customer in customers] == [1, 1, 0, 0, 0, 0]


def test_a_worker_cannot_be_taken_over_within_a_chunk(crm: Crm, owner: Connection) -> None:
    crm.linked_customer()
    held = start()
    owner.run(GO_COLD)
    with closing(Database()) as elsewhere, database.transaction() as transaction:
        held.hold(transaction)
        with pytest.raises(Conflict), elsewhere.transaction() as other:
            lease.take(other, None, "console", None)


def test_an_owner_and_all_at_once_sync_every_customer(
    crm: Crm, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "CHUNK_SIZE", 5)
    one, another = (crm.account(role="mining_site_owner") for _ in range(2))
    customers = [crm.linked_customer(tenant, quantity=3) for _ in range(20) for tenant in (one, another)]
    outcomes: dict[Any, Counts] = {}

    def run(tenant_id: int | None) -> None:
        with closing(Database()) as own:
            outcomes[tenant_id] = batch.run(own, tenant_id, "request").counts

    threads = [threading.Thread(target=run, args=[tenant]) for tenant in (None, one, another)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {tenant: counts.total for tenant, counts in outcomes.items()} == {None: 40, one: 20, another: 20}
    assert all(counts.synced + counts.errors == counts.total for counts in outcomes.values())
    assert [crm.row(customer)["miners_count"] for customer in customers] == [3] * 40
    assert {run["state"] for run in runs(owner)} == {"completed"}


def test_a_scheduled_run_waits_for_its_lease(owner: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    held = start()
    asked = 0

    def let_go(_seconds: float) -> None:
        nonlocal asked
        asked += 1
        if asked == 2:
            with database.transaction() as transaction:
                held.end(transaction, "completed", None)

    monkeypatch.setattr("time.sleep", let_go)
    daily_sync.handler({}, LambdaContext("DailySyncFunction", 900))

    assert [run["state"] for run in runs(owner)] == ["completed", "completed"]


def test_a_scheduled_run_that_never_gets_its_lease_fails_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    start()
    monkeypatch.setattr(batch, "LEASE_POLL_SECONDS", 0)
    with pytest.raises(Conflict):
        batch.run(database, None, "schedule", limit=TimeLimit(time_for(chunks=3)))
