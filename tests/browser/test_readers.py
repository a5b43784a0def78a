"""Readers who space their text, have colours of their own, or wait for a server that hangs."""

from playwright.sync_api import Route, expect

from tests.browser import people
from tests.browser.conftest import Visitor, settled

OVERVIEW, LINKS = "/crm/hosting", "/crm/hosting/links"
PAGES = [OVERVIEW, LINKS, "/crm/hosting/runs", f"/crm/hosting/customer/{people.LARGEST}"]
# What WCAG 1.4.12 says that a reader may set.
SPACED = """
() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }
    p { margin-bottom: 2em !important }`);
  document.adoptedStyleSheets = [sheet];
}
"""


def test_text_that_a_reader_spaces_stays_on_a_narrow_page(visitor: Visitor) -> None:
    page = visitor.open(PAGES[0], width=320)
    for path in PAGES:
        page.goto(visitor.server + path)
        settled(page)
        page.evaluate(SPACED)
        assert page.evaluate("document.documentElement.scrollWidth") == 320, path


def test_what_is_chosen_is_seen_in_a_readers_own_colours(visitor: Visitor) -> None:
    page = visitor.open(LINKS, forced_colors="active")
    style = "one => getComputedStyle(one).outlineStyle"
    assert page.locator("#states [aria-pressed=true]").evaluate(style) == "solid"
    assert page.locator("#states [aria-pressed=false]").first.evaluate(style) == "none"
    assert page.locator(".pages [aria-current]").evaluate(style) == "solid"


def test_a_part_that_is_never_answered_does_not_hide_the_others_for_good(visitor: Visitor) -> None:
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    page = visitor.open(LINKS)
    page.route("**/sync-status*", hold)
    page.goto(visitor.server + OVERVIEW)
    expect(page.locator("#worst li").first).to_be_attached()
    page.evaluate("document.getAnimations().forEach((one) => one.effect.getTiming().iterations === 1 && one.finish())")
    expect(page.locator("#worst li").first).to_be_visible()
    expect(page.locator("#list tr").first).to_be_visible()
    for route in waiting:
        route.continue_()
    settled(page)
