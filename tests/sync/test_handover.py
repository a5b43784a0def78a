"""A run that is out of time goes on in the state machine, as moto executes it."""

from collections.abc import Iterator

import pytest
from pg8000.native import Connection

import daily_sync
import sync_all_hosting
import sync_worker
from crm_services.base.errors import Conflict
from crm_services.postgres.database import database
from crm_services.sync import batch, handover, lease, worker
from crm_services.sync.batch import TimeLimit
from crm_services.sync.counts import Counts
from crm_services.sync.ending import Ending
from crm_services.sync.patience import IMPATIENT, always
from local.lambda_context import LambdaContext
from tests.support.client import Client
from tests.support.crm import Crm
from tests.support.engine import Engine, engine
from tests.support.runs import runs, time_for


@pytest.fixture
def aws(environment: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An AWS with the state machine in it, which has one function at a time."""
    with engine(environment, functions=1) as service:
        yield service


@pytest.fixture
def five(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Five linked customers and one that is not, in chunks of two; a request has time for one chunk."""
    monkeypatch.setattr(worker, "CHUNK_SIZE", 2)
    monkeypatch.setattr(sync_all_hosting.api, "has_time", time_for(chunks=1))
    return [*(crm.linked_customer() for _ in range(5)), crm.customer("nobody@example.com")]


def test_what_is_left_of_a_request_is_handed_over_and_done(
    aws: Engine, client: Client, crm: Crm, owner: Connection, five: list[int]
) -> None:
    admin = crm.account(role="admin")

    answer = client.post("/crm/api/sync-all-hosting", admin, accept_language="en")

    assert answer.status_code == 202
    assert answer.json == {
        "success": True,
        "data": {"total": 2, "synced": 2, "skipped": 0, "errors": 0, "remaining": 4},
        "message": "Hosting data of 2 customers synchronised so far, 4 to go",
    }
    assert aws.ended() == "SUCCEEDED"
    [run] = runs(owner)
    assert (run["state"], run["origin"], run["started_by"]) == ("completed", "request", admin)
    assert (run["total"], run["synced"], run["skipped"]) == (6, 5, 1)


def test_a_tenants_run_stays_the_tenants(
    aws: Engine, client: Client, crm: Crm, owner: Connection, five: list[int]
) -> None:
    tenant = crm.account(role="mining_site_owner")
    own = [crm.linked_customer(tenant) for _ in range(3)]

    assert client.post("/crm/api/sync-all-hosting", tenant).status_code == 202
    assert aws.ended() == "SUCCEEDED"

    [run] = runs(owner)
    assert (run["tenant_id"], run["total"]) == (tenant, 3)
    assert [crm.row(customer)["miners_count"] for customer in own] == [1, 1, 1]
    assert crm.row(five[0])["hosting_synced_at"] is None


def test_the_scope_is_taken_until_the_machine_has_come(
    aws: Engine, client: Client, crm: Crm, five: list[int], environment: pytest.MonkeyPatch
) -> None:
    environment.setattr(handover, "to_state_machine", lambda *_: lambda *_run: None)
    assert client.post("/crm/api/sync-all-hosting", crm.account(role="admin")).status_code == 202
    with pytest.raises(Conflict):
        batch.run(database, None, "console")


def test_a_function_that_comes_to_a_run_that_has_ended_says_how(
    aws: Engine, client: Client, crm: Crm, owner: Connection, five: list[int]
) -> None:
    client.post("/crm/api/sync-all-hosting", crm.account(role="admin"))
    aws.ended()

    told = sync_worker.handler(aws.invocations[0], LambdaContext("SyncWorkerFunction", 900))

    assert (told["state"], told["total"], runs(owner)[0]["total"]) == ("completed", 6, 6)


def test_whoever_handed_a_run_over_writes_nothing_more(environment: pytest.MonkeyPatch, five: list[int]) -> None:
    with database.transaction() as transaction:
        held = lease.take(transaction, None, "request", None)
    passed = Ending(database, held, IMPATIENT, always).pass_on()

    assert passed.token != held.token
    with pytest.raises(lease.TakenOver):
        worker.Worker(database, held).work(always)
    told = sync_worker.handler({"run_id": held.run_id, "token": held.token}, LambdaContext("SyncWorkerFunction", 900))
    assert told["state"] == "taken over"


def test_a_scheduled_run_that_15_minutes_are_too_short_for_goes_on_in_the_machine(
    aws: Engine, crm: Crm, owner: Connection, five: list[int]
) -> None:
    limit = TimeLimit(time_for(chunks=1), handover.to_state_machine(aws.machine, 1))
    assert batch.run(database, None, "schedule", limit=limit).state == "running"

    assert aws.ended() == "SUCCEEDED"
    [run] = runs(owner)
    assert (run["origin"], run["total"], run["synced"]) == ("schedule", 6, 5)


def test_a_function_too_short_to_begin_hands_nothing_over(aws: Engine, owner: Connection, five: list[int]) -> None:
    assert daily_sync.handler({}, LambdaContext("DailySyncFunction", 30))["state"] == "partial"
    assert (aws.executions(), runs(owner)[0]["state"]) == ([], "partial")


def test_without_a_machine_to_go_on_the_run_is_partial_and_the_answer_says_so(
    environment: pytest.MonkeyPatch, client: Client, crm: Crm, owner: Connection, five: list[int]
) -> None:
    answer = client.post("/crm/api/sync-all-hosting", crm.account(role="admin"))

    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["data"] == {"total": 2, "synced": 2, "skipped": 0, "errors": 0, "remaining": 4}
    assert runs(owner)[0]["state"] == "partial"


@pytest.mark.usefixtures("five")
def test_where_the_machine_cannot_be_started_the_run_is_partial(
    aws: Engine, environment: pytest.MonkeyPatch, client: Client, crm: Crm, owner: Connection
) -> None:
    environment.setenv("SYNC_STATE_MACHINE", aws.machine + "-of-another-stack")

    answer = client.post("/crm/api/sync-all-hosting", crm.account(role="admin"))

    assert answer.status_code == 200
    assert runs(owner)[0]["state"] == "partial"
    assert batch.run(database, None, "console").counts == Counts(6, 5, 5, 1, 0, 3)


def test_a_request_has_20_seconds_for_its_run(environment: pytest.MonkeyPatch, client: Client, crm: Crm) -> None:
    api = sync_all_hosting.api
    client.post("/crm/api/sync-all-hosting", crm.account(role="admin"))
    assert api.has_time()
    api._started -= 20
    assert not api.has_time()
