"""A customer that loses its link: cleared by the next sync, counted, and said."""

from typing import Any

import pytest

import daily_sync
from crm_services.base.settings import settings
from local.lambda_context import LambdaContext
from tests.support.client import Client, data
from tests.support.crm import Crm
from tests.support.emf import by_name, metrics_in
from tests.support.runs import runs

FIGURES = (
    "miners_count", "mining_capacity", "primary_miner_model", "hosting_estimated_daily_btc",
    "hosting_estimated_daily_usd", "hosting_net_profit_daily",
)  # fmt: skip
NONE = (0, 0, None, 0, 0, 0)


def confirm(crm: Crm, customer: int, account: int) -> None:
    crm.db.run(
        "insert into crm_hosting.links (customer_id, confirmed_account_id) values (:customer, :account)",
        customer=customer, account=account,
    )  # fmt: skip


# Each makes the customer's link, or undoes it: of the customer `c` and the account `a`.
BY_EMAIL = "select 1"
LOSSES = {
    "the address moved to another customer": (BY_EMAIL, "update crm_customers set email = 'new@x.com' where id = :c"),
    "the address was emptied": (BY_EMAIL, "update crm_customers set email = ' ' where id = :c"),
    "the address became null": (BY_EMAIL, "update crm_customers set email = null where id = :c"),
    "the account's address changed": (BY_EMAIL, "update user_access set email = 'new@x.com' where id = :a"),
    "the account was deleted": (BY_EMAIL, "with m as (delete from user_miners) delete from user_access where id = :a"),
    "the CRM named it, and names none": (
        "update crm_customers set user_account_id = :a, email = null where id = :c",
        "update crm_customers set user_account_id = null where id = :c",
    ),
    "it was confirmed, and undone": (
        "with u as (update crm_customers set email = null where id = :c) "
        "insert into crm_hosting.links (customer_id, confirmed_account_id) values (:c, :a)",
        "delete from crm_hosting.links where customer_id = :c",
    ),
    "it was refused": (
        BY_EMAIL,
        "insert into crm_hosting.links (customer_id, refused_account_ids) values (:c, array[cast(:a as integer)])",
    ),
}


def change(crm: Crm, statement: str, customer: int, account: int) -> None:
    wanted = {"c": customer, "a": account}
    crm.db.run(statement, **{name: value for name, value in wanted.items() if f":{name}" in statement})


def written(crm: Crm, customer: int) -> tuple[Any, ...]:
    row = crm.row(customer)
    return tuple(row[name] for name in FIGURES)


def findings(crm: Crm) -> list[Any]:
    return [tuple(row) for row in crm.db.run("select customer_id, kind from crm_hosting.findings order by 1, 2")]


@pytest.fixture
def admin(crm: Crm) -> int:
    return crm.account(role="admin")


@pytest.mark.parametrize(("made", "undone"), LOSSES.values(), ids=LOSSES)
def test_the_next_batch_clears_it_counts_it_and_says_so(
    client: Client, crm: Crm, admin: int, made: str, undone: str
) -> None:
    crm.snapshot()
    account = crm.account("whale@x.com")
    crm.miners(account, 1000)
    lost = crm.customer("whale@x.com")
    change(crm, made, lost, account)
    crm.linked_customer()
    data(client.post("/crm/api/sync-all-hosting", admin))
    assert written(crm, lost)[0] == 1000
    change(crm, undone, lost, account)

    first = data(client.post("/crm/api/sync-all-hosting", admin))

    assert written(crm, lost) == NONE
    assert (first["total"], first["synced"], first["skipped"], first["errors"]) == (2, 2, 0, 0)
    run = runs(crm.db)[-1]
    assert (run["linked"], run["lost"]) == (1, 1)
    assert (lost, "link_lost") in findings(crm)
    status = data(client.get("/crm/api/sync-status", admin, accept_language="en"))
    assert status["sync_health"] == "warning"
    assert "Customers that lost their hosting account, and were cleared: 1" in status["issues"]
    assert (status["linked_customers"], status["unlinked_customers"]) == (1, 1)


def test_the_sync_of_one_customer_clears_it_too_without_any_market(client: Client, crm: Crm, admin: int) -> None:
    crm.snapshot()
    customer = crm.linked_customer(quantity=5)
    client.post(f"/crm/api/customer/{customer}/sync-hosting", admin)
    assert written(crm, customer)[0] == 5
    crm.db.run("delete from network_snapshots")
    crm.db.run("update crm_customers set email = null")

    assert client.post(f"/crm/api/customer/{customer}/sync-hosting", admin).status_code == 200
    assert written(crm, customer) == NONE
    assert findings(crm) == [(customer, "link_lost")]


def test_in_a_scope_that_was_narrowed_a_stranger_s_figures_are_cleared(
    client: Client, crm: Crm, admin: int, environment: pytest.MonkeyPatch
) -> None:
    crm.snapshot()
    crm.miners(crm.account("whale@x.com"), 1000)
    nosy = crm.customer("whale@x.com", crm.account(role="mining_site_owner"))
    client.post("/crm/api/sync-all-hosting", admin)
    environment.setenv("LINK_SCOPE", "tenant")
    settings.cache_clear()

    daily_sync.handler({}, LambdaContext("DailySyncFunction", timeout=900))

    assert written(crm, nosy) == NONE
    assert findings(crm) == [(nosy, "link_lost")]


def test_an_address_that_moves_takes_the_figures_with_it(client: Client, crm: Crm, admin: int) -> None:
    crm.snapshot()
    crm.miners(crm.account("whale@x.com"), 1000)
    before, after = crm.customer("whale@x.com"), crm.customer()
    client.post("/crm/api/sync-all-hosting", admin)
    crm.db.run("update crm_customers set email = case id when :after then 'whale@x.com' end", after=after)

    client.post("/crm/api/sync-all-hosting", admin)

    assert (written(crm, before)[0], written(crm, after)[0]) == (0, 1000)


def test_a_link_that_is_found_again_is_no_finding_and_a_known_loss_is_counted_once(
    client: Client, crm: Crm, admin: int, capsys: pytest.CaptureFixture[str]
) -> None:
    crm.snapshot()
    customer = crm.linked_customer(quantity=5)
    [[email]] = crm.db.run("select email from crm_customers")
    for address, lost in ((email, 0), (None, 1), (None, 0), (email, 0), (None, 1)):
        crm.db.run("update crm_customers set email = :email", email=address)
        daily_sync.handler({}, LambdaContext("DailySyncFunction", timeout=900))

        assert by_name(metrics_in(capsys.readouterr().out))["LinksLost"] == lost
        assert findings(crm) == ([(customer, "link_lost")] if address is None else [])


def test_a_prospect_s_typed_in_capacity_stays(client: Client, crm: Crm, admin: int) -> None:
    prospect = crm.customer("nobody@x.com", mining_capacity=2.5)

    client.post("/crm/api/sync-all-hosting", admin)

    assert crm.row(prospect)["mining_capacity"] == 2.5
    assert client.post(f"/crm/api/customer/{prospect}/sync-hosting", admin).status_code == 404
    assert findings(crm) == []


def test_a_link_that_names_an_account_that_is_gone_is_a_finding_and_the_e_mail_counts(
    client: Client, crm: Crm, admin: int
) -> None:
    crm.snapshot()
    customer = crm.linked_customer(quantity=5)
    confirm(crm, customer, 10_000)

    client.post("/crm/api/sync-all-hosting", admin)

    assert written(crm, customer)[0] == 5
    assert findings(crm) == [(customer, "account_gone")]


def test_customers_that_share_an_account_are_named_while_they_do(client: Client, crm: Crm, admin: int) -> None:
    crm.snapshot()
    crm.miners(crm.account("whale@x.com"), 1000)
    customers = [crm.customer(email) for email in ("whale@x.com", "WHALE@x.com", " whale@x.com")]
    crm.linked_customer()

    client.post("/crm/api/sync-all-hosting", admin)
    assert findings(crm) == [(one, "shared_account") for one in customers]
    client.post(f"/crm/api/customer/{customers[0]}/sync-hosting", admin)
    assert findings(crm) == [(one, "shared_account") for one in customers]

    crm.db.run("update crm_customers set email = null where id in (:one, :two)", one=customers[0], two=customers[1])
    client.post("/crm/api/sync-all-hosting", admin)
    assert findings(crm) == [(one, "link_lost") for one in customers[:2]]
