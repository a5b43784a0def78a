"""What the pages show when there is nothing to show, and how they look: each state with a picture and an axe."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect

import panel
from local.environment import ROOT
from tests.browser import people
from tests.browser.conftest import SCREENSHOTS, Visitor, settled

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
OVERVIEW, LINKS = "/crm/hosting", "/crm/hosting/links"
RULES = """
(text) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  // A property of one's own is not read: its text is as it is written.
  return [...sheet.cssRules].map((rule) => rule.cssText.replaceAll(", ", ","));
}
"""
# What lies over the element with the focus.
HIDDEN = """
() => {
  const focused = document.activeElement;
  const { left, right, top, bottom } = focused.getBoundingClientRect();
  const over = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  return focused.contains(over) ? "" : `${focused.textContent} is below ${over.textContent}`;
}
"""
WIDTHS = [320, 480, 720, 900, 1280, 1800, 2560]


def customer(id_: int) -> str:
    return f"/crm/hosting/customer/{id_}"


STATES = {
    "customer": (customer(people.LARGEST), 1, "ready", "Net profit a day"),
    "loss": (customer(people.LOSING), 1, "ready", "Net loss a day"),
    "sold": (customer(people.SOLD), 1, "ready", "No machines that count"),
    "many": (customer(people.MANY), 1, "ready", "of 10,000"),
    "unlinked": (customer(people.UNMATCHED), 1, "unlinked", "Compare the spelling"),
    "without-email": (customer(people.WITHOUT_EMAIL), 1, "unlinked", "has no e-mail address"),
    "empty": (customer(people.EMPTY), 1, "empty", "Once it has machines"),
    "strangers": (customer(people.STRANGERS), 1, "forbidden", "belongs to another mine owner"),
    "missing": (customer(people.NOBODY), 1, "missing", "There is no such customer"),
    "no-number": ("/crm/hosting/customer/%3Cb%3E", 1, "missing", "There is no such customer"),
    "expired": (customer(people.LARGEST), None, "expired", "Log in to the CRM again"),
    "overview": (OVERVIEW, 1, "ready", "Customers by profit"),
    "overview-expired": (OVERVIEW, None, "expired", "Log in to the CRM again"),
    "overview-guest": (OVERVIEW, people.GUEST, "forbidden", "your role may not view"),
    "overview-one": (OVERVIEW, people.OPERATOR, "ready", "Customers shown: 1"),
    "links": (LINKS, 1, "ready", "One slip of the keyboard away"),
    "links-one": (f"{LINKS}?state=linked", people.OPERATOR, "ready", "The e-mail addresses match"),
    "links-empty": (
        f"{LINKS}?state=all",
        people.LONELY_OWNER,
        "no_customers",
        "Customers that you create in the CRM show up here.",
    ),
    "links-all-well": (LINKS, people.OPERATOR, "ready", "Every customer is linked."),
    "links-expired": (LINKS, None, "expired", "it goes on where it was"),
    "overview-empty": (OVERVIEW, people.LONELY_OWNER, "no_customers", "Customers that you create in the CRM"),
}


def violations(page: Page) -> list[str]:
    """What axe finds, by rule and element."""
    page.evaluate(AXE)
    # Of WCAG 2.2 the rule that axe leaves to whoever asks for it.
    options = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
    found = page.evaluate("options => axe.run(options)", options)["violations"]
    return [f"{one['id']}: {one['help']} {[node['target'] for node in one['nodes']]}" for one in found]


def only_refusals(complaints: list[str]) -> bool:
    """Whether the console has nothing but the browser's own note that an answer was a refusal; forgets them."""
    found = all(
        one.startswith("Failed to load resource: the server responded with a status of 40") for one in complaints
    )
    complaints.clear()
    return found


@pytest.mark.parametrize("name", STATES)
def test_each_state_is_designed_and_accessible_in_light_and_dark(
    visitor: Visitor, screenshot: Callable[..., None], name: str
) -> None:
    path, user, state, words = STATES[name]
    page = visitor.open(path, user)

    assert page.evaluate("document.body.dataset.state") == state
    expect(page.locator("main")).to_contain_text(words)
    assert page.locator("h1").inner_text().strip()
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        assert violations(page) == []
        screenshot(page, f"{name}-{theme}")
    assert state == "ready" or only_refusals(visitor.complaints)


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
@pytest.mark.parametrize("path", [OVERVIEW, LINKS, customer(people.LARGEST), customer(people.UNMATCHED)])
def test_nothing_sticks_out_at_any_width(
    visitor: Visitor, screenshot: Callable[..., None], path: str, language: str
) -> None:
    page = visitor.open(path, language=language)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
        beyond = page.evaluate("""() => [...document.querySelectorAll("main *")]
          .filter((node) => node.getClientRects().length && node.getBoundingClientRect().right > innerWidth + 1)
          .map((node) => node.outerHTML.slice(0, 80))""")
        assert beyond == [], width
        screenshot(page, f"{path.removeprefix('/crm/').replace('/', '-')}-{language[:2]}-{width}")


def test_a_narrow_page_is_accessible_too(visitor: Visitor) -> None:
    for path in (OVERVIEW, LINKS, customer(people.LARGEST)):
        assert violations(visitor.open(path, width=390, language="zh-CN", color_scheme="dark")) == []


def test_what_loads_says_so_without_a_jump_of_the_layout(visitor: Visitor, screenshot: Callable[..., None]) -> None:
    page = visitor.open("/crm/hosting", user=1)
    page.route("**/crm/api/**", lambda _route: None)  # never answered
    page.goto(visitor.server + customer(people.LARGEST))
    expect(page.locator("h2").first).not_to_be_empty()

    assert page.evaluate("document.body.dataset.state") == "loading"
    assert page.locator("#net_profit_daily").bounding_box()["height"] > 10  # type: ignore[index]
    assert violations(page) == []
    screenshot(page, "loading", full_page=False)


@pytest.mark.parametrize("path", [OVERVIEW, customer(people.LARGEST)])
def test_a_server_that_cannot_be_reached_can_be_tried_again(
    visitor: Visitor, screenshot: Callable[..., None], path: str
) -> None:
    page = visitor.open(path)
    page.route("**/crm/api/**", lambda route: route.abort())
    page.reload()

    expect(page.locator("#notice")).to_contain_text("The server cannot be reached.")
    assert violations(page) == []
    screenshot(page, f"error-{'overview' if path == OVERVIEW else 'customer'}")
    page.unroute("**/crm/api/**")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("body")).to_have_attribute("data-state", "ready")
    assert all("net::ERR_FAILED" in one for one in visitor.complaints)
    visitor.complaints.clear()


def test_an_internal_error_gives_its_reference(visitor: Visitor) -> None:
    page = visitor.open(OVERVIEW)
    broken = {"success": False, "error": "Internal error, reference abc-123"}
    page.route("**/hosting/links?*", lambda route: route.fulfill(status=500, json=broken))
    page.goto(visitor.server + LINKS)

    expect(page.locator("#decide .failure")).to_contain_text("reference abc-123")
    assert visitor.complaints
    visitor.complaints.clear()


def test_a_session_that_expires_while_the_page_is_open_shows_at_the_next_step(visitor: Visitor) -> None:
    page = visitor.open(OVERVIEW)
    page.context.clear_cookies()
    page.click("#more")

    expect(page.locator("#notice")).to_contain_text("Your session has expired")
    expect(page.locator("#list")).to_be_hidden()
    assert only_refusals(visitor.complaints)


def test_whoever_signs_in_again_finds_the_page_as_it_was_left(visitor: Visitor) -> None:
    page = visitor.open(f"{OVERVIEW}?q=ten")
    kept = page.context.cookies()
    page.context.clear_cookies()
    page.reload()
    link = page.get_by_role("link", name="Log in to the CRM")
    assert [link.get_attribute(name) for name in ("href", "target")] == ["/", "_blank"]
    # Back from the other tab, without and then with a session.
    come_back = "document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(come_back)
    expect(page.locator("#notice")).to_be_visible()
    page.context.add_cookies(kept)  # type: ignore[arg-type]
    page.evaluate(come_back)
    expect(page.locator("#list tr")).to_have_count(1)
    expect(page.locator("#search")).to_have_value("ten")
    assert only_refusals(visitor.complaints)


def test_a_part_that_fails_says_so_in_its_place_and_can_be_tried_again(visitor: Visitor) -> None:
    page = visitor.open(OVERVIEW)
    broken = {"success": False, "error": "Internal error, reference abc-123"}
    page.route("**/hosting/history*", lambda route: route.fulfill(status=500, json=broken))
    page.reload()
    settled(page)

    expect(page.locator("#tiles .failure")).to_contain_text("reference abc-123")
    expect(page.locator("#worst li").first).to_be_visible()
    assert violations(page) == []
    page.unroute("**/hosting/history*")
    page.locator("#tiles .failure button").click()
    expect(page.locator("#hashrate path.stroke")).to_have_count(1)
    expect(page.locator("#tiles .failure")).to_have_count(0)
    visitor.complaints.clear()


@pytest.mark.parametrize(
    ("reader", "zone", "figure", "hour"),
    [("de-DE", "Asia/Tokyo", "100.000", "12:00"), ("en-IN", "UTC", "1,00,000", "3:00")],
)
def test_figures_and_hours_are_the_readers_and_a_hundred_thousand_customers_are_a_page(
    visitor: Visitor, reader: str, zone: str, figure: str, hour: str
) -> None:
    page = visitor.open(f"{OVERVIEW}?lang=en", language=reader, timezone_id=zone)
    many: dict[str, Any] = {"total_customers": 130_000, "linked_customers": 30_000, "unlinked_customers": 100_000}
    many |= {"link_rate": 23.08, "last_sync": None, "sync_health": "healthy", "issues": []}
    last = {"ended_at": "2026-01-02T03:00:00Z", "errors": 0, "is_over_everybody": True}
    page.route("**/sync-status*", lambda route: route.fulfill(json={"success": True, "data": many}))
    page.route(
        "**/sync-runs?*", lambda route: route.fulfill(json={"success": True, "data": [], "next": None, "last": last})
    )
    page.reload()
    settled(page)

    expect(page.locator("#unlinked")).to_have_text(f"{figure} not linked")
    expect(page.locator("#last_sync")).to_contain_text(hour)
    expect(page.locator("#list tr")).to_have_count(25)


def test_the_keyboard_reaches_everything_and_the_focus_is_seen(visitor: Visitor) -> None:
    page = visitor.open(customer(people.LARGEST))
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.locator("#filter [data-status=sold]").focus()
    page.keyboard.press("Enter")

    expect(page.locator("#filter [data-status=sold]")).to_be_focused()
    expect(page.locator("#filter [data-status=sold]")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Tab")
    expect(page.locator("#search")).to_be_focused()
    assert page.locator("#search").evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
    page.locator("#columns [data-key=power] button").focus()
    page.keyboard.press("Space")
    expect(page.locator("#columns [data-key=power]")).to_have_attribute("aria-sort", "descending")


def test_motion_stops_for_whoever_asks(visitor: Visitor) -> None:
    page = visitor.open(OVERVIEW, reduced_motion="reduce")

    assert page.evaluate("document.getAnimations().length") == 0


def test_on_paper_the_controls_are_gone_and_the_whole_fleet_is_there(visitor: Visitor) -> None:
    page = visitor.open(customer(people.LARGEST), color_scheme="dark")
    SCREENSHOTS.mkdir(exist_ok=True)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")

    expect(page.locator("#miners tr")).to_have_count(60)
    for gone in ("#sync", "#search", ".languages", "#next"):
        expect(page.locator(gone)).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor") == "rgb(255, 255, 255)"
    page.emulate_media(media="screen")
    pdf = page.pdf(path=SCREENSHOTS / "customer.pdf", format="A4", print_background=True)
    assert pdf.startswith(b"%PDF")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator("#miners tr")).to_have_count(25)


def test_a_page_of_the_crm_frames_it_and_a_strangers_page_cannot(visitor: Visitor) -> None:
    page = visitor.open("/crm/hosting")

    def framed(host: str) -> bool:
        page.goto(f"{host}/a-page-of-the-crm")
        page.evaluate(
            "src => document.body.append(Object.assign(document.createElement('iframe'), { src }))",
            visitor.server + customer(people.LARGEST),
        )
        page.wait_for_load_state("networkidle")
        return bool(page.frames[-1].locator("#net_profit_daily").count())

    assert framed(visitor.server)
    frame = page.frames[-1]
    expect(frame.locator("#miners_count")).not_to_be_empty()
    assert frame.evaluate("document.documentElement.className") == "embedded"
    expect(frame.locator("#back")).to_be_hidden()
    assert not framed(visitor.server.replace("127.0.0.1", "localhost"))
    assert all("frame-ancestors" in one or "404" in one for one in visitor.complaints)
    visitor.complaints.clear()
    visitor.hosts = {host for host in visitor.hosts if urlsplit(host).hostname != "localhost"} & {visitor.server}


@pytest.mark.parametrize("name", ["panel.css", "parts.css"])
def test_a_style_sheet_says_the_same_without_its_blanks(visitor: Visitor, name: str) -> None:
    page = visitor.browser.new_page()
    committed = page.evaluate(RULES, (ROOT / "functions" / "panel_files" / name).read_text(encoding="utf-8"))
    sent = page.evaluate(RULES, panel.FILES[name].decode())
    page.close()

    assert len(committed) > 40
    assert sent == committed


def test_what_has_the_focus_is_never_below_the_heads_of_a_table(visitor: Visitor) -> None:
    page = visitor.open(OVERVIEW)
    page.set_viewport_size({"width": 1280, "height": 500})
    page.locator("#more").focus()
    seen = 0
    for _ in range(25):
        page.keyboard.press("Shift+Tab")
        hidden = page.evaluate(HIDDEN)
        assert hidden == ""
        seen += page.evaluate("document.activeElement.closest('tbody') !== null")
    assert seen == 25
