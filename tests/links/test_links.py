"""The list of customers with their links: state, reasons in words, scope, search, pages."""

import json
from typing import Any

import pytest

from crm_services.access.entry import SCOPE_TO
from crm_services.links.listing import FOUND, PREPARE_PAGE
from crm_services.postgres.database import database
from tests.support.client import Client, data
from tests.support.crm import Crm

LINKS = "/crm/api/hosting/links"

# More than are looked at first: every thousandth has an address, the second of which is another owner's.
LATE = """
insert into crm_customers (name, email, created_by_id)
select 'Customer ' || i, case when i % 1000 = 999 and i / 1000 <> 1 then 'late' || i / 1000 + 1 || '@x.com' end, :owner
from generate_series(1, 6000) i
"""


@pytest.fixture
def admin(crm: Crm) -> int:
    return crm.account(role="admin")


def listed(client: Client, caller: int, query: str = "") -> list[Any]:
    found: list[Any] = data(client.get(f"{LINKS}?limit=100{query}", caller, accept_language="en"))
    return found


def codes(row: Any) -> list[str]:
    return [reason["code"] for reason in row["reasons"]]


def test_each_customer_has_its_state_and_the_reason_in_words(client: Client, crm: Crm, admin: int) -> None:
    crm.account("two@x.com", is_active=False)
    for email in ("Two@x.com", "TWO@x.com", "mail@x.com"):
        crm.account(email)
    opened, refused = crm.account("opened@x.com"), crm.account("not-his@x.com")
    fields = {
        "mail@x.com": ("linked", ["linked_email"]),
        "two@x.com": ("ambiguous", ["linked_email", "linked_ambiguous"]),
        None: ("unlinked", ["no_address"]),
        " \u3000": ("unlinked", ["no_address"]),
        "N/A": ("unlinked", ["not_an_address"]),
        "nobody@example.org": ("unlinked", ["no_account"]),
        "not-his@x.com": ("unlinked", ["no_account", "account_refused"]),
    }
    customers = {crm.customer(email): expected for email, expected in fields.items()}
    customers[crm.customer("other@x.org", user_account_id=opened)] = ("linked", ["linked_crm"])
    crm.db.run(
        "insert into crm_hosting.links (customer_id, refused_account_ids) select id, array[cast(:account as integer)] "
        "from crm_customers where email = 'not-his@x.com'",
        account=refused,
    )

    rows = listed(client, admin)

    assert {row["customer_id"]: (row["state"], codes(row)) for row in rows} == customers
    assert all(reason["text"] for row in rows for reason in row["reasons"])
    assert [row["linked_by"] for row in rows] == ["email", "email", None, None, None, None, None, "crm"]
    assert rows[1]["account"]["is_active"] is True
    assert rows[1]["reasons"][1]["text"].startswith("3 accounts match")


def test_under_tenant_it_says_that_an_account_is_somebody_else_s(
    client: Client, crm: Crm, admin: int, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("LINK_SCOPE", "tenant")
    owner = crm.account(role="mining_site_owner")
    account = crm.account("form@x.com")
    customer = crm.customer("form@x.com", owner)

    [row] = listed(client, owner)
    assert (row["customer_id"], row["state"], codes(row), row["suggestions"]) == (
        customer,
        "unlinked",
        ["held_back"],
        [],
    )
    [row] = listed(client, admin)
    assert (row["state"], codes(row)) == ("suggested", ["held_back"])
    assert [(one["account_id"], one["kind"]) for one in row["suggestions"]] == [(account, "exact")]


def test_the_states_that_a_batch_finds_are_listed_by_themselves(client: Client, crm: Crm, admin: int) -> None:
    crm.snapshot()
    crm.miners(crm.account("shared@x.com"))
    crm.account("two@x.com"), crm.account("Two@x.com")
    shared = [crm.customer("shared@x.com"), crm.customer("SHARED@x.com")]
    ambiguous = crm.customer("two@x.com")
    lost = crm.linked_customer()
    linked = crm.linked_customer()
    unlinked = crm.customer()
    client.post("/crm/api/sync-all-hosting", admin)
    crm.db.run("update crm_customers set email = null where id = :id", id=lost)
    client.post("/crm/api/sync-all-hosting", admin)

    found = {
        state: [row["customer_id"] for row in listed(client, admin, f"&state={state}")]
        for state in ("linked", "unlinked", "ambiguous", "suggested", "lost", "shared")
    }

    assert found == {
        "linked": [*shared, ambiguous, linked],
        "unlinked": [lost, unlinked],
        "ambiguous": [ambiguous],
        "suggested": [],
        "lost": [lost],
        "shared": shared,
    }
    [row] = listed(client, admin, "&state=lost")
    assert (row["state"], codes(row)) == ("lost", ["no_address", "was_linked"])


def test_a_caller_sees_his_customers_alone_and_finds_them_by_name_company_or_address(client: Client, crm: Crm) -> None:
    owner, other = (crm.account(role="mining_site_owner") for _ in range(2))
    ann = crm.customer("ann@x.com", owner, name="Ann")
    polar = crm.customer("b@x.com", owner, company="POLAR Mining")
    crm.customer("ann@x.com", other, name="Ann")

    def ids(query: str = "") -> list[int]:
        return [row["customer_id"] for row in listed(client, owner, query)]

    assert ids() == [ann, polar]
    assert ids("&search=polar") == [polar]
    assert ids("&search=ann%40X") == [ann]
    assert ids("&search=%25") == []
    assert client.get(LINKS).status_code == 401
    assert client.get(LINKS, crm.account(role="guest")).status_code == 403


def test_pages_follow_each_other_and_miss_nobody(client: Client, crm: Crm, admin: int) -> None:
    customers = [crm.customer() if number % 3 else crm.linked_customer() for number in range(10)]
    for query in ("", "&state=unlinked", "&state=linked", "&search=customer"):
        found, after = [], 0
        while after is not None:
            answer = client.get(f"{LINKS}?limit=3{query}&after={after}", admin)
            found += [row["customer_id"] for row in data(answer)]
            after = answer.get_json()["next"]
        wanted = {"&state=unlinked": [1, 2], "&state=linked": [0]}.get(query, [0, 1, 2])
        assert found == [one for number, one in enumerate(customers) if number % 3 in wanted], query


def test_a_search_goes_through_everybody_whoever_asks_and_however_late_it_finds(
    client: Client, crm: Crm, admin: int
) -> None:
    owner = crm.account(role="mining_site_owner")
    crm.account("late6@x.com")
    crm.db.run(LATE, owner=owner)
    crm.customer("late2@x.com", crm.account(role="mining_site_owner"), name="late")
    of_all = dict(crm.db.run("select email, id from crm_customers where email like 'late%'"))
    for query, numbers in {
        "&search=LATE": [1, 2, 3, 4, 5, 6],
        "&search=5999%20%20late": [6],
        "&search=ate3%40": [3],
        "&search=late&state=unlinked": [1, 2, 3, 4, 5],
        "&search=late&state=linked": [6],
        "&search=customer&state=linked": [6],
        "&search=late%25": [],
    }.items():
        for caller in (admin, owner):
            found, after = [], 0
            while after is not None:
                answer = client.get(f"{LINKS}?limit=2{query}&after={after}", caller)
                found += [row["customer_id"] for row in data(answer)]
                after = answer.get_json()["next"]
            wanted = [of_all[f"late{number}@x.com"] for number in numbers if caller == admin or number != 2]
            assert found == sorted(wanted), (query, caller == admin)


@pytest.mark.parametrize("query", ["state=all", "limit=0", "limit=101", "after=-1", "after=x", "after=2147483648"])
def test_what_a_parameter_may_not_be_is_a_clear_error(client: Client, admin: int, query: str) -> None:
    assert client.get(f"{LINKS}?{query}", admin).status_code == 400


def test_who_is_lost_is_looked_up_by_itself_and_nobody_else_is_read(crm: Crm, environment: pytest.MonkeyPatch) -> None:
    crm.db.run("insert into crm_customers (name) select 'c' from generate_series(1, 500)")
    crm.db.run(
        "insert into crm_hosting.findings (customer_id, kind)"
        " select id, 'link_lost' from crm_customers where id % 100 = 0"
    )
    crm.db.run("analyze crm_customers")

    with database.transaction() as transaction:
        transaction.rows(PREPARE_PAGE)
        transaction.rows(SCOPE_TO, tenant_id=None)
        given = {"kinds": ["link_lost"], "after": 0, "size": 1_000_000}
        assert [id_ for (id_,) in transaction.rows(FOUND, **given)] == [100, 200, 300, 400, 500]
        plan = transaction.value(f"explain (analyze, format json) {FOUND}", **given)

    assert read_of("crm_customers", json.loads(plan) if isinstance(plan, str) else plan) == 5


def read_of(table: str, node: Any) -> int:
    """How many of the table's rows the plan has read."""
    if isinstance(node, list):
        return sum(read_of(table, one) for one in node)
    if not isinstance(node, dict):
        return 0
    own = node["Actual Rows"] * node["Actual Loops"] if node.get("Relation Name") == table else 0
    return int(own) + sum(read_of(table, one) for one in node.values())
