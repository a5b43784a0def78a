"""Accounts that are suggested for a customer without one, with the reason; and to whom."""

from typing import Any

import pytest

from tests.support.client import Client, data
from tests.support.crm import Crm

LINKS = "/crm/api/hosting/links"

# What the customer's field says, the account's address, the kind.
ALIKE = [
    ("ann@gmial.com", "ann@gmail.com", "typo"),
    ("ann@gmail.co", "ann@gmail.com", "typo"),
    ("anm@gmail.com", "ann@gmail.com", "typo"),
    ("annn@gmail.com", "Ann@gmail.com", "typo"),
    ("nn@gmail.com", "ann@gmail.com", "typo"),
    ("xann@gmail.com", "ann@gmail.com", "typo"),
    ("nan@gmail.com", "ann@gmail.com", "typo"),
    ("ann@gmail.cmo", "ann@gmail.com", "typo"),
    ("ann@gmail.comm", "ann@gmail.com", "typo"),
    ("a.nn@gmail.com", "ann@gmail.com", "mailbox"),
    ("ann+crm@gmail.com", "an.n@gmail.com", "mailbox"),
    ("ann@gmail.com", "ann+mining@gmail.com", "mailbox"),
    ("ann@münchen.de", "ann@xn--mnchen-3ya.de", "punycode"),
    ("ann@xn--mnchen-3ya.de", "ann@MÜNCHEN.de", "punycode"),
    ("old@x.com; ann@x.com", "ann@x.com", "typed"),
    ("mailto:ann@x.com", "ann@x.com", "typed"),
    ("Ann Li <ann@x.com>", "ann@x.com", "typed"),
    ('"ann@x.com"', "ann@x.com", "typed"),
    ("ann@x.com,", "ann@x.com", "typed"),
    ("ann@x.com / 139 0000 0000", "ann@x.com", "typed"),
    ("微信：ann@x.com", "ann@x.com", "typed"),
]


@pytest.fixture
def admin(crm: Crm) -> int:
    return crm.account(role="admin")


def of(client: Client, caller: int, customer: int) -> Any:
    rows = data(client.get(f"{LINKS}?limit=100", caller, accept_language="en"))
    return next(row for row in rows if row["customer_id"] == customer)


@pytest.mark.parametrize("alike", ALIKE, ids=str)
def test_an_address_that_is_nearly_the_account_s_suggests_it_with_the_reason(
    client: Client, crm: Crm, admin: int, alike: tuple[str, str, str]
) -> None:
    field, address, kind = alike
    crm.account("nobody.like.it@elsewhere.org")
    account = crm.account(address)
    customer = crm.customer(field)

    row = of(client, admin, customer)

    assert (row["state"], row["account"]) == ("suggested", None)
    [found] = row["suggestions"]
    assert (found["account_id"], found["email"], found["kind"]) == (account, address, kind)
    assert found["reason"]
    assert 0 < found["score"] <= 100


@pytest.mark.parametrize(
    ("columns", "kind"),
    [({"name": " Polar  MINING ltd"}, "name"), ({"company": "北极星矿业\u3000有限公司", "name": "x"}, "company")],
)
def test_the_same_name_or_company_suggests_an_account(
    client: Client, crm: Crm, admin: int, columns: dict[str, Any], kind: str
) -> None:
    account = crm.account(name="Polar Mining Ltd" if kind == "name" else "北极星矿业 有限公司")
    customer = crm.customer("-", **columns)

    row = of(client, admin, customer)

    assert [(one["account_id"], one["kind"]) for one in row["suggestions"]] == [(account, kind)]
    assert [reason["code"] for reason in row["reasons"]] == ["not_an_address"]


@pytest.mark.parametrize(
    "field", ["ann@gmail.com", "zoe@x.com", "anmm@gmail.com", "@gmail.com", "a@", None, "'; drop table x; --"]
)
def test_what_is_two_edits_away_or_nothing_like_it_suggests_nothing(
    client: Client, crm: Crm, admin: int, field: str | None
) -> None:
    crm.account("ann@gmial.con")
    customer = crm.customer(field)

    assert of(client, admin, customer)["suggestions"] == []


def test_the_best_three_come_first_the_likeliest_at_the_top(client: Client, crm: Crm, admin: int) -> None:
    names = [crm.account(f"somebody{number}@elsewhere.org", name="Ann") for number in range(4)]
    typo, mailbox = crm.account("ann@gmail.con"), crm.account("a.nn@gmail.com")
    customer = crm.customer("ann@gmail.com", name="Ann")

    found = of(client, admin, customer)["suggestions"]

    assert [one["account_id"] for one in found] == [mailbox, typo, names[0]]
    assert [one["score"] for one in found] == sorted((one["score"] for one in found), reverse=True)


def test_of_two_accounts_as_far_away_the_one_of_the_same_name_comes_first(client: Client, crm: Crm, admin: int) -> None:
    other = crm.account("yang.zhao@gmail.com", name="赵洋")
    same = crm.account("yong.zhao@gmail.con", name="赵勇")
    customer = crm.customer("yong.zhao@gmail.com", name=" 赵勇")

    found = of(client, admin, customer)["suggestions"]

    assert [(one["account_id"], one["kind"]) for one in found] == [(same, "typo"), (other, "typo")]
    assert found[0]["score"] > found[1]["score"]


def test_state_suggested_lists_those_alone_and_goes_on(client: Client, crm: Crm, admin: int) -> None:
    crm.account("ann@gmail.com")
    wanted = []
    for _ in range(3):
        crm.customer("nobody@example.org")
        wanted.append(crm.customer("ann@gmial.com"))
    crm.linked_customer()

    found, after = [], 0
    while after is not None:
        answer = client.get(f"{LINKS}?state=suggested&limit=2&after={after}", admin)
        found += data(answer)
        after = answer.get_json()["next"]

    assert [row["customer_id"] for row in found] == wanted


@pytest.mark.parametrize("scope", ["any", "tenant"])
def test_what_the_caller_may_not_see_is_not_suggested_to_him(
    client: Client, crm: Crm, admin: int, environment: pytest.MonkeyPatch, scope: str
) -> None:
    environment.setenv("LINK_SCOPE", scope)
    owner, other = (crm.account(role="mining_site_owner") for _ in range(2))
    by_name = crm.account("whale@elsewhere.org", name="The Whale", created_by_id=other)
    by_typo = crm.account("whale@gmail.com", created_by_id=other)
    mine = crm.account("whale@gmail.con", created_by_id=owner)
    customer = crm.customer("whale@gmial.com", owner, name="The Whale")

    def suggested(caller: int) -> set[int]:
        return {one["account_id"] for one in of(client, caller, customer)["suggestions"]}

    assert suggested(admin) == {by_name, by_typo}
    assert suggested(owner) == ({by_typo} if scope == "any" else set())
    crm.db.run("update crm_customers set email = 'whale@gmail.cnn' where id = :id", id=customer)
    assert suggested(owner) == {mine}
