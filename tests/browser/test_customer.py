"""A customer's page: the API's figures, the fleet's table, the sync."""

from collections.abc import Callable
from typing import Any

import pytest
from pg8000.native import Connection
from playwright.sync_api import Page, expect

from tests.browser import people
from tests.browser.conftest import Visitor, settled

FIGURES = [
    "net_profit_daily",
    "estimated_daily_usd",
    "estimated_daily_btc",
    "electricity_cost_daily",
    "miners_count",
    "total_hashrate",
    "total_power",
    "avg_efficiency",
]
SORTED_BY = {
    "quantity": "quantity",
    "hashrate": "total_hashrate",
    "power": "total_power",
    "daily_electricity": "daily_electricity_cost",
}


def page_of(customer: int) -> str:
    return f"/crm/hosting/customer/{customer}"


def api_of(customer: int) -> str:
    return f"/crm/api/customer/{customer}"


def exact(page: Page, selector: str) -> list[float]:
    """The exact figures of <data> elements."""
    return [float(one) for one in page.locator(selector).evaluate_all("all => all.map((one) => one.value)")]


def column(page: Page, key: str) -> list[float]:
    return exact(page, f"#miners [data-key={key}] data")


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
@pytest.mark.parametrize("customer", [people.LARGEST, people.LOSING, people.SOLD, people.MANY])
def test_every_figure_is_the_apis(visitor: Visitor, customer: int, language: str) -> None:
    page = visitor.open(page_of(customer), language=language)
    stats = visitor.get(page, f"{api_of(customer)}/hosting-stats")

    assert {name: exact(page, f"#{name}") for name in FIGURES} == {name: [stats[name]] for name in FIGURES}
    assert exact(page, "#price") == [stats["btc_price"]]
    assert exact(page, "#difficulty") == [stats["network_difficulty"]]
    assert page.locator("#taken").get_attribute("datetime") == stats["market_as_of"]
    for status in ("active", "maintenance", "offline"):
        assert exact(page, f"#legend [data-status={status}] data") == [stats["by_status"][status]]
    # The exact figures are attributes; this is what is read.
    profit = stats["net_profit_daily"]
    expect(page.locator("#net_profit_daily")).to_have_text(f"{'-' if profit < 0 else ''}${abs(profit):,.2f}")
    expect(page.locator("#estimated_daily_btc")).to_have_text(f"₿{stats['estimated_daily_btc']:.8f}")


def test_figures_have_the_units_that_a_miner_uses(visitor: Visitor) -> None:
    page = visitor.open(page_of(people.LARGEST))
    stats = visitor.get(page, f"{api_of(people.LARGEST)}/hosting-stats")

    expect(page.locator("#total_hashrate")).to_have_text(f"{stats['total_hashrate'] / 1000:,.2f} PH/s")
    expect(page.locator("#total_power")).to_have_text(f"{stats['total_power'] / 1e6:,.2f} MW")
    expect(page.locator("#avg_efficiency")).to_have_text(f"{stats['avg_efficiency']:,.2f} J/TH")
    expect(page.locator("#total_hashrate")).to_have_attribute("title", f"{stats['total_hashrate']:,.2f}".rstrip("0"))


def test_models_have_their_machines_and_shares(visitor: Visitor) -> None:
    page = visitor.open(page_of(people.LARGEST))
    stats = visitor.get(page, f"{api_of(people.LARGEST)}/hosting-stats")

    for model, figures in stats["by_model"].items():
        hashrate, power = figures["hashrate"] / stats["total_hashrate"], figures["power"] / stats["total_power"]
        shown = exact(page, f"#models [data-name='{model}'] data")
        assert shown == pytest.approx([figures["count"], 100 * hashrate, 100 * power])
    widths = page.locator("#models rect.hash").evaluate_all(
        "all => all.map((one) => parseFloat(one.getAttribute('width')))"
    )
    assert sum(widths) == pytest.approx(100, abs=0.1)


def test_many_models_are_summed_up_beyond_the_largest(visitor: Visitor) -> None:
    page = visitor.open(page_of(people.MANY))
    stats = visitor.get(page, f"{api_of(people.MANY)}/hosting-stats")

    assert len(stats["by_model"]) == 12
    expect(page.locator("#models li")).to_have_count(8)
    expect(page.locator("#models li").last).to_contain_text("5 other models")
    assert sum(exact(page, "#models > li > data")) == stats["miners_count"]


@pytest.mark.parametrize("customer", [people.LARGEST, people.MANY])
def test_the_total_row_is_the_apis_and_follows_the_filter(visitor: Visitor, customer: int) -> None:
    page = visitor.open(page_of(customer))
    stats = visitor.get(page, f"{api_of(customer)}/hosting-stats")
    total = exact(page, "#sum data")

    assert total == [
        stats["miners_count"],
        stats["total_hashrate"],
        stats["total_power"],
        stats["electricity_cost_daily"],
    ]
    for status, count in stats["by_status"].items():
        page.click(f"#filter [data-status={status}]")
        assert exact(page, "#sum data")[0] == count
        shown = page.locator("#miners tr").evaluate_all("all => all.map((one) => one.dataset.status)")
        assert set(shown) == ({status} if count else {None})  # where there are none, one row says so


def test_the_table_holds_the_list_newest_first_a_page_at_a_time(visitor: Visitor) -> None:
    page = visitor.open(page_of(people.LARGEST))
    miners = visitor.get(page, f"{api_of(people.LARGEST)}/hosting-miners")
    shown: list[float] = []

    expect(page.locator("#previous")).to_be_disabled()
    for _ in range(3):
        shown += column(page, "hashrate")
        if page.locator("#next").is_enabled():
            page.click("#next")

    assert shown == [miner["total_hashrate"] for miner in miners]
    expect(page.locator("#shown")).to_have_text("Batches 51–60 of 60")
    assert page.locator("#miners tr").count() == 10


@pytest.mark.parametrize("key", SORTED_BY)
def test_a_header_sorts_down_then_up_then_back(visitor: Visitor, key: str) -> None:
    page = visitor.open(page_of(people.MANY))
    header, first = page.locator(f"#columns [data-key={key}]"), column(page, key)

    header.locator("button").click()
    down = column(page, key)
    expect(header).to_have_attribute("aria-sort", "descending")
    header.locator("button").click()
    up = column(page, key)
    expect(header).to_have_attribute("aria-sort", "ascending")
    header.locator("button").click()

    miners = [miner[SORTED_BY[key]] for miner in visitor.get(page, f"{api_of(people.MANY)}/hosting-miners")]
    assert down == sorted(miners, reverse=True)[:25]
    assert up == sorted(miners)[:25]
    assert column(page, key) == first
    assert not header.get_attribute("aria-sort")


def test_names_sort_as_a_reader_expects(visitor: Visitor) -> None:
    page = visitor.open(page_of(people.MANY))
    page.fill("#search", "Rack 1")
    page.click("#columns [data-key=name] button")
    names = page.locator("#miners [data-key=name] .main").all_inner_texts()

    assert names[:4] == ["Rack 1", "Rack 10", "Rack 11", "Rack 13"]


def test_search_finds_name_model_and_place_in_any_case(visitor: Visitor) -> None:
    page = visitor.open(page_of(people.LARGEST))
    miners = visitor.get(page, f"{api_of(people.LARGEST)}/hosting-miners")

    def expected(text: str) -> int:
        return sum(text in f"{one['name']}\n{one['model']}\n{one['location']}".lower() for one in miners)

    for text in ("PARAGUAY", "s21", "rack 3", "哈萨克斯坦"):
        page.fill("#search", text)
        count = expected(text.lower())
        assert count > 0
        expect(page.locator("#filter [data-status=all] .count")).to_have_text(str(count))
    page.fill("#search", "no such machine")
    expect(page.locator("#miners")).to_have_text("Nothing matches")


def test_a_sync_shows_what_it_would_change_and_does_it(
    visitor: Visitor, database: Connection, screenshot: Callable[..., None]
) -> None:
    database.run("update user_miners set quantity = quantity + 2 where user_id = :id", id=people.SYNCED)
    [[before]] = database.run("select miners_count from crm_customers where id = :id", id=people.SYNCED)
    page = visitor.open(page_of(people.SYNCED))
    field = page.locator("[data-field=miners_count]")

    assert exact(page, "[data-field=miners_count] data") == [before, before + 2]
    expect(field).to_have_class("changed")
    expect(page.locator("#record-state")).to_contain_text("A sync would change 5 of its fields.")
    screenshot(page, "customer-out-of-date")
    page.click("#sync")

    expect(page.locator("#sync-result")).to_have_text("Hosting data synchronised")
    expect(page.locator("#record-state")).to_contain_text("up to date")
    expect(page.locator("#record-state")).to_contain_text("just now")
    assert exact(page, "[data-field=miners_count] data") == [before + 2]
    row = database.run(
        "select miners_count, hosting_net_profit_daily from crm_customers where id = :id", id=people.SYNCED
    )
    stats = visitor.get(page, f"{api_of(people.SYNCED)}/hosting-stats")
    assert [row[0][0], float(row[0][1])] == [before + 2, stats["net_profit_daily"]]
    assert exact(page, "#net_profit_daily") == [stats["net_profit_daily"]]


def test_a_sync_that_fails_says_so_and_can_be_tried_again(visitor: Visitor) -> None:
    page = visitor.open(page_of(people.SYNCED))
    refused: dict[str, Any] = {"success": False, "error": "A synchronisation is under way; try again later"}
    page.route("**/sync-hosting", lambda route: route.fulfill(status=409, json=refused))
    page.click("#sync")

    expect(page.locator("#sync-result")).to_have_text(refused["error"])
    expect(page.locator("#sync")).to_be_enabled()
    page.unroute("**/sync-hosting")
    page.click("#sync")
    expect(page.locator("#sync-result")).to_have_text("Hosting data synchronised")
    assert visitor.complaints.pop().startswith("Failed to load resource")


def test_who_may_only_view_is_told_so(visitor: Visitor) -> None:
    page = visitor.open(page_of(people.OPERATED), people.OPERATOR)

    expect(page.locator("#record-state")).to_contain_text("Your role may view, but not sync.")
    expect(page.locator("#sync")).to_be_disabled()
    expect(page.locator("#miners_count")).to_have_text("4")
    assert visitor.complaints.pop().startswith("Failed to load resource")


def test_a_name_that_is_a_script_stays_text(visitor: Visitor, screenshot: Callable[..., None]) -> None:
    page = visitor.open(page_of(people.SCRIPT))

    expect(page.locator("h1")).to_have_text(people.NAMES[people.SCRIPT])
    expect(page.locator("#company")).to_have_text("<b>Bold</b> & Co")
    expect(page.locator("#miners [data-key=name]")).to_contain_text("<img src=x onerror=alert(2)>")
    assert page.locator("img, i, b").count() == 0
    assert page.locator("script:not([src])").count() == 0
    screenshot(page, "customer-script")
    page = visitor.open("/crm/hosting")
    page.fill("#search", "<script>")
    expect(page.locator("#list")).to_contain_text(people.NAMES[people.SCRIPT])


def test_the_browser_itself_refuses_to_set_html_or_run_what_is_inline(visitor: Visitor) -> None:
    page = visitor.open(page_of(people.LARGEST))

    refused = page.evaluate("""() => [
      () => { document.body.innerHTML = "<p>"; },
      () => document.body.insertAdjacentHTML("beforeend", "<p>"),
      () => document.body.setAttribute("onclick", "alert(1)"),
      () => { document.createElement("script").text = "alert(1)"; },
    ].map((attempt) => { try { attempt(); return false; } catch { return true; } })""")

    assert refused == [True] * 4
    visitor.complaints.clear()  # one for each


def test_the_language_is_the_browsers_until_another_is_chosen_and_then_kept(visitor: Visitor) -> None:
    page = visitor.open(page_of(people.LARGEST), language="zh-CN")
    expect(page.locator("h2").first).to_have_text("日净利润(估算)")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")

    page.click("text=English")
    settled(page)
    expect(page.locator("h2").first).to_have_text("Net profit a day, estimated")
    page.click("#back")
    settled(page)
    expect(page.locator("h1")).to_have_text("Hosting")
    page.goto(visitor.server + page_of(people.NOBODY))
    settled(page)
    expect(page.locator("#notice")).to_contain_text("There is no such customer")
    visitor.complaints.clear()


def test_ten_thousand_rows_stay_fluid(visitor: Visitor, capsys: pytest.CaptureFixture[str]) -> None:
    page = visitor.open(page_of(people.MANY))
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert page.locator("#filter [data-status=all] .count").inner_text() == f"{people.MANY_BATCHES:,}"
    took = {
        name: page.evaluate(
            """([selector, act]) => new Promise((resolve) => {
              const node = document.querySelector(selector);
              const started = performance.now();
              if (act) { node.value = act; node.dispatchEvent(new Event("input")); } else node.click();
              requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - started)));
            })""",
            [selector, act],
        )
        for name, selector, act in (
            ("filter by status", "#filter [data-status=offline]", ""),
            ("back to all", "#filter [data-status=all]", ""),
            ("search", "#search", "rack 77"),
            ("sort by name", "#columns [data-key=name] button", ""),
            ("next page", "#next", ""),
        )
    }
    whole = visitor.open(page_of(people.MANY), wait=False)
    expect(whole.locator("#filter [data-status=all] .count")).to_have_text(f"{people.MANY_BATCHES:,}")
    loaded = whole.evaluate("performance.now()")

    with capsys.disabled():
        print(f"\n{people.MANY_BATCHES:,} batches: first paint {painted:.0f} ms, all loaded {loaded:.0f} ms", end="")
        print("".join(f", {name} {milliseconds:.0f} ms" for name, milliseconds in took.items()))
    expect(page.locator("#miners tr")).to_have_count(25)
