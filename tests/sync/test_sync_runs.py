"""The runs as an operator reviews them: who, when, over what, with what result, and who failed why."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from pg8000.native import Connection

from crm_services.http.schemas.sync import RunAnswer, RunsAnswer
from crm_services.postgres.database import database
from crm_services.sync import batch, lease
from tests.support.client import Client, data
from tests.support.crm import Crm

RUNS = "/crm/api/sync-runs"


@pytest.fixture
def refused(crm: Crm, owner: Connection) -> list[int]:
    """Three customers whose figures the CRM does not take."""
    crm.snapshot()
    owner.run("alter table crm_customers add constraint solvent check (hosting_net_profit_daily >= 0)")
    return [crm.linked_customer(electricity_cost=5.0) for _ in range(3)]


@pytest.mark.parametrize("zone", ["Etc/GMT+12", "Etc/GMT-14"])  # a day apart at any time, or two
def test_a_run_tells_who_when_what_and_how_it_ended(
    client: Client, crm: Crm, owner: Connection, environment: pytest.MonkeyPatch, zone: str
) -> None:
    environment.setenv("HISTORY_TIME_ZONE", zone)
    admin = crm.account(role="admin")
    crm.linked_customer()
    crm.customer("nobody@example.com")
    client.post("/crm/api/sync-all-hosting", admin)

    answer = client.get(RUNS, admin)

    RunsAnswer.model_validate_json(answer.get_data())
    [run] = data(answer)
    [[started, ended]] = owner.run(
        "select to_char(started_at at time zone 'utc', :iso), to_char(ended_at at time zone 'utc', :iso)"
        " from crm_hosting.runs",
        iso='YYYY-MM-DD"T"HH24:MI:SS"Z"',
    )
    assert 0 < run.pop("duration_seconds") < 60
    assert run == {
        "run_id": 1,
        "tenant_id": None,
        "origin": "request",
        "started_by": admin,
        "state": "completed",
        "failure": None,
        "total": 2,
        "linked": 1,
        "synced": 1,
        "links_lost": 0,
        "links_ambiguous": 0,
        "links_shared": 0,
        "skipped": 1,
        "errors": 0,
        "changed": 1,
        "started_at": started,
        "ended_at": ended,
        "day": datetime.now(ZoneInfo(zone)).date().isoformat(),
    }


def test_runs_come_newest_first_in_pages(client: Client, crm: Crm) -> None:
    admin = crm.account(role="admin")
    for _ in range(5):
        batch.run(database, None, "console")

    first = client.get(f"{RUNS}?limit=3", admin).json
    assert first is not None
    second = client.get(f"{RUNS}?limit=3&before={first['next']}", admin).json
    assert second is not None

    assert [run["run_id"] for page in (first, second) for run in page["data"]] == [5, 4, 3, 2, 1]
    assert second["next"] is None


def test_a_tenant_sees_its_own_runs_only(client: Client, crm: Crm) -> None:
    one, another = (crm.account(role="mining_site_owner") for _ in range(2))
    for tenant in (None, one, another):
        batch.run(database, tenant, "console")

    assert [run["tenant_id"] for run in data(client.get(RUNS, one))] == [one]
    assert len(data(client.get(RUNS, crm.account(role="admin")))) == 3
    assert client.get(f"{RUNS}/2", one).status_code == 200
    missing = client.get(f"{RUNS}/4", one)
    for others in (client.get(f"{RUNS}/1", one), client.get(f"{RUNS}/3?after=1", one)):
        assert (others.status_code, others.get_data()) == (404, missing.get_data())


def test_a_run_names_the_customers_that_it_could_not_sync_and_why(client: Client, crm: Crm, refused: list[int]) -> None:
    admin = crm.account(role="admin")
    batch.run(database, None, "console")

    answer = client.get(f"{RUNS}/1", admin)

    RunAnswer.model_validate_json(answer.get_data())
    details = data(answer)
    assert details["run"]["errors"] == 3
    names = dict(crm.db.run("select id, name from crm_customers"))
    assert details["failures"] == [
        {"customer_id": customer, "name": names[customer], "sqlstate": "23514", "constraint": "solvent"}
        for customer in refused
    ]
    page = client.get(f"{RUNS}/1?limit=2", admin).json
    assert page is not None
    rest = data(client.get(f"{RUNS}/1?limit=2&after={page['next']}", admin))
    assert [failure["customer_id"] for failure in rest["failures"]] == refused[2:]


@pytest.mark.parametrize("run_id", ["1", "0", "-1", "x", str(2**63), "9" * 40])
def test_a_run_that_there_is_not_is_not_found(client: Client, crm: Crm, run_id: str) -> None:
    assert client.get(f"{RUNS}/{run_id}", crm.account(role="admin")).status_code == 404


def test_a_run_whose_worker_died_is_shown_as_abandoned(client: Client, crm: Crm, owner: Connection) -> None:
    admin = crm.account(role="admin")
    with database.transaction() as transaction:
        lease.take(transaction, None, "console", None)
    assert data(client.get(RUNS, admin))[0]["state"] == "running"

    owner.run("update crm_hosting.runs set heartbeat_at = now() - interval '301 seconds'")

    assert data(client.get(RUNS, admin))[0]["state"] == "abandoned"


def test_guests_see_no_runs(client: Client, crm: Crm) -> None:
    assert client.get(RUNS, crm.account(role="guest")).status_code == 403


def test_an_owner_is_told_of_the_last_run_that_covered_him_though_it_is_not_his_to_list(
    client: Client, crm: Crm, owner: Connection
) -> None:
    miner, other = crm.account(role="mining_site_owner"), crm.account(role="mining_site_owner")
    admin = crm.account(role="admin")
    crm.snapshot()
    refused = crm.linked_customer(miner)
    crm.linked_customer(other)
    assert json.loads(client.get(RUNS, miner).get_data())["last"] is None
    owner.run(f"alter table crm_customers add constraint c check (id <> {refused} or miners_count is null) not valid")
    client.post("/crm/api/sync-all-hosting", admin)

    seen = {user: json.loads(client.get(RUNS, user).get_data()) for user in (miner, other, admin)}

    assert [len(seen[user]["data"]) for user in (miner, other, admin)] == [0, 0, 1]
    assert [seen[user]["last"]["errors"] for user in (miner, other, admin)] == [1, 0, 1]
    assert all(one["last"]["is_over_everybody"] for one in seen.values())
    ended = data(client.get("/crm/api/sync-status", miner))["last_sync"]
    assert {one["last"]["ended_at"] for one in seen.values()} == {ended}
    client.post("/crm/api/sync-all-hosting", other)
    assert not json.loads(client.get(RUNS, other).get_data())["last"]["is_over_everybody"]
