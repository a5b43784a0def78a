"""The overview: whether everything is all right, what changed, what needs attention; customers by profit, the batch."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from pg8000.native import Connection
from playwright.sync_api import Page, expect

from local.people import ADMIN
from tests.browser import people
from tests.browser.conftest import Visitor, settled
from tests.browser.test_customer import exact
from tests.browser.test_runs import answered

STATUS, RUNS, CUSTOMERS = "/crm/api/sync-status", "/crm/api/sync-runs", "/crm/api/hosting/customers"


def names(page: Page) -> list[str]:
    return page.locator("#list [data-key=customer] .main").all_inner_texts()


HISTORY, ATTENTION = "/crm/api/hosting/history", "/crm/api/hosting/attention"


@pytest.mark.parametrize("user", [1, ADMIN.id])
def test_totals_their_lines_and_what_changed_are_the_apis(visitor: Visitor, user: int) -> None:
    page = visitor.open("/crm/hosting", user)
    status, days = visitor.get(page, STATUS), visitor.get(page, HISTORY)
    now, before = days[-1], days[-2]

    assert exact(page, "#linked data") == [status["link_rate"]]
    expect(page.locator("#unlinked")).to_have_text(f"{status['unlinked_customers']} not linked")
    expect(page.locator("#unlinked")).to_have_attribute("href", "/crm/hosting/links?state=unlinked")
    assert exact(page, "#profit data") == [now["net_profit_daily"]]
    assert exact(page, "#hashrate data") == [now["total_hashrate"]]
    assert exact(page, "#running data") == [pytest.approx(100 * now["active_miners"] / now["miners_count"])]
    change = 100 * (now["total_hashrate"] - before["total_hashrate"]) / before["total_hashrate"]
    expect(page.locator("#hashrate .change")).to_have_text(f"{change:+.1f} % since the day before")
    expect(page.locator(".tile .line path.stroke")).to_have_count(4)
    expect(page.locator("#hashrate .unseen")).to_contain_text("lowest")
    rates = [100 * day["linked_customers"] / day["total_customers"] for day in (before, now)]
    assert abs(rates[1] - rates[0]) > 0.05
    expect(page.locator("#linked .change")).to_have_text(f"{rates[1] - rates[0]:+.1f} points since the day before")
    slider = page.get_by_role("slider", name="Link rate, by day: use the arrow keys")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#linked .reads")).to_contain_text(f": {rates[0]:.1f} %")


def test_days_whose_links_were_not_kept_are_a_gap_and_the_figure_is_that_of_now(visitor: Visitor) -> None:
    page = visitor.open("/crm/hosting")
    status, days = visitor.get(page, STATUS), visitor.get(page, HISTORY)
    unknown = {"total_customers": None, "linked_customers": None}
    for kept in (29, 1, 0):
        past = [day if place >= len(days) - kept else day | unknown for place, day in enumerate(days)]
        past[-10] |= unknown
        page.route("**/hosting/history", answered(past))
        page.reload()
        settled(page)

        assert exact(page, "#linked data") == [status["link_rate"]]
        expect(page.locator("#linked path.stroke")).to_have_count(2 if kept > 1 else 0)
        known = "since the day before" if kept > 1 else "No earlier day to compare with yet"
        expect(page.locator("#linked .change")).to_contain_text(known)


def test_a_line_is_read_by_arrow_keys_and_by_a_pointer(visitor: Visitor) -> None:
    page = visitor.open("/crm/hosting")
    days = visitor.get(page, HISTORY)
    slider = page.get_by_role("slider", name="Hashrate, by day: use the arrow keys")

    def told(day: dict[str, Any]) -> str:
        date = datetime.strptime(day["day"], "%Y-%m-%d").strftime("%b %-d")
        carried = ", no sync that day: carried over" if day["carried"] else ""
        return f"{date}: {day['total_hashrate'] / 1e6:.2f} EH/s{carried}"

    slider.focus()
    assert slider.get_attribute("aria-valuetext") == told(days[-1])
    for key, day in (("ArrowLeft", days[-2]), ("Home", days[0]), ("ArrowRight", days[1])):
        page.keyboard.press(key)
        assert slider.get_attribute("aria-valuetext") == told(day)
        expect(page.locator("#hashrate .reads")).to_have_text(told(day))
    box = slider.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 10)
    expect(page.locator("#hashrate .reads")).to_have_text(told(days[len(days) // 2]))


def test_what_needs_attention_comes_worst_first_and_a_click_opens_the_customer(visitor: Visitor) -> None:
    page = visitor.open("/crm/hosting?theme=light")
    worst = visitor.get(page, ATTENTION)
    listed = page.locator("#worst li").evaluate_all("all => all.map((one) => Number(one.dataset.customer))")

    assert len(worst) > 2
    assert listed == [one["customer_id"] for one in worst[:5]]
    first = page.locator("#worst li").first
    expect(first).to_contain_text(f"-{worst[0]['severity']:.1f} %")
    first.locator(".since").click(force=True)  # the whole row is the link
    settled(page)
    assert page.url.endswith(f"/crm/hosting/customer/{worst[0]['customer_id']}?theme=light")
    expect(page.locator("h1")).to_have_text(worst[0]["name"])


ALL_WELL = {"success": True, "data": [], "customers": 0}


def test_it_says_in_so_many_words_that_everything_is_all_right_or_what_is_not(visitor: Visitor) -> None:
    page = visitor.open("/crm/hosting")
    status = visitor.get(page, STATUS) | {"sync_health": "healthy", "issues": []}
    page.route("**/sync-status*", lambda route: route.fulfill(json={"success": True, "data": status}))
    page.reload()
    expect(page.locator("#verdict")).to_have_text(re.compile(r"Customers that need attention: \d+"))
    page.route("**/hosting/attention*", lambda route: route.fulfill(json=ALL_WELL))
    page.reload()

    expect(page.locator("#verdict")).to_have_text("Everything is all right")
    expect(page.locator("#worst")).to_contain_text("No customer is worse off")


RUN = {"run_id": 7, "started_at": "2026-11-28T09:00:00Z", "ended_at": "2026-11-28T09:01:00Z", "errors": 0}
LAST = {"ended_at": "2026-11-28T03:00:09Z", "errors": 0, "is_over_everybody": True}
WORDS = [
    ([], None, "No sync has completed yet.", "Last sync"),
    ([RUN | {"state": "running"}], None, "Another is under way.", "No sync has completed yet"),
    ([], LAST, "the daily run for everybody, without failures.", "No sync has completed yet"),
    ([], LAST | {"errors": 2}, "the daily run for everybody, in which 2 of your customers failed.", "without failures"),
    ([RUN | {"state": "failed"}], LAST, "A newer one did not complete (Failed).", "No sync"),
    ([RUN | {"state": "partial"}], None, "A newer one did not complete (Partial).", "Last sync"),
    ([RUN | {"state": "completed"}], LAST | {"ended_at": RUN["ended_at"], "is_over_everybody": False},
     "your customers, without failures.", "newer"),
]  # fmt: skip


def test_when_the_last_sync_was_and_how_it_went_agree(visitor: Visitor) -> None:
    page = visitor.open("/crm/hosting", people.OPERATOR)
    expect(page.locator("#last_sync")).to_contain_text("the daily run for everybody, without failures.")
    answer: dict[str, Any] = {"success": True, "next": None}
    page.route("**/sync-runs?*", lambda route: route.fulfill(json=answer))
    for runs, last, words, never in WORDS:
        answer |= {"data": runs, "last": last}
        page.reload()
        settled(page)
        expect(page.locator("#last_sync")).to_contain_text(words)
        expect(page.locator("#last_sync")).not_to_contain_text(never)


def test_issues_are_shown_in_the_language_of_the_page(visitor: Visitor, database: Connection) -> None:
    database.run("update network_snapshots set is_valid = false")
    try:
        english, chinese = visitor.open("/crm/hosting"), visitor.open("/crm/hosting", language="zh-CN")
        customer = visitor.open(f"/crm/hosting/customer/{people.LARGEST}")
    finally:
        database.run("update network_snapshots set is_valid = true")

    expect(english.locator("#issues")).to_contain_text("There is no usable market data")
    expect(english.locator("#verdict")).to_have_text("The sync needs attention")
    expect(chinese.locator("#issues")).to_contain_text("没有可用的行情数据")
    # Nothing is invented: without a market there is no estimate.
    expect(customer.locator("#net_profit_daily")).to_have_text("–")
    expect(customer.locator("#market-remark")).to_be_visible()


WAYS = {
    "link_rate_low": "/links?state=unlinked",
    "account_gone": "/links?state=gone",
    "ambiguous_email": "/links?state=ambiguous",
    "link_lost": "/links?state=lost",
    "shared_account": "/links?state=shared",
    "customers_failed": "/runs?run=7",
    "sync_old": "/runs?run=7",
    "unusable_figure": "?finding=unusable_figure#customers",
    "unknown_status": "?finding=unknown_status#customers",
    "unlikely_figure": "?finding=unlikely_figure#customers",
    "market_stale": None,  # nothing of that is mended here
}


def test_what_is_wrong_is_a_click_from_where_it_is_mended(visitor: Visitor) -> None:
    page = visitor.open("/crm/hosting")
    status = visitor.get(page, STATUS) | {"issues": [*WAYS], "causes": [*WAYS]}
    newest = RUN | {"state": "completed", "errors": 2}
    page.route("**/sync-status*", answered(status))
    page.route("**/sync-runs?*", answered([newest], last=LAST))
    page.reload()
    settled(page)

    ways = page.locator("#issues li").evaluate_all("all => all.map((one) => one.querySelector('a')?.href ?? null)")
    assert ways == [way and f"{visitor.server}/crm/hosting{way}" for way in WAYS.values()]


def test_the_customers_come_by_profit_and_more_on_demand(visitor: Visitor) -> None:
    page = visitor.open("/crm/hosting")
    listed = visitor.get(page, f"{CUSTOMERS}?limit=60")

    assert names(page) == [one["name"] for one in listed[:25]]
    page.click("#more")
    expect(page.locator("#list tr")).to_have_count(50)
    assert names(page) == [one["name"] for one in listed[:50]]
    page.reload()
    settled(page)
    assert len(names(page)) == 50
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
    page.go_back()
    expect(page.locator("#list tr")).to_have_count(1)
    expect(page.locator("#search")).to_have_value("ten thousand")


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
    assert run["changed"] == 1
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
        lambda route: route.fulfill(json={"success": True, "data": [next(looks, run)], "next": None, "last": None}),
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
