"""From a sentence of the overview to the customers that it is about, and to what mends them."""

from collections.abc import Callable, Iterator

import pytest
from pg8000.native import Connection
from playwright.sync_api import Page, expect

from local.people import ADMIN, MINE_OWNER
from tests.browser import people
from tests.browser.conftest import Visitor, settled
from tests.browser.test_overview import CUSTOMERS, names
from tests.browser.test_runs import PAGE as RUNS
from tests.browser.test_runs import refused  # noqa: F401 (a fixture)
from tests.browser.test_states import violations

ODD = [people.LOSING, people.SYNCED]
SHOWN = "Machines of unknown status"


def sync(visitor: Visitor, page: Page, customers: list[int]) -> None:
    for customer in customers:
        assert page.request.post(f"{visitor.server}/crm/api/customer/{customer}/sync-hosting").ok


@pytest.fixture
def odd(visitor: Visitor, database: Connection) -> Iterator[Page]:
    """The overview, where two customers have machines of a status that nobody knows; at the end they do not."""
    page = visitor.open("/crm/hosting")
    was = database.run("select id, status from user_miners where user_id = any (:ids)", ids=ODD)
    database.run("update user_miners set status = 'melting' where user_id = any (:ids)", ids=ODD)
    sync(visitor, page, ODD)
    page.reload()
    settled(page)
    yield page
    for id_, status in was:
        database.run("update user_miners set status = :status where id = :id", id=id_, status=status)
    sync(visitor, page, ODD)


def test_a_finding_leads_to_the_customers_that_have_it_and_back(
    visitor: Visitor, odd: Page, database: Connection, screenshot: Callable[..., None]
) -> None:
    listed = [one["name"] for one in visitor.get(odd, f"{CUSTOMERS}?finding=unknown_status")]
    odd.get_by_role("link", name="Customers that have miners of unknown status: 2").click()
    settled(odd)

    assert odd.url.endswith("/crm/hosting?finding=unknown_status#customers")
    expect(odd.locator("#ranking")).to_have_text(f"Only: {SHOWN}")
    expect(odd.locator("#ranking")).to_be_in_viewport()
    assert sorted(names(odd)) == sorted(listed) == sorted(people.NAMES[id_] for id_ in ODD)
    for theme in ("light", "dark"):
        odd.emulate_media(color_scheme=theme)
        assert violations(odd) == []
    screenshot(odd, "overview-finding")
    odd.fill("#search", "sync me")
    expect(odd.locator("#list tr")).to_have_count(1)
    odd.fill("#search", "")
    expect(odd.locator("#list tr")).to_have_count(2)
    odd.locator("#everybody").press("Enter")
    expect(odd.locator("#ranking")).to_have_text("Customers by profit")
    expect(odd.locator("#list tr")).to_have_count(25)
    expect(odd.locator("#everybody")).to_be_hidden()
    expect(odd.locator("#search")).to_be_focused()
    odd.go_back()
    expect(odd.locator("#list tr")).to_have_count(2)
    expect(odd.locator("#ranking")).to_have_text(f"Only: {SHOWN}")

    database.run("update user_miners set status = 'online' where user_id = any (:ids)", ids=ODD)
    sync(visitor, odd, ODD)
    odd.reload()
    expect(odd.locator("#shown")).to_have_text("No customer has this any more.")


def test_a_customers_page_says_what_was_found_until_it_is_mended(
    visitor: Visitor, odd: Page, database: Connection, screenshot: Callable[..., None]
) -> None:
    odd.goto(f"{visitor.server}/crm/hosting/customer/{people.SYNCED}")
    expect(odd.locator("#findings li")).to_have_text([SHOWN, "Correct it in the CRM’s machines, then sync."])
    assert violations(odd) == []
    screenshot(odd, "customer-finding")

    database.run("update user_miners set status = 'online' where user_id = any (:ids)", ids=ODD)
    odd.click("#sync")

    expect(odd.locator("#sync-result")).to_contain_text("Hosting data synchronised")
    expect(odd.locator("#findings li")).to_have_count(0)


def test_an_address_with_a_finding_that_there_is_not_lists_everybody(visitor: Visitor) -> None:
    page = visitor.open("/crm/hosting?finding=shared_across_owners")

    expect(page.locator("#ranking")).to_have_text("Customers by profit")
    expect(page.locator("#list tr")).to_have_count(25)


def test_what_nobody_mends_by_a_click_says_what_to_do_to_whom_can_do_it(visitor: Visitor, database: Connection) -> None:
    database.run("update network_snapshots set is_valid = false")
    try:
        told = {
            who: visitor.open("/crm/hosting", who).locator("#issues").inner_text() for who in (MINE_OWNER.id, ADMIN.id)
        }
    finally:
        database.run("update network_snapshots set is_valid = true")

    assert "There is no usable market data\nRun the CRM's profitability calculator" in told[MINE_OWNER.id]
    assert "tell the administrator" in told[MINE_OWNER.id]
    assert "MarketSecretArn" in told[ADMIN.id]


@pytest.mark.usefixtures("refused")
def test_an_owner_is_led_to_whom_of_his_the_daily_run_could_not_sync_and_tries_again(
    visitor: Visitor, database: Connection, screenshot: Callable[..., None]
) -> None:
    assert visitor.open(RUNS, ADMIN.id).request.post(f"{visitor.server}/crm/api/sync-all-hosting").ok
    those = [people.LARGEST, people.STRANGERS]
    own, strangers = (
        name for (name,) in database.run("select name from crm_customers where id = any (:ids) order by id", ids=those)
    )
    page = visitor.open("/crm/hosting")

    page.get_by_role("link", name="Customers that failed in the last sync: 1").click()
    failed = page.locator("#uncovered li")
    expect(failed).to_have_count(1)

    assert page.url.endswith(f"{RUNS}#list")
    expect(page.locator("#covered")).to_contain_text("1 of your customers failed")
    expect(failed).to_contain_text(own)
    expect(failed).to_contain_text("A rule of the CRM does not allow the figures: contract")
    assert strangers not in page.inner_text("main")
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert violations(page) == []
        screenshot(page, f"runs-covered-{width}")
    failed.get_by_role("button").press("Enter")
    expect(failed).to_contain_text("The CRM does not take this customer's figures")
    database.run("alter table crm_customers drop constraint contract")
    failed.get_by_role("button").click()
    expect(failed).to_contain_text("Hosting data synchronised")
    expect(failed.get_by_role("button")).to_be_hidden()
    visitor.complaints.clear()  # the refused one
