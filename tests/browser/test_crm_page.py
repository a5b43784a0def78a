"""The CRM's own customer page, unchanged: its calls through the proxy that stands before both, in a real browser."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.wrappers import Response

from crm_services.base.settings import settings
from local.cookies import session_cookie
from tests.support.crm import Crm
from tests.support.given import SECRET
from tests.support.nginx import NGINX, fronted

pytestmark = pytest.mark.skipif(not NGINX, reason="nginx is not installed")

PAGE = Path(__file__).with_name("crm_page.html").read_text(encoding="utf-8")
Open = Callable[..., Page]


def the_crm(environ: dict[str, Any], start_response: Any) -> Any:
    return Response(PAGE, content_type="text/html; charset=utf-8")(environ, start_response)


@pytest.fixture
def look(environment: pytest.MonkeyPatch, chromium: Browser, tmp_path: Path) -> Iterator[Open]:
    """Open the page of a customer, in a browser of that language with a session of the other; no error is tolerated."""
    complaints: list[str] = []
    with fronted(the_crm, tmp_path) as port:
        origin = f"http://127.0.0.1:{port}"
        environment.setenv("PUBLIC_ORIGIN", origin)
        settings.cache_clear()
        contexts = []

        def opened(customer: int, user: int, language: str, browser: str) -> Page:
            context = chromium.new_context(locale=browser)
            contexts.append(context)
            value = session_cookie(SECRET, user, language=language)
            context.add_cookies([{"name": "session", "value": value, "url": origin}])
            page = context.new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(f"{origin}/crm/customer/{customer}")
            expect(page.locator("#maintenance_miners")).not_to_be_empty()
            return page

        yield opened
        for context in contexts:
            context.close()
    assert complaints == []


def shown(page: Page) -> dict[str, str]:
    return {str(node.get_attribute("id")): node.inner_text() for node in page.locator("dd").all()}


def test_figures_and_table_are_filled_and_the_button_speaks_the_session_s_language(crm: Crm, look: Open) -> None:
    owner = crm.account(role="mining_site_owner")
    crm.snapshot()
    account = crm.account("fleet@example.com", created_by_id=owner)
    customer = crm.customer("Fleet@example.com", owner)
    crm.miners(
        account, quantity=1_199, status="offline", location="Hall 7", custom_name="Rack 1", created_at="2020-01-01"
    )
    for number in range(200):
        crm.miners(account, quantity=5, status="active", created_at=f"2021-01-01 00:{number // 60:02}:{number % 60:02}")

    page = look(customer, owner, "zh", "en-US")

    figures = shown(page)
    assert figures["has_hosting"] == "yes"
    assert (figures["miners_count"], figures["active_miners"]) == ("2,199", "1,000")
    assert (figures["offline_miners"], figures["maintenance_miners"]) == ("1,199", "0")
    assert figures["total_power_mw"] == "6.597"
    assert figures["total_hashrate"] == "219900.0"
    assert float(figures["estimated_daily_btc"]) > 0
    rows = page.locator("#miners tr")
    expect(rows).to_have_count(200)  # the newest; the rack of 2020 is the one beyond
    expect(rows.first).to_have_text("Antminer S21Antminer S215active-15000500.0")

    page.click("#sync")
    expect(page.locator("#told")).to_have_text("托管数据同步成功")
    assert crm.row(customer)["miners_count"] == 2_199


def test_an_unlinked_customer_breaks_nothing_and_the_button_says_why(crm: Crm, look: Open) -> None:
    owner = crm.account(role="mining_site_owner")
    crm.snapshot()

    page = look(crm.customer(None, owner), owner, "en", "zh-CN")

    figures = shown(page)
    assert figures.pop("has_hosting") == "no"
    assert {float(figure) for figure in figures.values()} == {0}
    expect(page.locator("#miners")).to_have_text("no assets")
    page.click("#sync")
    expect(page.locator("#told")).to_have_text("No linked hosting account, or it has no miners")


def test_without_a_market_the_figures_are_numbers_all_the_same(crm: Crm, look: Open) -> None:
    owner = crm.account(role="mining_site_owner")
    customer = crm.linked_customer(owner, quantity=3, status="active")

    figures = shown(look(customer, owner, "zh", "en-US"))

    assert (figures["miners_count"], figures["estimated_daily_btc"]) == ("3", "0.00000000")
    assert float(figures["net_profit_daily"]) <= 0


def test_the_documents_page_shows_every_endpoint_and_asks_it(chromium: Browser, crm: Crm, look: Open) -> None:
    admin = crm.account(role="admin")
    crm.snapshot()
    customer = crm.linked_customer(admin, quantity=7)
    page = look(customer, admin, "en", "en-US")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))

    page.goto(page.url.partition("/crm/")[0] + "/crm/api/hosting/docs#hosting_stats")

    operation = page.locator("#hosting_stats")
    expect(operation).to_have_attribute("open", "")
    assert page.locator(".operation").count() >= 10
    operation.locator("input[name=customer_id]").fill(str(customer))
    operation.locator("select[name=include]").select_option("")
    operation.get_by_role("button").click()
    expect(operation.locator("[role=status]")).to_contain_text('"miners_count": 7')
    expect(operation.locator("[role=status]")).to_contain_text("200 /crm/api/customer")
    operation.locator("summary", has_text="200").click()
    expect(operation).to_contain_text("avg_efficiency")
    sync = page.locator("#sync_hosting")
    sync.locator("summary").first.click()
    sync.locator("input[name=customer_id]").fill(str(customer))
    sync.get_by_role("button").click()
    expect(sync.locator("[role=status]")).to_contain_text("Hosting data synchronised")
    assert said == []
