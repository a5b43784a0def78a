"""A run that is out of time goes on in a function of its own: with Lambda as moto has it."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.awslambda_simple.models import LambdaSimpleBackend
from pg8000.native import Connection

import daily_sync
import sync_all_hosting
from crm_services.base.errors import Conflict
from crm_services.postgres.database import database
from crm_services.sync import batch, handover, lease, worker
from crm_services.sync.batch import TimeLimit
from crm_services.sync.counts import Counts
from local.lambda_context import LambdaContext
from tests.support.client import Client
from tests.support.crm import Crm
from tests.support.runs import runs, time_for

FUNCTION = "daily-sync"


class Lambda:
    """Keeps the events of asynchronous invocations until the test has them delivered."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def deliver(self, seconds: float = 900) -> dict[str, Any]:
        """Invoke the function with the oldest event."""
        return daily_sync.handler(self.events.pop(0), LambdaContext(FUNCTION, seconds))


@pytest.fixture
def aws(environment: pytest.MonkeyPatch) -> Iterator[Lambda]:
    """An AWS with the daily function in it."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        environment.setenv(name, value)
    environment.setenv("SYNC_FUNCTION", FUNCTION)
    environment.setenv("AWS_LAMBDA_FUNCTION_NAME", FUNCTION)
    service = Lambda()

    def invoke(_backend: Any, name: str, _qualifier: Any, body: Any, *_: Any) -> bytes:
        assert name == FUNCTION
        service.events.append(json.loads(body))
        return b"{}"

    environment.setattr(LambdaSimpleBackend, "invoke", invoke)
    with mock_aws(config={"lambda": {"use_docker": False}}):
        role = boto3.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        code = io.BytesIO()
        zipfile.ZipFile(code, "w").close()
        boto3.client("lambda").create_function(
            FunctionName=FUNCTION,
            Runtime="python3.13",
            Role=role,
            Handler="daily_sync.handler",
            Code={"ZipFile": code.getvalue()},
        )
        yield service


@pytest.fixture
def five(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Five linked customers and one that is not, in chunks of two; a request has time for one chunk."""
    monkeypatch.setattr(worker, "CHUNK_SIZE", 2)
    monkeypatch.setattr(sync_all_hosting.api, "has_time", time_for(chunks=1))
    return [*(crm.linked_customer() for _ in range(5)), crm.customer("nobody@example.com")]


def test_what_is_left_of_a_request_is_handed_over_and_done(
    aws: Lambda, client: Client, crm: Crm, owner: Connection, five: list[int]
) -> None:
    admin = crm.account(role="admin")

    answer = client.post("/crm/api/sync-all-hosting", admin, accept_language="en")

    assert answer.status_code == 202
    assert answer.json == {
        "success": True,
        "data": {"total": 2, "synced": 2, "skipped": 0, "errors": 0, "remaining": 4},
        "message": "Hosting data of 2 customers synchronised so far, 4 to go",
    }
    assert aws.deliver()["state"] == "completed"
    [run] = runs(owner)
    assert (run["state"], run["origin"], run["started_by"]) == ("completed", "request", admin)
    assert (run["total"], run["synced"], run["skipped"]) == (6, 5, 1)


def test_a_tenants_run_stays_the_tenants(
    aws: Lambda, client: Client, crm: Crm, owner: Connection, five: list[int]
) -> None:
    tenant = crm.account(role="mining_site_owner")
    own = [crm.linked_customer(tenant) for _ in range(3)]

    assert client.post("/crm/api/sync-all-hosting", tenant).status_code == 202
    aws.deliver()

    [run] = runs(owner)
    assert (run["tenant_id"], run["total"]) == (tenant, 3)
    assert [crm.row(customer)["miners_count"] for customer in own] == [1, 1, 1]
    assert crm.row(five[0])["hosting_synced_at"] is None


def test_the_scope_is_taken_until_the_function_has_come(aws: Lambda, client: Client, crm: Crm, five: list[int]) -> None:
    client.post("/crm/api/sync-all-hosting", crm.account(role="admin"))
    with pytest.raises(Conflict):
        batch.run(database, None, "console")


def test_an_event_that_is_delivered_twice_is_done_once(
    aws: Lambda, client: Client, crm: Crm, owner: Connection, five: list[int]
) -> None:
    client.post("/crm/api/sync-all-hosting", crm.account(role="admin"))
    aws.events *= 2
    aws.deliver()

    assert aws.deliver() == {"run_id": 1, "state": "taken over"}
    assert runs(owner)[0]["total"] == 6


def test_whoever_handed_a_run_over_writes_nothing_more(aws: Lambda, crm: Crm, five: list[int]) -> None:
    with database.transaction() as transaction:
        held = lease.take(transaction, None, "request", None)
    before = worker.Worker(database, held)
    passed = worker.Worker(database, held).pass_on()

    assert passed.token != held.token
    with pytest.raises(lease.TakenOver):
        before.work(lambda: True)


def test_a_scheduled_run_that_15_minutes_are_too_short_for_goes_on_in_the_next_invocation(
    aws: Lambda, crm: Crm, owner: Connection, five: list[int]
) -> None:
    limit = TimeLimit(time_for(chunks=1), handover.to_function(FUNCTION))
    assert batch.run(database, None, "schedule", limit=limit).state == "running"
    limit = TimeLimit(time_for(chunks=1), handover.to_function(FUNCTION))
    assert batch.resume(database, **aws.events.pop(), limit=limit).state == "running"

    assert aws.deliver()["state"] == "completed"
    [run] = runs(owner)
    assert (run["origin"], run["total"], run["synced"]) == ("schedule", 6, 5)


def test_a_function_too_short_to_begin_does_not_invoke_itself_for_ever(
    aws: Lambda, owner: Connection, five: list[int]
) -> None:
    assert daily_sync.handler({}, LambdaContext(FUNCTION, 30))["state"] == "partial"
    assert (aws.events, runs(owner)[0]["state"]) == ([], "partial")


def test_without_a_function_to_go_on_the_run_is_partial_and_the_answer_says_so(
    environment: pytest.MonkeyPatch, client: Client, crm: Crm, owner: Connection, five: list[int]
) -> None:
    answer = client.post("/crm/api/sync-all-hosting", crm.account(role="admin"))

    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["data"] == {"total": 2, "synced": 2, "skipped": 0, "errors": 0, "remaining": 4}
    assert runs(owner)[0]["state"] == "partial"


@pytest.mark.usefixtures("aws", "five")
def test_where_the_function_cannot_be_invoked_the_run_is_partial(
    environment: pytest.MonkeyPatch, client: Client, crm: Crm, owner: Connection
) -> None:
    environment.setenv("SYNC_FUNCTION", "no-such-function")

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
