"""Names and figures as strangers make them: they stay what they are, and where they belong."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from local.people import ADMIN, MINE_OWNER
from tests.browser import people
from tests.browser.conftest import Visitor, settled
from tests.browser.test_states import violations

OVERVIEW, RUNS, LINKS = "/crm/hosting", "/crm/hosting/runs?preview=1", "/crm/hosting/links"
CUSTOMER = f"/crm/hosting/customer/{people.LARGEST}"
NAMES = ["<b>Bold</b>", "שלום עולם", "W" * 200, "abc\u202edef", "⛏️👨‍👩‍👧", "two\nlines", "", " "]
STICKING_OUT = """
() => [...document.querySelectorAll("main *")].filter((one) => {
  const { width, right } = one.getBoundingClientRect();
  const place = one.closest("td, li, .tile, .card")?.getBoundingClientRect().right ?? innerWidth;
  return width && !one.closest("svg, .unseen") && right > Math.min(place, document.documentElement.clientWidth) + 2;
}).slice(0, 5).map((one) => `${one.outerHTML.slice(0, 80)}`)
"""


def named(field: str, value: Any, at: int) -> Any:
    return NAMES[at % len(NAMES)] if field in {"name", "company"} and isinstance(value, str) else value


def priced(field: str, value: Any, _at: int) -> Any:
    is_money = isinstance(value, int | float) and any(part in field for part in ("usd", "profit", "cost"))
    return -1_234_567_890_123 if is_money else value


def altered(route: Route, change: Callable[[str, Any, int], Any]) -> None:
    """Answer as the server does, but for what `change` makes of each field."""
    origin = {"origin": route.request.url.partition("/crm/")[0], "sec-fetch-site": "same-origin"}
    answer = route.fetch(headers=route.request.headers | origin)
    seen = 0

    def walk(node: Any) -> Any:
        nonlocal seen
        if isinstance(node, list):
            return [walk(one) for one in node]
        if not isinstance(node, dict):
            return node
        changed = {}
        for field, value in node.items():
            changed[field] = change(field, value, seen)
            seen += changed[field] is not value
            changed[field] = walk(changed[field])
        return changed

    route.fulfill(response=answer, json=walk(answer.json()))


def loaded(page: Page) -> None:
    settled(page)
    expect(page.locator("[aria-busy=true]")).to_have_count(0)


def opened_with(visitor: Visitor, path: str, change: Callable[[str, Any, int], Any]) -> Page:
    page = visitor.open("/crm/hosting/assets/x/icon.svg", ADMIN.id if path == RUNS else MINE_OWNER.id, wait=False)
    page.route("**/crm/api/**", lambda route: altered(route, change))
    page.goto(visitor.server + path)
    loaded(page)
    return page


@pytest.mark.parametrize("change", [named, priced])
@pytest.mark.parametrize("path", [OVERVIEW, CUSTOMER, RUNS, LINKS])
def test_nothing_sticks_out_of_its_place(visitor: Visitor, path: str, change: Callable[[str, Any, int], Any]) -> None:
    page = opened_with(visitor, path, change)
    for width in (320, 390, 720, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(STICKING_OUT) == [], width


def test_a_customer_without_a_name_is_named_by_its_number(visitor: Visitor) -> None:
    page = opened_with(visitor, OVERVIEW, lambda field, value, _at: " " if field == "name" else value)
    expect(page.locator("#list a").first).to_have_text(re.compile(r"^Customer \d+$"))
    assert violations(page) == []
    page.goto(visitor.server + CUSTOMER)
    loaded(page)
    expect(page.locator("h1")).to_have_text("Customer 1")
    expect(page).to_have_title("Customer 1 · Hosting")
