"""Links that people confirm, refuse and undo: who may say what, what counts, and what is kept of it."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from pg8000.native import Connection

from crm_services.base.settings import settings
from local.postgres import Server, connect
from tests.support.client import Client, data
from tests.support.crm import Crm

HELD = "/crm/api/hosting/links/confirm"


@dataclass
class Case:
    """Two mine owners, an account that each created and one that nobody did, and a customer of the first."""

    client: Client
    crm: Crm
    admin: int
    owner: int
    mine: int
    another_s: int
    nobody_s: int
    customer: int

    def put(self, account: int | str, caller: int, customer: int | None = None, more: str = "") -> Any:
        path = f"/crm/api/customer/{customer or self.customer}/hosting-link?account_id={account}{more}"
        return self.client.ask("PUT", path, caller)

    def delete(self, caller: int, query: str = "") -> Any:
        return self.client.ask("DELETE", f"/crm/api/customer/{self.customer}/hosting-link{query}", caller)

    def linked_to(self) -> int | None:
        stats = data(self.client.get(f"/crm/api/customer/{self.customer}/hosting-stats?include=", self.admin))
        found: int | None = stats["user_access_id"]
        return found


@pytest.fixture
def case(client: Client, crm: Crm) -> Case:
    crm.snapshot()
    owner, other = (crm.account(role="mining_site_owner") for _ in range(2))
    return Case(
        client,
        crm,
        crm.account(role="admin"),
        owner,
        crm.account("mine@x.com", created_by_id=owner),
        crm.account("another@x.com", created_by_id=other),
        crm.account("nobody@x.com"),
        crm.customer("customer@x.com", owner),
    )


@pytest.fixture
def tenant_scope(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("LINK_SCOPE", "tenant")


# ── What counts ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_confirmed_link_comes_before_the_crm_s_own_and_the_e_mail_and_survives_their_change(case: Case) -> None:
    case.crm.db.run("update crm_customers set email = 'mine@x.com'")
    assert case.linked_to() == case.mine
    case.crm.db.run("update crm_customers set user_account_id = :id", id=case.another_s)
    assert case.linked_to() == case.another_s

    row = data(case.put(case.nobody_s, case.admin))

    assert (row["state"], row["linked_by"], row["account"]["id"]) == ("linked", "confirmed", case.nobody_s)
    assert case.linked_to() == case.nobody_s
    case.crm.db.run("update crm_customers set email = null, user_account_id = null")
    assert case.linked_to() == case.nobody_s
    case.crm.miners(case.nobody_s, 7)
    case.client.post("/crm/api/sync-all-hosting", case.admin)
    assert case.crm.row(case.customer)["miners_count"] == 7
    assert data(case.client.get("/crm/api/sync-status", case.admin))["linked_customers"] == 1


def test_an_account_that_is_refused_is_neither_linked_nor_suggested_until_it_is_undone(case: Case) -> None:
    case.crm.db.run("update crm_customers set email = 'mine@x.com'")

    row = data(case.put(case.mine, case.owner, more="&refuse=true"))

    assert (row["state"], row["refused"], row["suggestions"]) == ("unlinked", [case.mine], [])
    assert case.linked_to() is None
    case.crm.db.run("update crm_customers set user_account_id = :id", id=case.mine)
    assert case.linked_to() is None
    assert data(case.delete(case.owner, f"?account_id={case.mine}"))["refused"] == []
    assert case.linked_to() == case.mine


def test_who_confirms_what_was_refused_has_changed_his_mind_and_the_other_way_round(case: Case) -> None:
    case.put(case.mine, case.owner, more="&refuse=true")
    assert data(case.put(case.mine, case.owner))["refused"] == []
    assert case.linked_to() == case.mine
    case.put(case.mine, case.owner, more="&refuse=true")
    assert case.linked_to() is None


def test_what_is_undone_leaves_the_link_to_the_e_mail(case: Case) -> None:
    case.crm.db.run("update crm_customers set email = 'mine@x.com'")
    case.put(case.nobody_s, case.admin)
    assert case.linked_to() == case.nobody_s

    row = data(case.delete(case.owner))

    assert (row["linked_by"], case.linked_to()) == ("email", case.mine)
    assert data(case.delete(case.owner))["changes"] == row["changes"]


def test_an_account_that_is_gone_leaves_it_to_the_e_mail_and_is_named(case: Case) -> None:
    gone = case.crm.account("gone@x.com", created_by_id=case.owner)
    case.crm.db.run("update crm_customers set email = 'mine@x.com'")
    case.put(gone, case.owner)
    case.crm.db.run("delete from user_access where id = :id", id=gone)

    assert case.linked_to() == case.mine
    [row] = data(case.client.get("/crm/api/hosting/links", case.owner))
    assert [reason["code"] for reason in row["reasons"]] == ["linked_email", "names_nobody"]


def test_who_when_before_and_after_are_kept_and_shown(case: Case) -> None:
    case.put(case.nobody_s, case.admin)
    case.put(case.nobody_s, case.admin)
    case.put(case.mine, case.owner)
    case.put(case.another_s, case.admin, more="&refuse=true")
    row = data(case.delete(case.admin))

    changes = [(one["changed_by"], one["before"], one["after"]) for one in row["changes"]]
    first: dict[str, Any] = {"confirmed": case.nobody_s, "refused": []}
    second = {"confirmed": case.mine, "refused": []}
    third = {"confirmed": case.mine, "refused": [case.another_s]}
    nothing: dict[str, Any] = {"confirmed": None, "refused": []}
    assert changes == [
        (case.admin, third, nothing),
        (case.admin, second, third),
        (case.owner, first, second),
        (case.admin, nothing, first),
    ]
    assert all(one["changed_at"].endswith("Z") for one in row["changes"])


# ── Who may ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("tenant_scope")
def test_under_tenant_an_owner_confirms_what_is_his_and_nothing_else(case: Case) -> None:
    for account in (case.another_s, case.nobody_s, case.admin, 999_999):
        assert case.put(account, case.owner).status_code == 404
        assert case.put(account, case.owner, more="&refuse=true").status_code == 404
    case.crm.db.run("update crm_customers set email = 'nobody@x.com'")
    assert case.put(case.nobody_s, case.owner).status_code == 404

    for account in (case.mine, case.owner):
        assert data(case.put(account, case.owner))["account"]["id"] == account


def test_under_any_an_owner_confirms_what_an_address_of_the_customer_leads_to_too(case: Case) -> None:
    assert case.put(case.another_s, case.owner).status_code == 404
    assert case.put(case.nobody_s, case.owner).status_code == 404
    for email in ("another@x.com", "another@x.con", "Another <another@x.com>; b@x.com"):
        case.crm.db.run("update crm_customers set email = :email", email=email)
        assert data(case.put(case.another_s, case.owner))["account"]["id"] == case.another_s
        case.delete(case.owner)
    case.crm.db.run("update crm_customers set name = (select name from user_access where id = :id)", id=case.nobody_s)
    assert case.put(case.nobody_s, case.owner).status_code == 404


def test_under_any_an_owner_changes_his_mind_about_what_was_only_suggested(case: Case) -> None:
    case.crm.db.run("update crm_customers set email = 'another@x.con'")
    assert data(case.put(case.another_s, case.owner))["linked_by"] == "confirmed"

    # It is linked, or refused: no suggestion any more.
    refused = data(case.put(case.another_s, case.owner, more="&refuse=true"))
    assert (refused["account"], refused["refused"]) == (None, [case.another_s])
    assert data(case.put(case.another_s, case.owner))["account"]["id"] == case.another_s
    assert case.put(case.nobody_s, case.owner).status_code == 404


@pytest.mark.parametrize("scope", ["any", "tenant"])
def test_what_an_administrator_refused_no_owner_confirms_or_takes_back(
    case: Case, environment: pytest.MonkeyPatch, scope: str
) -> None:
    environment.setenv("LINK_SCOPE", scope)
    case.crm.db.run("update crm_customers set email = 'mine@x.com'")
    assert data(case.put(case.mine, case.owner, more="&refuse=true"))["refused"] == [case.mine]
    assert data(case.put(case.mine, case.admin, more="&refuse=true"))["refused"] == [case.mine]

    for answer in (case.put(case.mine, case.owner), case.delete(case.owner, f"?account_id={case.mine}")):
        assert answer.status_code == 409
        assert "管理员已为该客户拒绝此账户" in answer.get_json()["error"]
    data(case.put(case.owner, case.owner))
    assert data(case.put(case.mine, case.owner, more="&refuse=true"))["refused"] == [case.mine]
    row = data(case.delete(case.owner))
    assert (row["account"], row["refused"], row["suggestions"]) == (None, [case.mine], [])
    assert case.linked_to() is None

    assert data(case.delete(case.admin))["refused"] == []
    assert case.linked_to() == case.mine
    case.put(case.mine, case.admin, more="&refuse=true")
    data(case.put(case.mine, case.admin))
    data(case.put(case.mine, case.owner, more="&refuse=true"))
    assert data(case.put(case.mine, case.owner))["account"]["id"] == case.mine


@pytest.mark.usefixtures("tenant_scope")
@pytest.mark.parametrize("role", ["owner", "admin"])
def test_who_sees_all_customers_confirms_any_account_that_there_is(case: Case, role: str) -> None:
    caller = case.crm.account(role=role)
    for account in (case.another_s, case.nobody_s, case.mine):
        assert data(case.put(account, caller))["account"]["id"] == account
    assert case.put(999_999, caller).status_code == 404


def test_nobody_says_anything_of_a_customer_that_is_not_his(case: Case) -> None:
    stranger = case.crm.account(role="mining_site_owner")
    account = case.crm.account(created_by_id=stranger)

    assert case.put(account, stranger).status_code == 403
    assert case.delete(stranger).status_code == 403
    assert case.put(account, case.admin, customer=999_999).status_code == 404
    for role in ("operator", "client", "guest"):
        assert case.put(account, case.crm.account(role=role)).status_code == 403
    assert case.linked_to() is None


def test_a_page_of_another_site_cannot_say_anything(case: Case) -> None:
    path = f"/crm/api/customer/{case.customer}/hosting-link?account_id={case.mine}"
    for method in ("PUT", "DELETE"):
        answer = case.client.ask(method, path, case.owner, {"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403
    assert case.client.post(HELD, case.admin, sec_fetch_site="cross-site").status_code == 403
    assert case.linked_to() is None


@pytest.mark.parametrize("account", ["", "0", "x", "2147483648"])
def test_an_account_that_cannot_be_is_a_clear_error(case: Case, account: str) -> None:
    answer = case.put(account, case.admin)

    assert answer.status_code == 400
    assert "account_id" in answer.get_json()["error"]


# ── Many at once ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("tenant_scope")
def test_all_that_tenant_holds_back_and_leaves_no_doubt_are_confirmed_at_once(case: Case) -> None:
    crm, other = case.crm, case.crm.account(role="mining_site_owner")
    form = crm.account("form@x.com")
    crm.account("also@x.com"), crm.account("Twice@x.com"), crm.account("twice@x.com")
    crm.account("claimed@x.com")
    wanted = [crm.customer("form@x.com", case.owner), crm.customer("FORM@x.com", case.owner)]
    others = crm.customer("also@x.com", other)
    left = [
        crm.customer("another@x.com", case.owner),
        crm.customer("twice@x.com", case.owner),
        crm.customer("claimed@x.com", case.owner),
        crm.customer("claimed@x.com", other),
        crm.customer("mine@x.com", case.owner),  # is linked
    ]
    refused = crm.customer("form@x.com", case.owner)
    case.put(form, case.admin, refused, "&refuse=true")

    def confirmed() -> list[int]:
        return [id_ for (id_,) in crm.db.run(
            "select customer_id from crm_hosting.links where confirmed_account_id is not null order by 1")]  # fmt: skip

    dry = data(case.client.post(f"{HELD}?owner={case.owner}&dry_run=true", case.admin))
    assert confirmed() == []
    assert [link["customer_id"] for link in dry["links"]] == wanted
    assert data(case.client.post(f"{HELD}?owner={case.owner}", case.admin)) == dry
    assert {name: dry[name] for name in dry if name != "links"} == {
        "confirmed": 2, "remaining": 0, "ambiguous": 1, "created_by_another": 1, "claimed_twice": 1,
    }  # fmt: skip
    assert confirmed() == wanted
    assert data(case.client.post(HELD, case.admin))["confirmed"] == 1
    assert confirmed() == sorted([*wanted, others])
    assert data(case.client.post(HELD, case.admin))["confirmed"] == 0
    assert not set(left) & set(confirmed())
    assert crm.db.run("select distinct changed_by from crm_hosting.link_changes") == [[case.admin]]


def test_only_who_sees_all_customers_confirms_many_at_once(case: Case) -> None:
    assert case.client.post(HELD, case.owner).status_code == 403
    assert case.client.post(f"{HELD}?dry_run=true", case.owner).status_code == 403
    assert data(case.client.post(HELD, case.admin))["confirmed"] == 0


@pytest.mark.usefixtures("tenant_scope")
def test_an_account_that_is_a_customer_s_already_is_not_confirmed_for_another_owner_s(case: Case) -> None:
    crm, other = case.crm, case.crm.account(role="mining_site_owner")
    crm.account("form@x.com")
    first = crm.customer("form@x.com", case.owner)
    named = crm.account("named@x.com")
    crm.customer("elsewhere@x.com", case.owner, user_account_id=named)
    assert data(case.client.post(HELD, case.admin))["confirmed"] == 1
    late = [crm.customer("FORM@x.com", other), crm.customer("named@x.com", other), crm.customer("mine@y.com", other)]
    crm.db.run("update user_access set email = 'mine@y.com' where id = :id", id=case.owner)  # another owner himself
    crm.customer("mine@y.com", case.owner)

    result = data(case.client.post(HELD, case.admin))

    assert (result["confirmed"], result["claimed_twice"]) == (0, len(late))
    assert crm.db.run("select customer_id from crm_hosting.links") == [[first]]


# ── When the scope is narrowed, or the page is old ───────────────────────────────────────────────────────────────


def test_what_an_owner_confirmed_by_an_address_does_not_hold_when_the_scope_is_narrowed(
    case: Case, environment: pytest.MonkeyPatch
) -> None:
    crm = case.crm
    crm.miners(case.another_s, 1000)
    crm.db.run("update crm_customers set email = 'another@x.com'")
    assert data(case.put(case.another_s, case.owner))["linked_by"] == "confirmed"
    crm.db.run("update crm_customers set email = 'innocent@x.com'")
    case.client.post("/crm/api/sync-all-hosting", case.admin)
    assert crm.row(case.customer)["miners_count"] == 1000

    environment.setenv("LINK_SCOPE", "tenant")
    settings.cache_clear()

    assert case.linked_to() is None
    [row] = data(case.client.get("/crm/api/hosting/links", case.owner))
    assert (row["state"], row["account"]) == ("lost", None)
    assert "names_nobody" not in [reason["code"] for reason in row["reasons"]]
    assert data(case.client.get("/crm/api/sync-status", case.admin))["linked_customers"] == 0
    case.client.post("/crm/api/sync-all-hosting", case.admin)
    assert crm.row(case.customer)["miners_count"] == 0
    assert data(case.put(case.another_s, case.admin))["account"]["id"] == case.another_s
    assert case.put(case.another_s, case.owner).status_code == 404
    assert case.linked_to() == case.another_s
    case.delete(case.owner)
    assert data(case.put(case.mine, case.owner))["account"]["id"] == case.mine


def test_a_customer_that_is_another_owner_s_now_takes_no_account_of_the_former_with_it(
    case: Case, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("LINK_SCOPE", "tenant")
    case.put(case.mine, case.owner)
    assert case.linked_to() == case.mine

    other = case.crm.account(role="mining_site_owner")
    case.crm.db.run("update crm_customers set created_by_id = :other", other=other)

    assert case.linked_to() is None


def test_a_page_that_is_old_confirms_nothing_that_has_changed_meanwhile(case: Case) -> None:
    case.crm.db.run("update crm_customers set email = 'another@x.com'")
    gone = case.crm.account("gone@x.com", created_by_id=case.owner)
    case.crm.db.run("update crm_customers set email = 'moved@x.com'")
    case.crm.db.run("delete from user_access where id = :id", id=gone)

    assert case.put(case.another_s, case.owner).status_code == 404
    assert case.put(gone, case.owner).status_code == 404
    assert case.put(gone, case.admin).status_code == 404
    assert case.crm.db.run("select from crm_hosting.links") == []


def test_of_two_who_speak_at_once_the_second_sees_what_the_first_said(
    case: Case, postgres: Server, database_name: str
) -> None:
    def say(db: Connection, account: int) -> None:
        db.run("begin")
        db.run("select crm_hosting.scope_to(null)")
        db.run("select crm_hosting.set_link(:by, :c, :a, 'confirmed', true)", by=case.admin, c=case.customer, a=account)

    url = postgres.url(database_name, "crm_hosting")
    waits = "select count(*) from pg_locks where not granted"
    with connect(url) as first, connect(url) as second, ThreadPoolExecutor(1) as pool:
        say(first, case.mine)
        later = pool.submit(say, second, case.nobody_s)
        while not later.done() and case.crm.db.run(waits) == [[0]]:
            time.sleep(0.01)
        assert not later.done()
        first.run("commit")
        later.result(timeout=10)
        second.run("commit")

    [(_, said), (before, after)] = case.crm.db.run("select before, after from crm_hosting.link_changes order by id")
    assert said == before == {"confirmed": case.mine, "refused": []}
    assert after["confirmed"] == case.linked_to() == case.nobody_s
