"""The runs: their list, one in detail, the customers that failed, what a sync would change, and a run under way."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pg8000.native import Connection
from playwright.sync_api import Page, Route, expect

from local.people import ADMIN
from tests.browser import people
from tests.browser.conftest import Visitor, settled
from tests.browser.test_customer import exact
from tests.browser.test_states import violations

PAGE, RUNS, ALL = "/crm/hosting/runs", "/crm/api/sync-runs", "/crm/api/sync-all-hosting"
COUNTS = {"changed": "changed", "synced_count": "synced", "skipped": "skipped", "failed_customers": "errors"}


def run_ids(page: Page) -> list[int]:
    ids: list[int] = page.locator("#runs [data-run]").evaluate_all("all => all.map((one) => Number(one.dataset.run))")
    return ids


def answered(data: Any, **envelope: Any) -> Callable[[Route], None]:
    return lambda route: route.fulfill(json={"success": True, "data": data, "next": None} | envelope)


def opened_with(visitor: Visitor, failures: list[dict[str, Any]], **run: Any) -> Page:
    """The page, on which the newest run has that of its own, and those failures."""
    page = visitor.open(PAGE, ADMIN.id)
    newest = visitor.get(page, f"{RUNS}/{run_ids(page)[0]}")["run"]
    page.route(f"**{RUNS}/*", answered({"run": newest | run, "failures": failures}))
    page.reload()
    return page


@pytest.fixture
def refused(visitor: Visitor, database: Connection) -> Iterator[list[int]]:
    """Two customers whose change a rule of the CRM refuses; the rule goes away at the end, and they are synced."""
    [[*ids]] = database.run(
        "select array_agg(id) from (select id from crm_customers where miners_count > 3 order by id limit 2) c"
    )
    [ids] = ids if isinstance(ids[0], list) else [ids]
    listed = ", ".join(map(str, ids))
    database.run(f"alter table crm_customers add constraint contract check (id not in ({listed}) or miners_count < 3)"
                 " not valid")  # fmt: skip
    database.run("update user_miners set quantity = quantity + 1 where user_id in ("
                 "select account_id from crm_hosting.fleet_now where customer_id = any (:ids))", ids=ids)  # fmt: skip
    yield ids
    database.run("alter table crm_customers drop constraint if exists contract")
    answer = visitor.open(PAGE, ADMIN.id).request.post(f"{visitor.server}/crm/api/sync-all-hosting")
    assert answer.ok, answer.text()


def test_the_list_is_the_apis_and_older_runs_follow(visitor: Visitor) -> None:
    page = visitor.open(PAGE, ADMIN.id)
    runs = visitor.get(page, f"{RUNS}?limit=24")

    assert run_ids(page) == [run["run_id"] for run in runs[:12]]
    for key, name in COUNTS.items():
        assert exact(page, f"#runs [data-key={key}] data") == [run[name] for run in runs[:12]]
    page.click("#older")
    expect(page.locator("#runs [data-run]")).to_have_count(24)
    assert run_ids(page) == [run["run_id"] for run in runs]


def test_a_run_is_chosen_by_keyboard_shared_by_its_address_and_gone_back_from(visitor: Visitor) -> None:
    page = visitor.open(PAGE, ADMIN.id)
    newest, *_, other = run_ids(page)
    expect(page.locator("#run h2")).to_have_text(f"Run {newest}")
    page.locator(f"[data-run='{other}'] a").focus()
    page.keyboard.press("Enter")

    expect(page.locator("#run h2")).to_have_text(f"Run {other}")
    expect(page.locator("#run")).to_be_focused()
    expect(page.locator(f"[data-run='{other}'] a")).to_have_attribute("aria-current", "true")
    expect(page.locator("#runs [aria-current]")).to_have_count(1)
    page.reload()
    expect(page.locator("#run h2")).to_have_text(f"Run {other}")
    page.go_back()
    expect(page.locator("#run h2")).to_have_text(f"Run {newest}")


def test_who_failed_and_why_is_in_words_and_each_can_be_tried_again(
    visitor: Visitor, database: Connection, refused: list[int], screenshot: Callable[..., None]
) -> None:
    page = visitor.open(PAGE, ADMIN.id)
    page.click("#sync")
    expect(page.locator("#sync-result")).to_contain_text("2 failed")
    failed = page.locator("#run .ranked li")
    names = dict(database.run("select id, name from crm_customers where id = any (:ids)", ids=refused))

    expect(failed).to_have_count(2)
    for customer in refused:
        line = page.locator(f"#run .ranked [data-customer='{customer}']")
        expect(line).to_contain_text(str(names[customer]))
        expect(line).to_contain_text("A rule of the CRM does not allow the figures: contract")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        assert violations(page) == []
        screenshot(page, f"runs-{theme}")
    page.get_by_role("button", name=f"Try again: {names[refused[0]]}", exact=True).press("Enter")
    expect(failed.first).to_contain_text("The CRM does not take this customer's figures")
    database.run("alter table crm_customers drop constraint contract")
    failed.first.get_by_role("button").click()
    expect(failed.first).to_contain_text("Hosting data synchronised")
    expect(failed.first.get_by_role("button")).to_be_hidden()
    expect(failed.last).to_contain_text("A rule of the CRM")
    visitor.complaints.clear()  # the refused one


@pytest.mark.parametrize(
    ("sqlstate", "words"),
    [
        ("55P03", "Somebody else had the record locked."),
        ("23503", "A constraint of the CRM refused it: fk"),
        ("22003", "A figure is larger than its field can hold."),
        ("22P02", "The machines have a value that the field cannot store."),
        ("P0001", "A trigger of the CRM refused the change."),
        ("XX000", "The database refused it (XX000)."),
    ],
)
def test_every_reason_has_words(visitor: Visitor, sqlstate: str, words: str) -> None:
    gone = {"customer_id": 7, "name": None, "sqlstate": sqlstate, "constraint": "fk"}
    page = opened_with(visitor, [gone], errors=1)

    expect(page.locator("#run .ranked li")).to_contain_text(words)
    expect(page.locator("#run .ranked a")).to_have_text("Customer 7")


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ("57P01", "The database went away."),
        ("ConnectionLost", "The database went away."),
        ("57014", "It took too long"),
        ("42501", "migrate (42501)"),
        ("KeyError", "It ended with an error: KeyError"),
    ],
)
def test_a_run_that_failed_says_why_in_words(visitor: Visitor, failure: str, words: str) -> None:
    page = opened_with(visitor, [], state="failed", failure=failure)

    expect(page.locator("#run > .bad")).to_contain_text(words)


def test_the_preview_shows_every_change_page_by_page_before_and_after(
    visitor: Visitor, database: Connection, screenshot: Callable[..., None]
) -> None:
    database.run("update user_miners set quantity = quantity + 2 where user_id = :id", id=people.SYNCED)
    page = visitor.open(PAGE, ADMIN.id)
    preview = page.request.post(f"{visitor.server}{ALL}?dry_run=true").json()["data"]
    first, *_ = changed = preview["changes"]
    change = first["changes"]["miners_count"]

    page.click("#preview")

    expect(page.locator("#would")).to_contain_text(
        f"Would change {preview['changed']} of {preview['total']} customers."
    )
    expect(page.locator("#changes")).to_be_focused()
    expect(page.locator("#changed tr")).to_have_count(len(changed))
    assert exact(page, "#changed tr:first-child [data-key=miners_count] data") == [change["after"], change["before"]]
    expect(page.locator("#changed tr").first).to_contain_text(first["name"])
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        assert violations(page) == []
    screenshot(page, "runs-preview")
    asked: list[str] = []

    def two_pages(route: Route) -> None:
        asked.append(route.request.url)
        is_second = "after=" in route.request.url
        answer = preview | {"changed": 2, "changes": [first | {"customer_id": 900 + is_second}]}
        route.fulfill(body=json.dumps({"success": True, "data": answer, "next": None if is_second else 900}))

    page.route(f"**{ALL}?dry_run=true*", two_pages)
    page.reload()  # the address says that it is open
    expect(page.locator("#changed tr")).to_have_count(1)
    page.click("#more-changes")
    expect(page.locator("#changed tr")).to_have_count(2)
    expect(page.locator("#more-changes")).to_be_hidden()
    assert "after=900" in asked[-1]
    page.click("#close")
    expect(page.locator("#changes")).to_be_hidden()
    expect(page.locator("#preview")).to_be_focused()


def test_a_run_under_way_is_followed_and_not_while_the_tab_is_hidden(visitor: Visitor) -> None:
    page = visitor.open(PAGE, ADMIN.id)
    newest = visitor.get(page, f"{RUNS}?limit=1")[0]
    now: dict[str, Any] = {"state": "running", "total": 60, "looks": 0}

    def answer(route: Route) -> None:
        now["looks"] += "limit=8" in route.request.url
        answered([newest | {"state": now["state"], "total": now["total"]}])(route)

    page.route(f"**{RUNS}?*", answer)
    page.goto(visitor.server + PAGE)

    expect(page.locator("#progress")).to_contain_text("60 of")
    expect(page.locator("#sync")).to_be_disabled()
    now["total"] = 90
    expect(page.locator("#progress")).to_contain_text("90 of")
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    page.wait_for_timeout(1_500)  # the look that was under way
    looks = now["looks"]
    page.wait_for_timeout(2_500)
    assert now["looks"] == looks
    now["state"] = "completed"
    page.evaluate("""() => {
      Object.defineProperty(document, "hidden", { value: false, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }""")
    expect(page.locator("#progress")).to_be_hidden()
    expect(page.locator("#sync-result")).to_contain_text(f"{newest['synced']} synced")
    expect(page.locator("#sync")).to_be_enabled()


def test_an_owner_without_runs_is_told_of_the_run_over_everybody(visitor: Visitor) -> None:
    page = visitor.open(PAGE, people.LONELY_OWNER)

    expect(page.locator("#covered")).to_contain_text("The daily run for everybody last completed")
    expect(page.locator("#runs")).to_contain_text("You have not started a sync yet.")
    expect(page.locator("#run")).to_be_hidden()
    assert violations(page) == []


def test_who_may_only_view_is_told_so_where_a_preview_is_asked_for(visitor: Visitor) -> None:
    page = visitor.open(f"{PAGE}?preview=1", people.OPERATOR)

    expect(page.locator("#would")).to_have_text("You have no access to this resource")
    expect(page.locator("#list")).to_be_visible()
    visitor.complaints.clear()


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_nothing_of_it_sticks_out_at_any_width(visitor: Visitor, language: str) -> None:
    page = visitor.open(f"{PAGE}?preview=1", ADMIN.id, language=language)
    for width in (320, 390, 720, 900, 1440, 2560):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
    page.set_viewport_size({"width": 390, "height": 900})
    settled(page)
    assert violations(page) == []
