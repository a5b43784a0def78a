"""Addresses that nobody meant: each shows what is nearest, or says what is wrong with it."""

import pytest
from playwright.sync_api import expect

from local.people import ADMIN
from tests.browser import people
from tests.browser.conftest import Visitor

OVERVIEW, RUNS, LINKS = "/crm/hosting", "/crm/hosting/runs", "/crm/hosting/links"
FLEET = f"/crm/hosting/customer/{people.MANY}"


@pytest.mark.parametrize(
    ("address", "shown", "words"),
    [
        (f"{OVERVIEW}?rows=30.5&worst=x&finding=x&lang=fr&theme=x", "#shown", "Customers shown: 30"),
        (f"{OVERVIEW}?rows=-5", "#shown", "Customers shown: 25"),
        (f"{RUNS}?run=0", "#run h2", "Run "),
        (f"{RUNS}?run=-1", "#run h2", "Run "),
        (f"{RUNS}?run=x&preview=no", "#run h2", "Run "),
        (f"{LINKS}?state=x", "#shown", "Customers on this page"),
        (f"{FLEET}?page=1.5&sort=x&status=x", "#shown", "Batches"),
        (f"{FLEET}?page=-3", "#shown", "Batches 1–25 of 10,000"),
    ],
)
def test_nonsense_shows_what_is_nearest(visitor: Visitor, address: str, shown: str, words: str) -> None:
    page = visitor.open(address, ADMIN.id)
    expect(page.locator(shown)).to_contain_text(words)
    expect(page.locator(".failure")).to_have_count(0)


def test_a_page_beyond_the_last_is_the_last_and_goes_back_from_there(visitor: Visitor) -> None:
    page = visitor.open(f"{FLEET}?page=999")
    expect(page.locator("#shown")).to_have_text("Batches 9,976–10,000 of 10,000")
    page.locator("#previous").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#shown")).to_have_text("Batches 9,951–9,975 of 10,000")
    page.locator("#next").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#next")).to_be_disabled()
    expect(page.locator("#previous")).to_be_focused()


def test_a_run_that_there_is_not_says_so_and_shows_no_other(visitor: Visitor) -> None:
    page = visitor.open(RUNS, ADMIN.id)
    page.evaluate("history.replaceState(null, '', '?run=999999999999')")
    page.evaluate("dispatchEvent(new PopStateEvent('popstate'))")
    expect(page.locator("#run > .failure")).to_be_visible()
    expect(page.locator("#run h2")).to_have_count(0)
    visitor.complaints.clear()


def test_more_and_what_follows_keep_the_focus(visitor: Visitor) -> None:
    page = visitor.open(OVERVIEW, ADMIN.id)
    page.locator("#more").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#list tr")).to_have_count(50)
    expect(page.locator("#more")).to_be_focused()
    page.goto(f"{visitor.server}{LINKS}?state=all")
    page.locator("#next").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#first")).to_be_visible()
    page.locator("#first").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#first")).to_be_hidden()
    expect(page.locator("#list > li").first).to_be_focused()
