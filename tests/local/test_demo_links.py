"""The demo as `make run` leaves it holds each state of a link, each reason, and each kind of suggestion."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, get_args

import pytest

import daily_sync
from crm_services.base.settings import history_time_zone, settings
from crm_services.http.schemas.links import LinkSchema, Reason, SuggestionSchema
from crm_services.postgres.database import database
from local import demo, past
from local.doubts import CONFIRMED, CUSTOMERS, FOUND, GONE, LOST, REFUSED
from local.environment import ROOT
from local.gateway import Gateway
from local.lambda_context import LambdaContext
from local.people import ADMIN, MINE_OWNER
from local.postgres import Server, create_database
from tests.support.client import Client, data
from tests.support.given import PUBLIC_ORIGIN, SECRET
from tests.support.servers import TEMPLATE

# The customers of `CUSTOMERS`, and what is suggested for each of them.
SUGGESTED = {
    12: ("typo", "tessa.grant@gmail.com"),
    15: ("typo", "yan.zhou@example.com"),
    18: ("mailbox", "walter.brooks@yunhai-hash.example"),
    22: ("typed", "nora.duarte@jinsha-hydro.example"),
    25: ("typed", "fang.chen@cedar-ridge.example"),
    28: ("typed", "quentin.grant@dingsheng.example"),
    35: ("typed", "yong.li@blue-mesa.example"),
    38: ("punycode", "vera.duarte@xn--mnchen-3ya.de"),
    42: ("name", "yf@wallet.example"),
    45: ("company", "mining@changhe.example"),
}


@pytest.fixture(scope="module")
def client(postgres: Server) -> Iterator[Client]:
    """Of the demo as `make run` leaves it: synced, given a past, synced once more."""
    create_database(postgres, "demo_links", template=TEMPLATE)
    url = postgres.url("demo_links", "crm")
    demo.load(url)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DATABASE_URL", postgres.url("demo_links", "crm_hosting"))
        environment.setenv("SESSION_SECRET", SECRET)
        environment.setenv("LINK_SCOPE", "any")
        environment.setenv("PUBLIC_ORIGIN", PUBLIC_ORIGIN)
        settings.cache_clear()
        history_time_zone.cache_clear()
        daily_sync.handler({}, LambdaContext("DailySyncFunction", timeout=900))
        past.invent(url)
        daily_sync.handler({}, LambdaContext("DailySyncFunction", timeout=900))
        yield Client(Gateway(ROOT / "template.yaml"), SECRET)
        database.close()
    settings.cache_clear()


@pytest.fixture
def tenant_scope(client: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LINK_SCOPE", "tenant")
    settings.cache_clear()
    yield
    settings.cache_clear()


def listed(client: Client, caller: int = ADMIN.id) -> dict[int, Any]:
    """Every row of the list, by customer."""
    rows: dict[int, Any] = {}
    after: int | None = 0
    while after is not None:
        answer = client.get(f"/crm/api/hosting/links?limit=100&after={after}", caller, accept_language="en")
        rows |= {row["customer_id"]: row for row in data(answer)}
        after = answer.get_json()["next"]
    return rows


def codes(row: Any) -> set[str]:
    return {reason["code"] for reason in row["reasons"]}


def test_each_state_each_way_to_be_linked_each_reason_and_each_kind_of_suggestion_appears(client: Client) -> None:
    rows = listed(client).values()

    assert {row["state"] for row in rows} == set(get_args(LinkSchema.model_fields["state"].annotation))
    assert {row["linked_by"] for row in rows} == {"confirmed", "crm", "email", None}
    assert {code for row in rows for code in codes(row)} | {"held_back"} == set(
        get_args(Reason.model_fields["code"].annotation)
    )
    kinds = {one["kind"] for row in rows for one in row["suggestions"]}
    assert kinds | {"exact"} == set(get_args(SuggestionSchema.model_fields["kind"].annotation))


def test_each_customer_in_doubt_is_suggested_its_account_for_the_right_reason(client: Client) -> None:
    rows = listed(client)

    found = {
        id_: (row["suggestions"][0]["kind"], row["suggestions"][0]["email"].strip())
        for id_, row in rows.items()
        if row["state"] == "suggested"
    }

    assert {id_: found[id_] for id_ in SUGGESTED} == SUGGESTED
    assert set(SUGGESTED) < set(CUSTOMERS)
    # Of others somebody has nearly the same address: suggested as well, but they are called otherwise.
    others = {id_: rows[id_]["suggestions"][0] for id_ in found.keys() - SUGGESTED.keys()}
    assert {(one["kind"], one["score"]) for one in others.values()} == {("typo", 80)}
    assert {rows[id_]["suggestions"][0]["score"] for id_ in (12, 15)} == {84}
    assert all(one["reason"] for row in rows.values() for one in row["suggestions"])
    assert codes(rows[32]) == codes(rows[45]) == {"not_an_address"}


def test_what_people_said_and_what_was_lost_shows(client: Client) -> None:
    rows = listed(client)

    assert (rows[CONFIRMED]["linked_by"], rows[CONFIRMED]["email"]) == (
        "confirmed",
        "buchhaltung@fjord-compute.example",
    )
    assert [change["changed_by"] for change in rows[CONFIRMED]["changes"]] == [ADMIN.id]
    assert (rows[LOST]["state"], codes(rows[LOST])) == ("lost", {"no_account", "was_linked"})
    assert rows[FOUND]["linked_by"] == "email"
    assert (rows[REFUSED]["suggestions"], codes(rows[REFUSED])) == ([], {"no_account", "account_refused"})
    assert codes(rows[GONE]) == {"linked_email", "names_nobody"}
    assert [id_ for id_, row in rows.items() if row["state"] == "ambiguous"] == [11]
    assert [id_ for id_, row in rows.items() if row["state"] == "shared"] == [14, 71, 81, 91]
    assert rows[14]["account"] == rows[91]["account"]
    assert rows[71]["account"] == rows[81]["account"]


def test_it_is_still_the_contract_s_story_with_an_issue_for_each_doubt(client: Client) -> None:
    status = data(client.get("/crm/api/sync-status", ADMIN.id, accept_language="en"))

    counts = data(client.post("/crm/api/sync-all-hosting", ADMIN.id))
    assert counts == {"total": 150, "synced": 45, "skipped": 105, "errors": 0}
    assert (status["total_customers"], status["linked_customers"], status["link_rate"]) == (150, 45, 30.0)
    assert (status["sync_health"], status["issues"]) == ("warning", [
        "Customers whose link names an account that is gone: 1",
        "Customers whose e-mail matches several accounts: 1",
        "Customers that lost their hosting account, and were cleared: 1",
        "Customers that share their account with another, whose fleet totals count once: 2",
        "Customers whose account is linked to a customer of another owner too: 2",
    ])  # fmt: skip


@pytest.mark.usefixtures("tenant_scope")
def test_under_tenant_accounts_wait_to_be_confirmed_but_not_somebody_else_s(client: Client) -> None:
    every, owners = listed(client), listed(client, MINE_OWNER.id)

    states = Counter(row["linked_by"] for row in every.values())
    assert states["email"] < 10 < states["crm"]
    held = {id_: row for id_, row in every.items() if "held_back" in codes(row)}
    assert {row["suggestions"][0]["kind"] for row in held.values()} == {"exact"}
    shown = [one for id_ in held if id_ in owners for one in owners[id_]["suggestions"]]
    assert "exact" not in {one["kind"] for one in shown}
    result = data(client.post("/crm/api/hosting/links/confirm?dry_run=true", ADMIN.id))
    assert (result["ambiguous"], result["created_by_another"], result["claimed_twice"]) == (1, 1, 0)
    assert result["confirmed"] == len(held) - 2 > 20
    assert 91 in held
    assert 91 not in {link["customer_id"] for link in result["links"]}
