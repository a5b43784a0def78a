"""The page of links: why somebody is not linked, and saying whose account it is, by button and by key."""

import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest
from pg8000.native import Connection
from playwright.sync_api import Locator, Page, expect

from local.people import ADMIN
from tests.browser import people
from tests.browser.conftest import Visitor, settled

PAGE, API = "/crm/hosting/links", "/crm/api/hosting/links"


def ids(page: Page) -> list[int]:
    found: list[int] = page.locator("#list > li").evaluate_all("all => all.map((one) => Number(one.dataset.customer))")
    return found


def suggested(visitor: Visitor, page: Page) -> dict[str, Any]:
    """A customer with a suggestion, of whom nothing has been said yet."""
    found = visitor.get(page, f"{API}?state=suggested&limit=20")
    one: dict[str, Any] = next(one for one in found if not one["changes"])
    return one


def row_of(page: Page, customer: int) -> Locator:
    return page.locator(f"#list > li[data-customer='{customer}']")


@pytest.mark.parametrize(
    ("state", "user"), [("unlinked", 1), ("suggested", 1), ("linked", ADMIN.id), ("all", ADMIN.id)]
)
def test_each_has_the_apis_reasons_and_suggestions(visitor: Visitor, state: str, user: int) -> None:
    page = visitor.open(f"{PAGE}?state={state}", user)
    listed = visitor.get(page, f"{API}?limit=20&lang=en" + ("" if state == "all" else f"&state={state}"))

    # What is rare comes in short pages, of which the list has several.
    assert ids(page)[: len(listed)] == [one["customer_id"] for one in listed]
    for one in listed:
        row = row_of(page, one["customer_id"])
        expect(row.locator(".who a")).to_have_text(one["name"])
        for reason in one["reasons"]:
            expect(row.locator(".why")).to_contain_text(reason["text"])
        accounts = [one["account"]["id"]] if one["account"] else []
        accounts += [idea["account_id"] for idea in one["suggestions"]] + one["refused"]
        shown = row.locator("[data-account]").evaluate_all("all => all.map((one) => Number(one.dataset.account))")
        assert shown == accounts


def test_states_and_pages_are_addresses_that_the_browsers_button_goes_back_to(visitor: Visitor) -> None:
    page = visitor.open(PAGE)
    first = ids(page)
    page.click("#next")
    expect(page.locator("#first")).to_be_visible()
    second = ids(page)
    assert set(first).isdisjoint(second)
    page.click("#states [data-state=linked]")
    expect(page.locator("#states [data-state=linked]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#list > li").first).to_have_attribute("data-state", "linked")
    assert page.url.endswith("?state=linked")

    page.go_back()
    expect(page.locator(f"#list > li[data-customer='{second[0]}']")).to_be_visible()
    shared = visitor.open(page.url.removeprefix(visitor.server))
    assert ids(shared) == second
    page.go_back()
    expect(page.locator(f"#list > li[data-customer='{first[0]}']")).to_be_visible()
    expect(page.locator("#first")).to_be_hidden()


def test_a_search_looks_into_names_and_addresses_and_says_when_there_is_nothing(visitor: Visitor) -> None:
    page = visitor.open(f"{PAGE}?state=all")
    page.fill("#search", f"customer{people.UNMATCHED}@")
    expect(page.locator("#list > li")).to_have_count(1)
    assert ids(page) == [people.UNMATCHED]
    page.fill("#search", "nobody has this name")
    expect(page.locator("#shown")).to_contain_text("Nothing matches")
    page.locator("#shown button").click()
    expect(page.locator("#list > li")).to_have_count(20)


def test_a_suggestion_is_confirmed_and_that_undone_by_keys_alone(visitor: Visitor, database: Connection) -> None:
    page = visitor.open(f"{PAGE}?state=suggested")
    one = suggested(visitor, page)
    customer, account = one["customer_id"], one["suggestions"][0]["account_id"]
    row = row_of(page, customer)
    page.locator("#list > li").first.focus()
    for _ in range(ids(page).index(customer)):
        page.keyboard.press("ArrowDown")
    expect(row).to_be_focused()

    page.keyboard.press("c")
    expect(row).to_have_attribute("data-state", re.compile("linked|shared"))
    expect(row.locator("[role=status]")).to_contain_text(f"Account #{account} is confirmed")
    expect(row).to_be_focused()
    said = "select confirmed_account_id from crm_hosting.links where customer_id = :id"
    assert database.run(said, id=customer) == [[account]]
    row.locator("summary").click()
    expect(row.locator("details li").first).to_contain_text(f"account #1: nothing → Account #{account} is confirmed")

    row.focus()
    page.keyboard.press("u")
    expect(row.locator("[role=status]")).to_contain_text("Undone")
    expect(row).to_have_attribute("data-state", "suggested")
    assert database.run(said, id=customer) == []


def test_a_refusal_is_undone_and_one_of_before_taken_back(visitor: Visitor, database: Connection) -> None:
    page = visitor.open(f"{PAGE}?state=unlinked")
    one = suggested(visitor, page)
    customer, account = one["customer_id"], one["suggestions"][0]["account_id"]
    page.fill("#search", one["name"])
    expect(page.locator("#list > li")).to_have_count(1)
    row = row_of(page, customer)
    line = row.locator(f"[data-account='{account}']")
    said = "select refused_account_ids from crm_hosting.links where customer_id = :id"

    line.locator("[data-does=refuse]").click()
    expect(line).to_contain_text(f"Account #{account} is refused")
    assert database.run(said, id=customer) == [[[account]]]
    row.get_by_role("button", name="Undo").click()
    expect(line.locator("[data-does=confirm]")).to_be_visible()
    assert database.run(said, id=customer) == []

    line.locator("[data-does=refuse]").click()
    expect(line).to_contain_text(f"Account #{account} is refused")
    page.reload()
    settled(page)
    line.locator("[data-does=take_back]").click()
    expect(line.locator("[data-does=confirm]")).to_be_visible()
    # What another confirmation replaced comes back with an undo.
    line.locator("[data-does=confirm]").click()
    line.locator("[data-does=refuse]").click()
    row.get_by_role("button", name="Undo").click()
    expect(row).to_have_attribute("data-state", re.compile("linked|shared"))
    line.locator("[data-does=refuse]").click()
    page.keyboard.press("u")
    expect(row).to_have_attribute("data-state", re.compile("linked|shared"))
    database.run("delete from crm_hosting.links where customer_id = :id", id=customer)


def test_keys_mean_nothing_outside_the_list_nor_while_somebody_types(visitor: Visitor) -> None:
    page = visitor.open(f"{PAGE}?state=suggested")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method))
    page.locator("#preview").focus()
    page.keyboard.press("c")
    page.locator("#search").focus()
    page.keyboard.type("cru")
    page.locator("#list > li").first.focus()
    page.keyboard.press("Control+c")
    settled(page)

    assert set(asked) <= {"GET"}


def test_who_may_only_view_is_told_so_in_the_row(visitor: Visitor) -> None:
    page = visitor.open(f"{PAGE}?state=linked", people.OPERATOR)
    row = row_of(page, people.OPERATED)
    row.locator("[data-does=refuse]").click()

    expect(row.locator("[role=status]")).to_have_text("You have no access to this resource")
    expect(row.locator("[data-does=refuse]")).to_be_enabled()
    page.click("#preview")
    expect(page.locator("#found")).to_contain_text("Only a role that sees all customers can confirm them")
    assert all("403" in one for one in visitor.complaints)
    visitor.complaints.clear()


def test_the_exact_ones_are_confirmed_at_once_after_a_preview(visitor: Visitor) -> None:
    page = visitor.open(PAGE, ADMIN.id)
    page.click("#preview")
    expect(page.locator("#found")).to_contain_text("None waiting")

    found = {"confirmed": 2, "remaining": 0, "ambiguous": 1, "created_by_another": 0, "claimed_twice": 3}
    links = [{"customer_id": id_, "name": f"<b>{id_}</b>", "owner_id": 1, "account_id": 50 + id_} for id_ in (4, 5)]
    asked: list[str] = []

    def answer(route: Any) -> None:
        asked.append(route.request.url.partition("/links/")[2])
        route.fulfill(json={"success": True, "data": found | {"links": links}, "message": "Links confirmed: 2"})

    page.route("**/hosting/links/confirm*", answer)
    page.click("#preview")
    expect(page.locator("#found ol li")).to_have_count(2)
    expect(page.locator("#found")).to_contain_text("<b>4</b>\u2069 #4, of owner #1 → account #54")
    expect(page.locator("#found ul li")).to_have_text(
        [re.compile("several accounts match: 1"), re.compile("several owners .*: 3")]
    )
    page.get_by_role("button", name="Confirm these 2").click()
    expect(page.locator("#found")).to_contain_text("Links confirmed: 2")
    assert asked == ["confirm?dry_run=true", "confirm"]


def test_the_whole_list_is_saved_as_one_csv(visitor: Visitor) -> None:
    page = visitor.open(f"{PAGE}?state=all", ADMIN.id)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))

    assert download.value.suggested_filename == "links.csv"
    status = visitor.get(page, "/crm/api/sync-status")
    assert len(rows) == status["total_customers"] > 100
    assert [int(one["customer_id"]) for one in rows] == sorted({int(one["customer_id"]) for one in rows})
