"""The overview: link rate, health, runs, the customers by profit, and the batch."""

from collections.abc import Callable

import pytest
from pg8000.native import Connection
from playwright.sync_api import Page, expect

from local.people import ADMIN
from tests.browser import people
from tests.browser.conftest import Visitor
from tests.browser.test_customer import exact

STATUS, RUNS, CUSTOMERS = "/crm/api/sync-status", "/crm/api/sync-runs", "/crm/api/hosting/customers"


def names(page: Page) -> list[str]:
    return page.locator("#list [data-key=customer] .main").all_inner_texts()


@pytest.mark.parametrize("user", [1, ADMIN.id])
def test_link_rate_health_and_runs_are_the_apis(visitor: Visitor, user: int) -> None:
    page = visitor.open("/crm/hosting", user)
    status, runs = visitor.get(page, STATUS), visitor.get(page, f"{RUNS}?limit=8")

    assert exact(page, "#link_rate") == [status["link_rate"]]
    assert exact(page, "#legend data") == [status["linked_customers"], status["unlinked_customers"]]
    expect(page.locator("#last_sync")).to_have_attribute("datetime", status["last_sync"])
    words = {"healthy": "Healthy", "warning": "Needs attention", "critical": "Critical"}
    expect(page.locator("#verdict")).to_have_text(words[status["sync_health"]])
    shown = page.locator("#runs [data-run]").evaluate_all("all => all.map((one) => Number(one.dataset.run))")
    assert shown == [run["run_id"] for run in runs]


def test_issues_are_shown_in_the_language_of_the_page(visitor: Visitor, database: Connection) -> None:
    database.run("update network_snapshots set is_valid = false")
    try:
        english, chinese = visitor.open("/crm/hosting"), visitor.open("/crm/hosting", language="zh-CN")
        customer = visitor.open(f"/crm/hosting/customer/{people.LARGEST}")
    finally:
        database.run("update network_snapshots set is_valid = true")

    expect(english.locator("#issues")).to_have_text("There is no usable market data")
    expect(english.locator("#verdict")).to_have_text("Needs attention")
    expect(chinese.locator("#issues")).to_have_text("没有可用的行情数据")
    # Nothing is invented: without a market there is no estimate.
    expect(customer.locator("#net_profit_daily")).to_have_text("–")
    expect(customer.locator("#market-remark")).to_be_visible()


def test_the_customers_come_by_profit_and_more_on_demand(visitor: Visitor) -> None:
    page = visitor.open("/crm/hosting")
    listed = visitor.get(page, f"{CUSTOMERS}?limit=60")

    assert names(page) == [one["name"] for one in listed[:25]]
    page.click("#more")
    expect(page.locator("#list tr")).to_have_count(50)
    assert names(page) == [one["name"] for one in listed[:50]]
    profits = exact(page, "#list [data-key=hosting_net_profit_daily] data[value]:not([value=''])")
    assert profits == [one["net_profit_daily"] for one in listed[:50] if one["net_profit_daily"] is not None]
    assert profits == sorted(profits, reverse=True)


def test_a_search_finds_customers_and_a_row_opens_the_customers_page(visitor: Visitor) -> None:
    page = visitor.open("/crm/hosting?theme=light")

    page.fill("#search", "ten thousand")
    expect(page.locator("#list tr")).to_have_count(1)
    page.fill("#search", "no such customer")
    expect(page.locator("#shown")).to_have_text("Nothing matches")
    page.fill("#search", "ten thousand")
    expect(page.locator("#list tr")).to_have_count(1)
    page.click("#list tr td:nth-child(4)", force=True)  # the whole row is the link
    expect(page.locator("h1")).to_have_text(people.NAMES[people.MANY])
    assert page.url.endswith(f"/crm/hosting/customer/{people.MANY}?theme=light")


def test_an_owner_sees_the_own_customers_alone(visitor: Visitor) -> None:
    page = visitor.open("/crm/hosting", people.OPERATOR)

    assert names(page) == [people.NAMES[people.OPERATED]]


def test_the_batch_previews_runs_and_tells_its_result(
    visitor: Visitor, database: Connection, screenshot: Callable[..., None]
) -> None:
    database.run("update user_miners set quantity = quantity + 1 where user_id = :id", id=people.SYNCED)
    page = visitor.open("/crm/hosting", ADMIN.id)
    status, before = visitor.get(page, STATUS), visitor.get(page, f"{RUNS}?limit=1")[0]["run_id"]

    page.click("#preview")
    expect(page.locator("#sync-result")).to_contain_text(f"Would change 1 of {status['total_customers']} customers.")
    page.click("#sync")
    expect(page.locator("#sync-result")).to_contain_text("synced ·")
    expect(page.locator("#sync")).to_be_enabled()

    run = visitor.get(page, f"{RUNS}?limit=1")[0]
    assert run["run_id"] > before
    counts = f"{run['synced']} synced · {run['skipped']} skipped · {run['errors']} failed"
    expect(page.locator("#sync-result")).to_contain_text(counts)
    expect(page.locator("#runs li").first).to_contain_text("1 records changed")
    screenshot(page, "overview-synced", full_page=False)


def test_a_batch_that_goes_on_in_the_background_is_followed_to_its_end(
    visitor: Visitor, screenshot: Callable[..., None]
) -> None:
    page = visitor.open("/crm/hosting", ADMIN.id)
    run = visitor.get(page, f"{RUNS}?limit=1")[0]
    counts = {"total": 60, "synced": 20, "skipped": 40, "errors": 0}
    looks = iter([run | counts | {"state": "running", "ended_at": None}, run | counts | {"state": "running"}])
    first_part = {"success": True, "data": counts | {"remaining": 39}, "message": "so far"}
    page.route("**/sync-all-hosting", lambda route: route.fulfill(status=202, json=first_part))
    page.route(
        "**/sync-runs?*",
        lambda route: route.fulfill(json={"success": True, "data": [next(looks, run)], "next": None}),
    )

    page.click("#sync")
    expect(page.locator("#sync-result")).to_contain_text("The remaining 39 customers go on in the background.")
    expect(page.locator("#progress")).to_contain_text("60 of")
    screenshot(page, "overview-progress", full_page=False)
    expect(page.locator("#sync-result")).to_contain_text(f"{run['synced']} synced", timeout=10_000)
    expect(page.locator("#progress")).to_be_hidden()


def test_a_batch_that_is_refused_says_why(visitor: Visitor) -> None:
    page = visitor.open("/crm/hosting", people.OPERATOR)

    page.click("#sync")

    expect(page.locator("#sync-result")).to_have_text("You have no access to this resource")
    expect(page.locator("#sync")).to_be_enabled()
    assert visitor.complaints.pop().startswith("Failed to load resource")
