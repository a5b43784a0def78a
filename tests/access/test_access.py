"""Who may do what: every role, every endpoint, every customer and every state of an account."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from werkzeug import Request
from werkzeug.test import EnvironBuilder

from crm_services.base.settings import settings
from crm_services.postgres.database import database as bundle_database
from crm_services.sync import ranges
from local.cookies import session_cookie
from local.environment import ROOT
from local.gateway import Gateway
from local.http_event import http_event
from local.lambda_context import LambdaContext
from local.postgres import Server, connect, create_database
from local.routes import routes
from tests.project.test_privileges import WITHOUT_DATA
from tests.support.client import Client, path_of
from tests.support.crm import Crm
from tests.support.given import PUBLIC_ORIGIN, SECRET

# The design's words, "Access" and spec/crm-schema, "Roles": written down again here, so that the product's table is
# checked against something that is not itself.
SEES_EVERY_CUSTOMER = ["owner", "admin", "super_admin", "tenant_owner", "tenant_admin", "developer", "finance"]
SEES_ITS_OWN = ["mining_site_owner", "mining_site", "site_manager"]
ONLY_VIEWS_ITS_OWN = ["operator", "client", "user", "customer", "api_client", "investor", "trader", "readonly"]
MAY_DO_NOTHING = ["guest", "", "Admin", " admin", "root"]
ROLES = [*SEES_EVERY_CUSTOMER, *SEES_ITS_OWN, *ONLY_VIEWS_ITS_OWN, *MAY_DO_NOTHING]

# What each route asks for. A route that is not here fails the test: whoever adds one says who may have it.
VIEW, SYNC, SYNC_ALL = "view", "sync", "sync, and see every customer"
ASKS_FOR = {
    "GET /crm/api/customer/{customer_id}/hosting-stats": VIEW,
    "GET /crm/api/customer/{customer_id}/hosting-miners": VIEW,
    "GET /crm/api/customer/{customer_id}/hosting-history": VIEW,
    "GET /crm/api/customer/{customer_id}/hosting-performance": VIEW,
    "GET /crm/api/hosting/history": VIEW,
    "GET /crm/api/hosting/changes": VIEW,
    "GET /crm/api/hosting/attention": VIEW,
    "GET /crm/api/hosting/customers": VIEW,
    "GET /crm/api/hosting/links": VIEW,
    "POST /crm/api/hosting/links/confirm": SYNC_ALL,
    "PUT /crm/api/customer/{customer_id}/hosting-link": SYNC,
    "DELETE /crm/api/customer/{customer_id}/hosting-link": SYNC,
    "GET /crm/api/sync-status": VIEW,
    "GET /crm/api/sync-runs": VIEW,
    "GET /crm/api/sync-runs/{run_id}": VIEW,
    "POST /crm/api/customer/{customer_id}/sync-hosting": SYNC,
    "POST /crm/api/sync-all-hosting": SYNC,
}

ROUTES = [route for route in routes(ROOT / "template.yaml") if route.function not in WITHOUT_DATA]

STATES: dict[str, dict[str, Any]] = {
    "active": {},
    "not yet expired": {"expires_at": "2999-01-01"},
    "inactive": {"is_active": False},
    "expired": {"expires_at": "2020-01-01"},
    "deleted": {},
}
ANOTHERS = "what belongs to another"


def expected(role: str, route: str, relation: str, state: str) -> int:
    """The status, as the design has it."""
    if state in {"inactive", "expired", "deleted"}:
        return 401
    if role in MAY_DO_NOTHING or (ASKS_FOR[route] != VIEW and role in ONLY_VIEWS_ITS_OWN):
        return 403
    if ASKS_FOR[route] == SYNC_ALL and role not in SEES_EVERY_CUSTOMER:
        return 403
    if relation in {"missing", "impossible"}:
        return 404
    if relation in {"another's", "nobody's"} and role not in SEES_EVERY_CUSTOMER:
        return 404 if "{run_id}" in route else 403  # which of others' runs there are is nobody's to know
    return 404 if route.endswith("/hosting-performance") else 200  # of machines of user_miners


@dataclass
class Company:
    """One database for the whole matrix: everybody's accounts and customers."""

    gateway: Gateway
    client: Client
    crm: Crm
    customers: dict[str, int] = field(default_factory=dict)
    runs: dict[str, int] = field(default_factory=dict)

    def account(self, role: str, state: str) -> tuple[int, int]:
        """An account, and a customer of its own that has machines."""
        account = self.crm.account(role=role, **STATES[state])
        customer = self.crm.linked_customer(account)
        if state == "deleted":
            self.crm.db.run("update crm_customers set created_by_id = null where id = :id", id=customer)
            self.crm.db.run("update user_access set created_by_id = null where created_by_id = :id", id=account)
            self.crm.db.run("delete from user_access where id = :id", id=account)
        return account, customer

    def fleet_of(self, customer: int) -> int:
        """The account that has the customer's e-mail."""
        sql = "select a.id from user_access a join crm_customers c using (email) where c.id = :id"
        return int(self.crm.db.run(sql, id=customer)[0][0])

    def run(self, tenant: int | None) -> int:
        """A run of the batch over that tenant's customers."""
        sql = (
            "insert into crm_hosting.runs (tenant_id, origin, state) values (:tenant, 'request', 'failed') returning id"
        )
        return int(self.crm.db.run(sql, tenant=tenant)[0][0])

    def synced(self) -> set[int]:
        """The customers that a sync has ever written to."""
        rows = self.crm.db.run("select id from crm_customers where hosting_synced_at is not null")
        return {row[0] for row in rows}


@pytest.fixture(scope="module")
def company(postgres: Server) -> Iterator[Company]:
    create_database(postgres, "company", template="template_crm")
    with pytest.MonkeyPatch.context() as environment, connect(postgres.url("company")) as owner:
        environment.setenv("DATABASE_URL", postgres.url("company", "crm_hosting"))
        environment.setenv("SESSION_SECRET", SECRET)
        environment.setenv("LINK_SCOPE", "any")
        environment.setenv("PUBLIC_ORIGIN", PUBLIC_ORIGIN)
        settings.cache_clear()
        crm = Crm(owner)
        crm.snapshot()
        fleet = crm.account(f"{ANOTHERS}@example.com")
        crm.miners(fleet, model=ANOTHERS, custom_name=ANOTHERS, location=ANOTHERS)
        anothers = crm.customer(
            f"{ANOTHERS}@example.com", crm.account(role="mining_site_owner"), name=ANOTHERS, company=ANOTHERS
        )
        gateway = Gateway(ROOT / "template.yaml")
        company = Company(gateway, Client(gateway, SECRET), crm)
        company.customers = {
            "another's": anothers,
            "nobody's": crm.linked_customer(),
            "missing": 2**31 - 1,
            "impossible": 0,
        }
        another = crm.account(role="mining_site_owner")
        company.runs = {"another's": company.run(another), "nobody's": company.run(None), "missing": 2**31 - 1}
        company.runs["impossible"] = 0
        yield company
    bundle_database.close()
    settings.cache_clear()
    with connect(postgres.url("postgres", "postgres")) as admin:
        admin.run("drop database company with (force)")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_gets_what_the_design_gives_it_and_no_more(company: Company, role: str) -> None:
    wrong, asked = [], 0
    for state in STATES:
        account, own = company.account(role, state)
        own_run = company.run(account)
        cookie = f"session={session_cookie(SECRET, account, role='owner')}"
        before = company.synced()
        for route in ROUTES:
            ids = company.runs | {"own": own_run} if "{run_id}" in route.path else company.customers | {"own": own}
            for relation, number in ids.items() if "{" in route.path else [("own", own)]:
                path = path_of(route, number) + (
                    f"?account_id={company.fleet_of(own)}" if route.method == "PUT" else ""
                )
                answer = company.client.ask(route.method, path, headers={"Cookie": cookie})
                asked += 1
                if answer.status_code != expected(role, route.key, relation, state):
                    wrong.append((state, route.key, relation, answer.status_code))
                assert answer.json is not None
                assert answer.json["success"] is (answer.status_code == 200)
                assert answer.status_code == 200 or set(answer.json) == {"success", "error"}
                assert role in SEES_EVERY_CUSTOMER or ANOTHERS not in answer.get_data(as_text=True)
        if role not in SEES_EVERY_CUSTOMER:  # nothing was written but to what is the account's own
            assert company.synced() - before <= ({own} if role in SEES_ITS_OWN else set())

    assert wrong == []
    assert asked == len(STATES) * sum(5 if "{" in key else 1 for key in ASKS_FOR)


def test_every_route_says_what_it_asks_for() -> None:
    assert {route.key for route in ROUTES} == set(ASKS_FOR)


def test_a_path_that_disagrees_with_its_parameters_leaks_nothing(company: Company) -> None:
    account, own = company.account("mining_site_owner", "active")
    cookie = f"session={session_cookie(SECRET, account)}"
    for route, handler in company.gateway.handlers.items():
        if "{customer_id}" in route.path and route.function not in WITHOUT_DATA:
            path = path_of(route, company.customers["another's"])
            request = Request(EnvironBuilder(path, method=route.method, headers=[("Cookie", cookie)]).get_environ())
            event = http_event(request, route.key, {"customer_id": str(own)})

            answer = handler(event, LambdaContext(route.function))

            assert ANOTHERS not in answer["body"]
            found = json.loads(answer["body"])
            assert answer["statusCode"] in {400, 403, 404} or found["data"] == [], route.key


def test_nothing_is_written_before_it_is_known_who_asks(
    client: Client, crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[object] = []
    monkeypatch.setattr(ranges, "sync_range", lambda *where: written.append(where))
    operator = crm.account(role="operator")

    answer = client.post(f"/crm/api/customer/{crm.linked_customer(operator)}/sync-hosting", operator)

    assert (answer.status_code, written) == (403, [])
