"""Accounts that the CRM itself names for a customer, in user_account_id."""

import pytest

from crm_services.postgres.migration import migrate
from crm_services.postgres.target import parse_database_url
from local.postgres import Server, connect
from tests.support.client import Client, data
from tests.support.crm import Crm


def assert_linked(client: Client, crm: Crm, customer: int, account: int | None, *findings: str) -> None:
    """At every place that links: figures, list of customers, preview, sync, batch and counts."""
    admin = crm.account(role="admin")
    path = f"/crm/api/customer/{customer}"
    assert data(client.get(f"{path}/hosting-stats", admin))["user_access_id"] == account
    [listed] = data(client.get(f"/crm/api/hosting/customers?customer={customer}", admin))
    assert listed["has_hosting"] is (account is not None)
    assert len(data(client.get(f"{path}/hosting-miners", admin))) == (account is not None)
    linked = data(client.get("/crm/api/sync-status", admin))["linked_customers"]
    preview = data(client.post("/crm/api/sync-all-hosting?dry_run=true", admin))
    result = data(client.post("/crm/api/sync-all-hosting", admin))
    assert linked == preview["synced"] == result["synced"] == (account is not None)
    assert (client.post(f"{path}/sync-hosting", admin).status_code == 200) is (account is not None)
    assert crm.row(customer)["miners_count"] == (0 if account is None else 5)
    assert [kind for (kind,) in crm.db.run("select kind from crm_hosting.findings")] == list(findings)


@pytest.mark.parametrize("link_scope", ["any", "tenant"])
@pytest.mark.parametrize("email", ["moved@elsewhere.example", None, "", "other@example.com"])
def test_a_named_account_is_the_customer_s_whatever_the_addresses_are(
    client: Client, crm: Crm, environment: pytest.MonkeyPatch, email: str | None, link_scope: str
) -> None:
    environment.setenv("LINK_SCOPE", link_scope)
    owner = crm.account(role="mining_site_owner")
    for _ in range(2):  # whose address it is now: two of them, which makes no ambiguity of a named one
        crm.miners(crm.account(f"{'Oo'[_]}ther@example.com"), 99)
    account = crm.account("opened@example.com", created_by_id=owner)
    crm.miners(account, 5)

    assert_linked(client, crm, crm.customer(email, owner, user_account_id=account), account)


def test_a_named_account_counts_though_it_is_switched_off_and_somebody_else_s(client: Client, crm: Crm) -> None:
    account = crm.account("opened@example.com", is_active=False, created_by_id=crm.account(role="mining_site_owner"))
    crm.miners(account, 5)

    assert_linked(client, crm, crm.customer("a@example.com", crm.account(), user_account_id=account), account)


@pytest.mark.parametrize(("email", "is_linked"), [("self@example.com", True), ("nobody@example.com", False)])
def test_a_named_account_that_is_gone_leaves_the_address(client: Client, crm: Crm, email: str, is_linked: bool) -> None:
    crm.db.run("alter table crm_customers drop constraint crm_customers_user_account_id_fkey")
    account = crm.account("Self@example.com")
    crm.miners(account, 5)

    assert_linked(
        client, crm, crm.customer(email, user_account_id=999_999), account if is_linked else None, "account_gone"
    )


def test_whose_account_is_gone_is_listed_linked_by_the_address_or_not(client: Client, crm: Crm) -> None:
    crm.db.run("alter table crm_customers drop constraint crm_customers_user_account_id_fkey")
    admin, account = crm.account(role="admin"), crm.account("self@example.com")
    gone = [crm.customer(f"{name}@example.com", user_account_id=999_999) for name in ("self", "nobody")]
    crm.customer("self@example.com", user_account_id=account)
    data(client.post("/crm/api/sync-all-hosting", admin))

    listed = data(client.get("/crm/api/hosting/links?state=gone", admin))
    assert [(one["customer_id"], one["account"] is None) for one in listed] == [(gone[0], False), (gone[1], True)]


def test_an_older_crm_without_the_column_links_by_address_and_a_newer_one_after_the_next_migration(
    client: Client, crm: Crm, postgres: Server, database_name: str
) -> None:
    url = postgres.url(database_name)
    with connect(url) as owner:
        owner.run("drop view crm_hosting.customers")
        owner.run("alter table crm_customers drop column user_account_id")
    migrate(parse_database_url(url))
    account = crm.account("self@example.com")
    crm.miners(account, 5)
    crm.db.run("insert into crm_customers (name, email) values ('c', 'SELF@example.com')")
    [[customer]] = crm.db.run("select id from crm_customers")

    assert_linked(client, crm, customer, account)

    other = crm.account()
    crm.miners(other, 5)
    crm.db.run(f"alter table crm_customers add column user_account_id integer default {other}")
    assert migrate(parse_database_url(url)) == ["changed view crm_hosting.customers"]

    assert_linked(client, crm, customer, other)
