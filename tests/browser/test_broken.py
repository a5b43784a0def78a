"""Servers that fail and sessions that end in the middle of something: nothing is lost, and what to do is said."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from local.people import ADMIN
from tests.browser import people
from tests.browser.conftest import Visitor, settled

OVERVIEW, RUNS, LINKS = "/crm/hosting", "/crm/hosting/runs", "/crm/hosting/links"
FLEET = f"/crm/hosting/customer/{people.MANY}"
BROKEN: dict[str, Any] = {"success": False, "error": "Internal error, reference abc-123"}
SAID = "reference abc-123"


@contextmanager
def broken(page: Page, path: str, status: int = 500) -> Iterator[None]:
    """Meanwhile that path is answered with that status."""

    def answer(route: Route) -> None:
        route.fulfill(status=status, json=BROKEN)

    page.route(path, answer)
    yield
    page.unroute(path, answer)


def held(page: Page, path: str, times: int | None = None) -> list[Route]:
    """Where what is asked of that path from now on waits for its answer."""
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    page.route(path, hold, times=times)
    return waiting


@pytest.fixture
def expected(visitor: Visitor) -> Iterator[Visitor]:
    """A visitor whose browser may note that an answer was a failure, but no error of the page's own."""
    yield visitor
    own = [one for one in visitor.complaints if not one.startswith("Failed to load resource")]
    visitor.complaints[:] = own


@pytest.mark.parametrize(
    ("path", "part", "then"),
    [
        ("**/sync-status*", "health", "Last sync"),
        ("**/hosting/attention*", "attention", "since"),
        ("**/hosting/customers?*", "customers", "Customers shown"),
    ],
)
def test_what_several_parts_ask_for_is_asked_anew_when_one_tries_again(
    expected: Visitor, path: str, part: str, then: str
) -> None:
    page = expected.open(OVERVIEW, ADMIN.id, wait=False)
    with broken(page, path):
        page.reload()
        settled(page)
        expect(page.locator(f"#{part} > .failure")).to_contain_text(SAID)
        expect(page.locator("#more")).to_be_visible(visible=part != "customers")
    page.locator(f"#{part} > .failure button").click()
    expect(page.locator(f"#{part}")).to_contain_text(then)
    expect(page.locator(f"#{part} > .failure")).to_have_count(0)


def test_a_search_or_more_that_fails_leaves_the_page_and_its_rows(expected: Visitor) -> None:
    page = expected.open(OVERVIEW, ADMIN.id)
    with broken(page, "**/hosting/customers?*"):
        page.click("#more")
        expect(page.locator("#customers > .failure")).to_contain_text(SAID)
        page.fill("#search", "a")
        expect(page.locator("#customers > .failure")).to_contain_text(SAID)
        expect(page.locator("#list tr")).to_have_count(25)
        expect(page.locator("#tiles")).to_be_visible()


def test_runs_that_come_at_the_second_try_show_the_newest(expected: Visitor) -> None:
    page = expected.open(RUNS, ADMIN.id)
    with broken(page, "**/sync-runs?*", 503):
        page.reload()
        expect(page.locator("#list > .failure")).to_contain_text(SAID)
    page.locator("#list > .failure button").click()
    expect(page.locator("#run h2")).to_contain_text("Run ")


def test_a_dry_run_that_fails_can_be_tried_again_and_then_synced(expected: Visitor) -> None:
    page = expected.open(FLEET)
    with broken(page, "**/sync-hosting?dry_run=true*"):
        page.reload()
        expect(page.locator("#record > .failure")).to_contain_text(SAID)
    page.locator("#record > .failure button").click()
    expect(page.locator("#sync")).to_be_enabled()
    with broken(page, "**/hosting-performance*"):
        page.reload()
        expect(page.locator("#performance > .failure")).to_be_visible()


def test_a_failure_that_comes_late_says_nothing_about_what_is_shown_by_then(expected: Visitor) -> None:
    page = expected.open(RUNS, ADMIN.id)
    late = held(page, "**/sync-runs/*", times=1)
    first, second = (page.locator("#runs a").nth(at) for at in (1, 2))
    first.click()
    second.click()
    run = (page.url.partition("run=")[2]).partition("&")[0]
    expect(page.locator("#run h2")).to_have_text(f"Run {run}")
    late[0].fulfill(status=500, json=BROKEN)
    page.wait_for_timeout(100)
    expect(page.locator("#run > .failure")).to_have_count(0)


def test_two_previews_one_after_the_other_show_each_customer_once(expected: Visitor) -> None:
    page = expected.open(RUNS, ADMIN.id)
    late = held(page, "**/sync-all-hosting?*")
    change = {"customer_id": 7, "name": "Seven", "changes": {"miners_count": {"before": 1, "after": 2}}}
    answer = {
        "success": True,
        "data": {"changed": 1, "total": 1, "remaining": 0, "changes": [change]},
        "next": None,
    }
    page.click("#preview")
    expect(page.locator("#would")).to_have_text("Comparing …")
    page.go_back()
    page.go_forward()
    expect(page.locator("#would")).to_have_text("Comparing …")
    for route in late:
        route.fulfill(json=answer)
    expect(page.locator("#changed tr")).to_have_count(1)
    page.wait_for_timeout(50)
    expect(page.locator("#changed tr")).to_have_count(1)


ACTIONS: dict[str, tuple[str, int, Callable[[Page], None]]] = {
    "sync all": (OVERVIEW, ADMIN.id, lambda page: page.click("#sync")),
    "preview": (OVERVIEW, ADMIN.id, lambda page: page.click("#preview")),
    "changes": (RUNS, ADMIN.id, lambda page: page.click("#preview")),
    "another run": (RUNS, ADMIN.id, lambda page: page.locator("#runs a").nth(1).click()),
    "sync": (f"/crm/hosting/customer/{people.SYNCED}", 1, lambda page: page.click("#sync")),
    "csv": (LINKS, 1, lambda page: page.get_by_role("button", name="CSV").click()),
    "exact": (LINKS, ADMIN.id, lambda page: page.click("#preview")),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_whose_session_ends_in_the_middle_is_led_to_the_login(expected: Visitor, action: str) -> None:
    path, user, act = ACTIONS[action]
    page = expected.open(path, user)
    page.context.clear_cookies()
    act(page)

    expect(page.get_by_role("link", name="Log in to the CRM")).to_be_visible()
    expect(page.locator("#notice")).to_be_focused()


def test_a_list_that_cannot_be_saved_says_so_once_and_no_more_when_it_can(expected: Visitor) -> None:
    page = expected.open(LINKS)
    save = page.get_by_role("button", name="CSV")
    with broken(page, "**/hosting/links?*format=csv*"):
        save.click()
        expect(page.get_by_role("alert")).to_contain_text(SAID)
        save.click()
        expect(save).to_be_enabled()
        expect(page.get_by_role("alert")).to_have_count(1)
    with page.expect_download():
        save.click()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_server_that_fails_a_moment_is_no_end_of_a_run_that_is_under_way(expected: Visitor) -> None:
    page = expected.open(RUNS, ADMIN.id)
    newest = expected.get(page, "/crm/api/sync-runs?limit=1")[0]
    under_way = {"success": True, "next": None, "last": None}
    answers = [newest | {"state": "running"}, newest | {"state": "running"}, None, newest]

    def answer(route: Route) -> None:
        run = answers.pop(0) if len(answers) > 1 else answers[0]
        route.fulfill(json=under_way | {"data": [run]}) if run else route.fulfill(status=503, json=BROKEN)

    page.route("**/sync-runs?*", answer)
    page.reload()
    expect(page.locator("#progress")).to_be_visible()
    expect(page.locator("#sync-result")).to_contain_text("synced", timeout=9000)
    expect(page.locator("#progress")).to_be_hidden()


def test_a_fleet_shown_anew_before_it_was_whole_has_each_machine_once(expected: Visitor) -> None:
    page = expected.open(FLEET)
    late = held(page, "**/hosting-miners?limit=10000*", times=1)
    page.reload()
    expect(page.locator("#shown")).to_contain_text("200 batches")
    expect(page.locator("#sync")).to_be_enabled()
    page.click("#sync")
    expect(page.locator("#sync-result")).not_to_be_empty()
    expect(page.locator("#shown")).to_contain_text("of 10,000")
    late[0].continue_()
    page.wait_for_timeout(200)
    expect(page.locator("#shown")).to_contain_text("of 10,000")
