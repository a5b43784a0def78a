"""A page of another site cannot make a browser sync: with the headers that browsers really send."""

import pytest

from crm_services.base.errors import AccessDenied
from crm_services.base.settings import settings
from crm_services.http.cross_site import refuse_cross_site
from local.environment import ROOT
from local.routes import routes
from tests.support.client import Client
from tests.support.crm import Crm
from tests.support.given import PUBLIC_ORIGIN

PARTNER = "https://panel.example.net"
EVIL = "https://evil.example"

# Browsers that send Sec-Fetch-Site: Chrome 76, Firefox 90, Safari 16.4 and newer.
FROM_THE_CRM = {
    "its page's fetch": {"origin": PUBLIC_ORIGIN, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"},
    "its page's fetch, without a referrer": {"origin": "null", "sec-fetch-site": "same-origin"},
    "the user's own doing": {"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-user": "?1"},
    "its page's fetch in an older browser": {"origin": PUBLIC_ORIGIN, "referer": f"{PUBLIC_ORIGIN}/crm/customers/1"},
    "no browser": {},
}
FROM_ELSEWHERE = {
    "a form": {"origin": EVIL, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
    "a fetch": {"origin": EVIL, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    "a form of a page without referrer": {"origin": "null", "sec-fetch-site": "cross-site"},
    "a sandboxed frame": {"origin": "null", "sec-fetch-site": "cross-site", "sec-fetch-dest": "iframe"},
    "a sibling of the CRM's domain": {"origin": "https://blog.example.com", "sec-fetch-site": "same-site"},
    "the CRM's host over http": {"origin": "http://crm.example.com", "sec-fetch-site": "cross-site"},
    "a browser that says it without an origin": {"sec-fetch-site": "cross-site"},
    "a form in an older browser": {"origin": EVIL, "referer": f"{EVIL}/"},
    "a sandboxed frame in an older browser": {"origin": "null"},
    "the CRM's host over http in an older browser": {"origin": "http://crm.example.com"},
    "another port": {"origin": f"{PUBLIC_ORIGIN}:8443"},
    "a longer host": {"origin": f"{PUBLIC_ORIGIN}.evil.example"},
    "a host that ends alike": {"origin": "https://evilcrm.example.com"},
    "an origin and another": {"origin": f"{PUBLIC_ORIGIN},{EVIL}"},
    "an origin of none": {"origin": ""},
    "a claim and another": {"origin": EVIL, "sec-fetch-site": "same-origin,cross-site"},
    "a claim that no browser writes": {"origin": PUBLIC_ORIGIN, "sec-fetch-site": "Same-Origin"},
    "an empty claim": {"origin": PUBLIC_ORIGIN, "sec-fetch-site": ""},
    "a partner": {"origin": PARTNER, "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"},
}


def is_refused(headers: dict[str, str]) -> bool:
    try:
        refuse_cross_site(headers, settings())
    except AccessDenied:
        return True
    return False


def test_what_the_crm_itself_sends_is_let_through(environment: pytest.MonkeyPatch) -> None:
    assert [name for name, headers in FROM_THE_CRM.items() if is_refused(headers)] == []


def test_what_comes_from_elsewhere_is_refused(environment: pytest.MonkeyPatch) -> None:
    assert [name for name, headers in FROM_ELSEWHERE.items() if not is_refused(headers)] == []


def test_an_origin_on_the_allow_list_is_let_through_and_no_other_with_it(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ALLOWED_ORIGINS", f"{PARTNER},https://other.example.net")

    assert [name for name, headers in FROM_ELSEWHERE.items() if not is_refused(headers)] == ["a partner"]
    assert not is_refused({"origin": PARTNER})
    assert not is_refused({"origin": "https://other.example.net", "sec-fetch-site": "cross-site"})


def test_without_a_public_origin_only_the_browsers_own_word_counts(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PUBLIC_ORIGIN", "")

    assert not is_refused(FROM_THE_CRM["its page's fetch"])
    assert is_refused(FROM_THE_CRM["its page's fetch in an older browser"])
    assert [name for name, headers in FROM_ELSEWHERE.items() if not is_refused(headers)] == []


def test_no_post_does_anything_for_a_page_of_another_site(client: Client, crm: Crm) -> None:
    admin = crm.account(role="admin")
    crm.snapshot()
    customer = crm.linked_customer(admin)
    posts = [route for route in routes(ROOT / "template.yaml") if route.method != "GET"]
    assert len(posts) >= 2

    for route in posts:
        path = route.path.replace("{customer_id}", str(customer))
        for headers in (FROM_ELSEWHERE["a form"], FROM_ELSEWHERE["a sibling of the CRM's domain"]):
            for user in (admin, None):
                answer = client.ask(route.method, path, user, headers)
                assert (answer.status_code, answer.json) == (403, {"success": False, "error": "拒绝跨站请求"})
        assert crm.row(customer)["hosting_synced_at"] is None
        assert crm.db.run("select count(*) from crm_hosting.runs") == [[0]]
    for route in posts:
        path = route.path.replace("{customer_id}", str(customer))
        path += "?account_id=1" if route.method == "PUT" else ""
        assert client.ask(route.method, path, admin, FROM_THE_CRM["its page's fetch"]).status_code == 200


def test_what_a_page_of_another_site_reads_the_browser_keeps_from_it(client: Client, crm: Crm) -> None:
    admin = crm.account(role="admin")

    answer = client.get("/crm/api/sync-status", admin, **FROM_ELSEWHERE["a fetch"])

    assert answer.status_code == 200
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert [name for name in dict(answer.headers) if name.lower().startswith("access-control")] == []
