"""`dry_run`: what a sync would change, and nothing written."""

import itertools

import pytest
from pg8000.native import Connection

import sync_all_hosting
from crm_services.http.schemas.sync import BatchPreviewAnswer, SyncPreviewAnswer
from crm_services.sync import preview
from tests.support.client import Client, data
from tests.support.crm import Crm

ALL = "/crm/api/sync-all-hosting"


def written(owner: Connection) -> list[list[str]]:
    """Everything that a sync may write, with the transactions that wrote it."""
    tables = ("crm_customers", "crm_hosting.runs", "crm_hosting.run_errors", "crm_hosting.findings")
    return [row for table in tables for row in owner.run(f"select xmin::text, xmax::text, t::text from {table} t")]


def one(customer: int) -> str:
    return f"/crm/api/customer/{customer}/sync-hosting"


def test_a_dry_run_of_a_customer_names_each_field_before_and_after(client: Client, crm: Crm, owner: Connection) -> None:
    tenant = crm.account(role="mining_site_owner")
    crm.snapshot()
    customer = crm.linked_customer(tenant, quantity=500)
    owner.run("update crm_customers set mining_capacity = 7.5 where id = :id", id=customer)
    before = written(owner)

    answer = client.post(f"{one(customer)}?dry_run=true", tenant)

    SyncPreviewAnswer.model_validate_json(answer.get_data())
    assert data(answer) == {
        "miners_count": {"before": 0, "after": 500},
        "mining_capacity": {"before": 7.5, "after": 1.5},
        "primary_miner_model": {"before": None, "after": "Antminer S21"},
        "hosting_estimated_daily_btc": {"before": None, "after": 0.05},
        "hosting_estimated_daily_usd": {"before": None, "after": 5000.0},
        "hosting_net_profit_daily": {"before": None, "after": 3200.0},
    }
    assert written(owner) == before


def test_after_the_sync_a_dry_run_finds_nothing_to_change(client: Client, crm: Crm) -> None:
    tenant = crm.account(role="mining_site_owner")
    customer = crm.linked_customer(tenant)
    client.post(one(customer), tenant)
    assert data(client.post(f"{one(customer)}?dry_run=true", tenant)) == {}


def test_a_dry_run_fails_where_the_sync_would(client: Client, crm: Crm) -> None:
    tenant = crm.account(role="mining_site_owner")
    unlinked, anothers = crm.customer(owner=tenant), crm.customer()
    too_many = crm.linked_customer(tenant, quantity=2**31 - 1)
    [[account]] = crm.db.run("select user_id from user_miners")
    crm.miners(account, 2)

    for query in ("", "?dry_run=true"):
        statuses = [
            client.post(one(customer) + query, tenant).status_code for customer in (unlinked, anothers, too_many)
        ]
        assert statuses == [404, 403, 409]


def test_a_dry_run_of_the_batch_counts_as_the_run_would_and_writes_nothing(
    client: Client, crm: Crm, owner: Connection
) -> None:
    admin = crm.account(role="admin")
    customers = [crm.linked_customer(quantity=quantity) for quantity in (1, 2)]
    crm.customer("nobody@example.com")
    before = written(owner)

    answer = client.post(f"{ALL}?dry_run=true", admin)

    BatchPreviewAnswer.model_validate_json(answer.get_data())
    result = data(answer)
    assert written(owner) == before
    assert [change["customer_id"] for change in result.pop("changes")] == customers
    assert result == {"total": 3, "synced": 2, "skipped": 1, "errors": 0, "changed": 2, "remaining": 0}
    real = data(client.post(ALL, admin))
    assert real == {name: result[name] for name in real}
    assert data(client.post(f"{ALL}?dry_run=true", admin))["changed"] == 0


def test_a_dry_run_shows_the_callers_customers_a_hundred_at_a_time(
    client: Client, crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "SHOWN", 3)
    monkeypatch.setattr(preview, "CHUNK_SIZE", 2)
    tenant = crm.account(role="mining_site_owner")
    crm.linked_customer()
    own = [crm.linked_customer(tenant) for _ in range(5)]

    first = client.post(f"{ALL}?dry_run=true", tenant).json
    assert first is not None
    second = client.post(f"{ALL}?dry_run=true&after={first['next']}", tenant).json
    assert second is not None

    assert (first["data"]["total"], first["data"]["changed"]) == (5, 5)
    assert [change["customer_id"] for change in first["data"]["changes"]] == own[:3]
    assert [change["customer_id"] for change in second["data"]["changes"]] == own[3:]
    assert second["next"] is None
    names = {change["name"] for page in (first, second) for change in page["data"]["changes"]}
    assert names == {name for [name] in crm.db.run("select name from crm_customers where id = any (:ids)", ids=own)}


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 100])
@pytest.mark.parametrize("answers_in_time", [1, 2, 1000])
def test_a_walk_from_page_to_page_meets_every_change_once_and_looks_no_further_than_it_shows(
    client: Client, crm: Crm, monkeypatch: pytest.MonkeyPatch, chunk_size: int, answers_in_time: int
) -> None:
    monkeypatch.setattr(preview, "SHOWN", 2)
    monkeypatch.setattr(preview, "CHUNK_SIZE", chunk_size)
    admin = crm.account(role="admin")
    changed = []
    for number in range(9):
        if number % 3 == 1:
            crm.customer()
        else:
            changed.append(crm.linked_customer())
    met, path = [], f"{ALL}?dry_run=true"
    while path:
        clock = itertools.chain([True] * answers_in_time, itertools.repeat(False))
        monkeypatch.setattr(sync_all_hosting.api, "has_time", lambda clock=clock: next(clock))
        page = client.post(path, admin).json
        assert page is not None
        met += [change["customer_id"] for change in page["data"]["changes"]]
        assert len(page["data"]["changes"]) <= 2
        path = "" if page["next"] is None else f"{ALL}?dry_run=true&after={page['next']}"

    assert met == changed


@pytest.mark.parametrize("after", ["x", "-2147483649", "2147483648", "1.5"])
def test_a_page_that_cannot_be_is_refused(client: Client, crm: Crm, after: str) -> None:
    assert client.post(f"{ALL}?dry_run=true&after={after}", crm.account(role="admin")).status_code == 400


def test_a_customer_whose_figures_fit_no_column_is_an_error_of_the_dry_run_alone(client: Client, crm: Crm) -> None:
    crm.linked_customer()
    crm.linked_customer(quantity=2**31 - 1)
    [[account]] = crm.db.run("select max(user_id) from user_miners")
    crm.miners(account, 2)
    result = data(client.post(f"{ALL}?dry_run=true", crm.account(role="admin")))
    assert (result["total"], result["synced"], result["errors"]) == (2, 1, 1)


def test_a_dry_run_out_of_time_says_how_many_it_did_not_look_at(
    client: Client, crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "CHUNK_SIZE", 2)
    clock = itertools.chain([True], itertools.repeat(False))
    monkeypatch.setattr(sync_all_hosting.api, "has_time", lambda: next(clock))
    for _ in range(5):
        crm.linked_customer()

    result = data(client.post(f"{ALL}?dry_run=true", crm.account(role="admin")))

    assert (result["total"], result["remaining"]) == (2, 3)


def test_a_record_that_somebody_edits_is_a_conflict_for_its_sync(client: Client, crm: Crm, owner: Connection) -> None:
    tenant = crm.account(role="mining_site_owner")
    customer = crm.linked_customer(tenant)
    owner.run("begin")
    owner.run("select from crm_customers where id = :id for update", id=customer)

    answer = client.post(one(customer), tenant, accept_language="en")

    owner.run("rollback")
    assert (answer.status_code, answer.json) == (
        409,
        {"success": False, "error": "The customer's record is being changed; try again"},
    )
    assert client.post(one(customer), tenant).status_code == 200
