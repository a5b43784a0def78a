"""A customer's page: what stands where, the days before, and what another price would make of it."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import people
from tests.browser.conftest import Visitor, settled, shifted
from tests.browser.test_customer import api_of, exact, page_of
from tests.browser.test_states import violations

LINES = {"hashrate": "total_hashrate", "hosting_net_profit_daily": "net_profit_daily"}


def days_of(visitor: Visitor, page: Page, customer: int) -> list[dict[str, float]]:
    first = page.evaluate("new Date(Date.now() - 89 * 86400000).toISOString().slice(0, 10)")
    days: list[dict[str, float]] = visitor.get(page, f"{api_of(customer)}/hosting-history?from={first}")
    return days


def type_in(page: Page, **figures: float) -> None:
    for name, figure in figures.items():
        page.fill(f"#if-{name}", str(figure))


def test_what_stands_where_is_the_apis(visitor: Visitor) -> None:
    page = visitor.open(page_of(people.LARGEST))
    stats = visitor.get(page, f"{api_of(people.LARGEST)}/hosting-stats?include=")

    assert len(stats["by_location"]) > 1
    for site, figures in stats["by_location"].items():
        share = 100 * figures["hashrate"] / stats["total_hashrate"]
        assert exact(page, f"#sites [data-name='{site}'] data") == pytest.approx([figures["count"], share])


@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_stands_still_while_it_fills(visitor: Visitor, width: int) -> None:
    assert shifted(visitor.open(page_of(people.LARGEST), width=width)) < 0.01


def test_sites_beyond_the_largest_and_none_at_all_have_words(visitor: Visitor) -> None:
    page = visitor.open(page_of(people.MANY))
    stats = visitor.get(page, f"{api_of(people.MANY)}/hosting-stats?include=")

    assert "__other__" in stats["by_location"]
    expect(page.locator("#sites li")).to_have_count(8)
    expect(page.locator("#sites li").last).to_contain_text("Other places")
    assert sum(exact(page, "#sites > li > data")) == stats["miners_count"]
    expect(visitor.open(page_of(people.LOSING)).locator("#sites li")).to_contain_text("Berlin")
    expect(visitor.open(page_of(people.SOLD)).locator("#sites li")).to_have_text("No machines that count")


def test_ninety_days_are_lines_that_hover_keyboard_and_screen_reader_read(visitor: Visitor) -> None:
    page = visitor.open(page_of(people.LARGEST))
    days = days_of(visitor, page, people.LARGEST)

    assert len(days) == 90
    for name, of in LINES.items():
        assert exact(page, f"[data-line={name}] .now data") == [days[-1][of]]
        expect(page.locator(f"[data-line={name}] .unseen")).to_contain_text("lowest")
    offline = 100 * days[-1]["offline_miners"] / days[-1]["miners_count"]
    assert exact(page, "[data-line=offline_share] .now data") == pytest.approx([offline])
    line = page.locator("[data-line=hosting_net_profit_daily] input")
    line.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    profit = days[1]["net_profit_daily"]
    expect(line).to_have_attribute("aria-valuetext", re.compile(rf": \${profit:,.2f}"))
    line.hover(position={"x": 1, "y": 60})
    expect(page.locator("[data-line=hosting_net_profit_daily] .reads")).to_contain_text(
        f"${days[0]['net_profit_daily']:,.2f}"
    )


def test_the_days_and_the_machines_can_be_kept_as_csv(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.open(page_of(people.LARGEST))
    for part, rows in (("past", 90), ("fleet", 60)):
        with page.expect_download() as download:
            page.locator(f"#{part}-csv button").click()
        download.value.save_as(tmp_path / "kept.csv")
        with (tmp_path / "kept.csv").open(encoding="utf-8-sig", newline="") as file:
            assert len([*csv.DictReader(file)]) == rows


def test_days_that_cannot_be_had_leave_the_rest_and_can_be_tried_again(visitor: Visitor) -> None:
    page = visitor.open("/crm/hosting")
    broken = {"success": False, "error": "Internal error, reference abc-123"}
    page.route("**/hosting-history?*", lambda route: route.fulfill(status=500, json=broken))
    page.goto(visitor.server + page_of(people.LARGEST))

    expect(page.locator("#past .failure")).to_contain_text("reference abc-123")
    expect(page.locator("#miners_count")).not_to_be_empty()
    page.unroute("**/hosting-history?*")
    page.locator("#past .failure button").click()
    expect(page.locator("[data-line=hashrate] svg").first).to_be_attached()
    expect(page.locator("#past .failure")).to_have_count(0)
    visitor.complaints.clear()


def test_what_if_begins_with_what_is_and_breaks_even_where_it_says(visitor: Visitor) -> None:
    page = visitor.open(page_of(people.LARGEST))
    stats = visitor.get(page, f"{api_of(people.LARGEST)}/hosting-stats?include=")

    assert exact(page, "#if-profit") == pytest.approx([stats["net_profit_daily"]], abs=0.005)
    [even_kwh], [even_price] = exact(page, "#if-even-kwh"), exact(page, "#if-even-price")
    type_in(page, kwh=round(even_kwh, 9))
    assert exact(page, "#if-profit") == pytest.approx([0], abs=0.01)
    page.click("#as-now")
    expect(page.locator("#as-now")).to_be_disabled()
    type_in(page, price=round(even_price, 6))
    assert exact(page, "#if-profit") == pytest.approx([0], abs=0.01)


def test_what_if_does_not_wait_for_the_machines(visitor: Visitor) -> None:
    page = visitor.open("/crm/hosting")
    page.route("**/hosting-miners?*", lambda _route: None)  # never answered
    page.goto(visitor.server + page_of(people.LARGEST))

    expect(page.locator("#if-formula")).to_contain_text("kWh ×")
    type_in(page, price=0)
    expect(page.locator("#if-profit")).to_contain_text("-$")


def test_a_price_and_a_difficulty_give_the_profit_that_the_api_would(visitor: Visitor) -> None:
    page = visitor.open(page_of(people.LARGEST))
    stats = visitor.get(page, f"{api_of(people.LARGEST)}/hosting-stats?include=")
    price, difficulty = 61_234.5, 201.5
    coins = stats["estimated_daily_btc"] * stats["network_difficulty"] / (difficulty * 1e12)

    type_in(page, price=price, hard=difficulty)

    expected = coins * price - stats["electricity_cost_daily"]
    assert exact(page, "#if-profit") == pytest.approx([expected], abs=0.01)
    expect(page.locator("#if-formula")).to_contain_text("÷ 201.5 × $61,234.50")
    page.reload()  # what was typed is in the address
    expect(page.locator("#if-hard")).to_have_value("201.5")
    expect(page.locator("#if-profit")).to_have_text(f"${expected:,.2f}")


@pytest.mark.parametrize("typed", [{"hard": 0}, {"price": -1}, {"kwh": ""}])
def test_what_is_no_figure_gives_none(visitor: Visitor, typed: dict[str, float]) -> None:
    page = visitor.open(page_of(people.LARGEST))
    type_in(page, **typed)

    expect(page.locator("#if-profit")).to_have_text("–")
    expect(page.locator("#if-formula")).to_contain_text("Enter figures")
    expect(page.locator(f"#if-{next(iter(typed))}")).to_have_attribute("aria-invalid", "true")


def test_where_nothing_earns_there_is_no_what_if(visitor: Visitor) -> None:
    expect(visitor.open(page_of(people.SOLD)).locator("#whatif")).to_be_hidden()


PLACE = {"model": "Antminer S21", "location": "Texas", "rack_position": "A-7"}
LOW = PLACE | {"hashrate": 90, "reference": 200, "percent": 45.0, "temperature": 81.5}
PERFORMANCE = {
    "as_of": "2026-11-28T11:00:00Z",
    "miners_count": 40,
    "hashrate": {
        "actual": 5123.2,
        "reference": 6000,
        "percent": 85.4,
        "low": 7,
        "lowest": [LOW | {"id": number, "name": f"SN-{number}"} for number in range(7)],
    },
    "by_model": [{"model": "Antminer S21", "active_miners": 15, "percent": 78.2, "low": 7}],
    "temperature": {"average": 61.3, "highest": 83.0},
    "reject_rate": {"average": 0.42, "highest": 2.1},
    "silent": {"count": 1, "watched": 36, "longest": [PLACE | {"id": 9, "name": "SN-9", "since": None}]},
    "last_30_days": {
        "uptime_percent": 97.32,
        "energy_kwh": 81234.5,
        "days": [{"day": f"2026-11-{day}", "uptime_percent": 90 + day % 9} for day in range(10, 28)],
    },
}


def test_performance_shows_where_the_collector_says_and_is_not_there_elsewhere(
    visitor: Visitor, screenshot: Callable[..., None]
) -> None:
    page = visitor.open(page_of(people.LARGEST))
    expect(page.locator("#performance")).to_be_hidden()
    page.route("**/hosting-performance*", lambda route: route.fulfill(json={"success": True, "data": PERFORMANCE}))
    page.reload()
    settled(page)

    part = page.locator("#performance")
    assert exact(page, "#performance .facts data") == [85.4, 61.3, 0.42, 1, 97.32]
    expect(part).to_contain_text("5.12 PH/s / 6.00 PH/s")
    expect(part).to_contain_text("Antminer S21 · Texas · A-7")
    expect(part).to_contain_text("never")
    expect(part.locator(".ranked").first.locator("li")).to_have_count(5)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        assert violations(page) == []
    screenshot(page, "customer-performance")
