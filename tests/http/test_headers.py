"""The headers that every answer has, good or bad: each route of the template, with all that can become of it."""

from collections import defaultdict
from typing import Any

from local.environment import ROOT
from local.routes import Route, routes
from tests.project.test_privileges import WITHOUT_DATA
from tests.support.client import Client, path_of
from tests.support.crm import Crm

ALWAYS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
PRIVATE = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
ROUTES = routes(ROOT / "template.yaml")


def test_every_answer_of_every_function_has_what_is_promised(client: Client, crm: Crm) -> None:
    admin = crm.account(role="admin")
    guest = crm.account(role="guest")
    crm.snapshot()
    customer = crm.linked_customer(admin)
    outcomes: dict[str, set[int]] = defaultdict(set)

    def check(route: Route, answer: Any) -> None:
        outcomes[route.key].add(answer.status_code)
        headers = answer.headers
        promised = ALWAYS | (PRIVATE if answer.status_code != 200 or route.function not in WITHOUT_DATA else {})
        assert {name: headers.getlist(name) for name in promised} == {name: [text] for name, text in promised.items()}
        assert len(headers.getlist("Cache-Control")) == len(headers.getlist("Content-Security-Policy")) == 1
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")
        assert "frame-ancestors " in headers["Content-Security-Policy"]
        assert headers["Vary"]
        if not headers["Cache-Control"].startswith("public"):
            assert {"Cookie", "Accept-Language"} <= set(headers["Vary"].split(", "))
        if answer.status_code != 200 or route.function not in WITHOUT_DATA:
            assert headers["Content-Type"].startswith("application/json")
            assert answer.json is None or answer.json["success"] is (answer.status_code < 300)
        assert not {"Set-Cookie", "Server", "Strict-Transport-Security"} & set(headers.keys())

    def walk() -> None:
        for route in ROUTES:
            for path in (path_of(route, customer), path_of(route, 0), path_of(route, customer) + "?limit=0&include=no"):
                for asked in ({}, {"Accept-Encoding": "gzip"}, {"Sec-Fetch-Site": "cross-site"}):
                    for user in (admin, guest, None):
                        check(route, client.ask(route.method, path, user, asked))

    walk()
    crm.db.run("alter table user_access rename to hidden")  # a function that names it fails
    walk()
    assert set().union(*outcomes.values()) >= {200, 400, 401, 403, 404, 500}
    for route in ROUTES:
        if route.function not in WITHOUT_DATA:
            assert outcomes[route.key] >= {401, 500}, route
    assert outcomes["GET /crm/hosting/assets/{version}/{file}"] == {404}


def test_an_unreachable_database_is_no_exception(client: Client, crm: Crm, environment: Any) -> None:
    admin = crm.account(role="admin")
    environment.setenv("DATABASE_URL", "postgresql://crm_hosting@/crm?host=/nowhere")
    for route in ROUTES:
        if route.function not in WITHOUT_DATA:
            answer = client.ask(route.method, path_of(route, 1), admin)
            assert answer.status_code == 503
            assert {name: answer.headers[name] for name in ALWAYS | PRIVATE} == ALWAYS | PRIVATE


def test_what_holds_no_data_says_how_long_it_may_be_kept(client: Client) -> None:
    page = client.get("/crm/hosting")
    version = page.get_data(as_text=True).partition("/crm/hosting/assets/")[2].partition("/")[0]
    kept = {
        path: client.get(path).headers["Cache-Control"]
        for path in (
            "/crm/hosting",
            "/crm/hosting/customer/1",
            f"/crm/hosting/assets/{version}/panel.css",
            "/crm/hosting/assets/other/panel.css",
            f"/crm/hosting/assets/{version}/none.css",
            "/crm/api/hosting/docs",
            "/crm/api/hosting/openapi.json",
        )
    }

    assert list(kept.values()) == [
        "private, no-store",
        "private, no-store",
        "public, max-age=31536000, immutable",
        "private, no-store",
        "private, no-store",
        "public, max-age=300",
        "public, max-age=300",
    ]
    for path, cached in kept.items():
        vary = set(client.get(path).headers["Vary"].split(", "))
        assert (vary == {"Accept-Encoding"}) is cached.startswith("public"), path
