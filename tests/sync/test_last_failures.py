"""Whom of the caller's customers the last run that covered them could not sync, though the run is not his to see."""

import json
from typing import Any

import pytest
from pg8000.native import Connection

from crm_services.http.schemas.sync import RunsAnswer
from tests.support.client import Client, data
from tests.support.crm import Crm

RUNS, SYNC_ALL = "/crm/api/sync-runs", "/crm/api/sync-all-hosting"

# 110 customers of one and, before them, 20 of another.
MANY = """
insert into crm_customers (name, created_by_id)
select 'Customer ' || i, case when i > 20 then {one} else {another} end from generate_series(1, 130) i
"""
FAIL = "insert into crm_hosting.run_errors (run_id, customer_id, sqlstate) select 1, id, '55P03' from crm_customers"


def last(client: Client, who: int) -> dict[str, Any]:
    answer = client.get(f"{RUNS}?limit=1", who).get_data()
    RunsAnswer.model_validate_json(answer)
    told: dict[str, Any] = json.loads(answer)["last"]
    return told


def failed(client: Client, who: int) -> list[int]:
    return [one["customer_id"] for one in last(client, who)["failures"]]


@pytest.fixture
def owners(crm: Crm) -> tuple[int, int, int]:
    """Two mine owners, and an admin."""
    crm.snapshot()
    one, another = crm.account(role="mining_site_owner"), crm.account(role="mining_site_owner")
    return one, another, crm.account(role="admin")


@pytest.fixture
def refused(client: Client, crm: Crm, owner: Connection, owners: tuple[int, int, int]) -> list[int]:
    """Three customers, the first owner's twice and the second's, that the run over everybody could not sync."""
    one, another, admin = owners
    owner.run("alter table crm_customers add constraint solvent check (hosting_net_profit_daily >= 0)")
    customers = [crm.linked_customer(whose, electricity_cost=0.9) for whose in (one, another, one)]
    crm.linked_customer(one)
    assert data(client.post(SYNC_ALL, admin))["errors"] == 3
    return customers


def test_an_owner_learns_whom_of_his_own_everybodys_run_could_not_sync_and_why(
    client: Client, crm: Crm, owners: tuple[int, int, int], refused: list[int]
) -> None:
    one, another, admin = owners
    names = dict(crm.db.run("select id, name from crm_customers"))

    for who, theirs, run_id in ((one, refused[::2], None), (another, refused[1:2], None), (admin, refused, 1)):
        told = last(client, who)
        assert (told["errors"], told["run_id"], told["is_over_everybody"]) == (len(theirs), run_id, True)
        assert told["failures"] == [
            {"customer_id": customer, "name": names[customer], "sqlstate": "23514", "constraint": "solvent"}
            for customer in theirs
        ]
    assert client.get(f"{RUNS}/1", one).status_code == 404


def test_who_was_deleted_or_has_another_owner_since_is_no_longer_told(
    client: Client, crm: Crm, owners: tuple[int, int, int], refused: list[int]
) -> None:
    one, another, admin = owners
    crm.db.run("update crm_customers set created_by_id = :o where id = :id", o=another, id=refused[0])
    crm.db.run("delete from crm_customers where id = :id", id=refused[2])

    assert failed(client, one) == []
    assert failed(client, another) == failed(client, admin) == refused[:2]


def test_of_an_owners_own_run_he_is_told_its_id_and_nobody_elses_customers(
    client: Client, crm: Crm, owners: tuple[int, int, int], refused: list[int]
) -> None:
    one, another, admin = owners
    assert data(client.post(SYNC_ALL, one))["errors"] == 2
    crm.db.run("update crm_customers set created_by_id = :o where id = :id", o=another, id=refused[0])

    told = last(client, one)

    assert (told["run_id"], told["is_over_everybody"], failed(client, one)) == (2, False, refused[2:])
    assert client.get(f"{RUNS}/2", one).status_code == 200
    assert (failed(client, another), failed(client, admin)) == (refused[:2], refused)
    assert client.get(f"{RUNS}/2", another).status_code == 404


def test_a_hundred_are_told_of_and_how_many_there_are(client: Client, crm: Crm, owners: tuple[int, int, int]) -> None:
    one, another, admin = owners
    crm.db.run(MANY.format(one=one, another=another))
    data(client.post(SYNC_ALL, admin))
    assert [last(client, who)["failures"] for who in owners] == [[], [], []]
    crm.db.run(
        "insert into crm_hosting.run_errors (run_id, customer_id, sqlstate) select 1, id, '55P03' from crm_customers"
    )
    crm.db.run("update crm_hosting.runs set errors = 130")
    ids = [id_ for (id_,) in crm.db.run("select id from crm_customers order by id")]

    assert [last(client, who)["errors"] for who in owners] == [110, 20, 130]
    assert [failed(client, who) for who in owners] == [ids[20:120], ids[:20], ids[:100]]
