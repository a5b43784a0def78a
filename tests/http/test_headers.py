"""The headers that every answer has, good or bad."""

from typing import Any

from local.environment import ROOT
from local.routes import routes
from tests.project.test_privileges import WITHOUT_DATA
from tests.support.client import Client, path_of
from tests.support.crm import Crm

ALWAYS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def test_every_answer_is_private_and_does_nothing_but_be_read(client: Client, crm: Crm) -> None:
    admin = crm.account(role="admin")
    customer = crm.linked_customer(admin)
    seen: dict[int, int] = {}

    def check(answer: Any) -> None:
        seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
        headers = answer.headers
        assert {name: headers.getlist(name) for name in ALWAYS} == {name: [text] for name, text in ALWAYS.items()}
        assert headers["Content-Type"].startswith("application/json")
        assert {"Cookie", "Accept-Language", "Origin"} <= set(headers["Vary"].split(", "))
        assert "Set-Cookie" not in headers
        assert "Server" not in headers

    for route in routes(ROOT / "template.yaml"):
        if route.function in WITHOUT_DATA:
            continue
        path = path_of(route, customer)
        check(client.ask(route.method, path, admin))
        check(client.ask(route.method, path))
        check(client.ask(route.method, path, crm.account(role="guest")))
        check(client.ask(route.method, path_of(route, 0), admin))
        check(client.ask(route.method, f"{path}?limit=0&status=no", admin))
    crm.db.run("drop table crm_hosting.runs cascade")
    check(client.get("/crm/api/sync-status", admin))
    assert set(seen) == {200, 400, 401, 403, 404, 500}
