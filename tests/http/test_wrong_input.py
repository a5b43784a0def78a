"""What is not as it should be, at every route of the template: nothing of it is answered 500."""

import os
from typing import Any

import pytest
from werkzeug.test import TestResponse

from crm_services.postgres.machines import machines_view
from local.routes import Route
from tests.support.client import Client
from tests.support.conformity import DOCUMENT, ROUTES
from tests.support.crm import Crm

PRIVATE = [route for route in ROUTES if DOCUMENT["paths"][route.path][route.method.lower()]["security"]]
OF_A_CUSTOMER = [route for route in ROUTES if "{customer_id}" in route.path]
NEEDED = {"PUT /crm/api/customer/{customer_id}/hosting-link": "account_id=1"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
IDS = [
    *("0", "-1", "+1", "1.0", "1e0", "0x1", "abc", "%20", "1%20", "1%0A", "1%00", "%00", "%FF", "%ED%A0%80"),
    *("2147483648", "9223372036854775808", "9" * 40, "9" * 4301, "0" * 5000, "1,2", "1;2", "..", "%2e%2e", "%2F"),
    *("４０", "٤٠", "²", "1_000", "null", "'; drop table crm_customers; --"),
]
BODIES: list[dict[str, Any]] = [
    {"data": b"", "content_type": "application/json"},
    {"data": b"{not json", "content_type": "application/json"},
    {"data": b'[{"customer_id": -1}, null]', "content_type": "application/json; charset=latin-1"},
    {"data": b"\x00\xff\xfe\xed\xa0\x80", "content_type": "application/json"},
    {"data": os.urandom(1000), "content_type": "application/octet-stream"},
    {"data": b"[" * 1_000_000, "content_type": "application/json"},
    {"data": b"a=1&a=2&%ff=%00", "content_type": "application/x-www-form-urlencoded"},
    {"data": b"--x\r\nbroken", "content_type": "multipart/form-data; boundary=x"},
    {"data": b"--x", "content_type": "multipart/form-data"},
    {"data": b"hello", "content_type": "text/plain"},
    {"data": b"hello", "content_type": "\xff/\xff;;="},
]
QUERIES = [
    *("unknown=1", "unknown=1&unknown=2", "=", "&&&", "?", "%00=%00", "%FF=%FF", "%ED%A0%80", "a" * 8000, "x=%"),
    *("status=%00", "status=%FF", "status=a%00b", "status=", "limit=", "after=", "include=", "include=%00"),
]
HEADERS = [
    {"Accept-Language": "\xff\x00\xfe,;;;q=q=q=,en;q=1e400,zh;q=-0"},
    {"Accept-Language": "en;q=" + "9" * 5000},
    {"Accept-Language": "," * 8000},
    {"Accept-Encoding": "gzip;q=\xff"},
    {"Accept": "application/xml;q=0"},
    {"Content-Type": "\x01"},
    {"If-None-Match": "*", "Range": "bytes=9-1"},
    {"X-HTTP-Method-Override": "DELETE"},
]


@pytest.fixture
def admin(crm: Crm) -> int:
    """An account that may do everything, in a CRM whose customer 1 has a fleet, and whose batch has run once.

    The machines are the hosting module's, as only those have an answer everywhere.
    """
    crm.snapshot()
    crm.db.run(machines_view("hosting_miners"))
    crm.db.run("insert into crm_hosting.runs (origin, state, ended_at) values ('console', 'completed', now())")
    assert crm.customer("hosted@example.com") == 1
    crm.machine(crm.account("hosted@example.com"), crm.site())
    return crm.account(role="admin")


def path_of(route: Route, customer: object = 1, query: str = "") -> str:
    """The route's path and query, with what it cannot do without."""
    path = route.path.replace("{customer_id}", str(customer)).replace("{run_id}", "1")
    queries = "&".join(one for one in (NEEDED.get(route.key, ""), query) if one)
    return f"{path}?{queries}" if queries else path


def error_of(answer: TestResponse) -> str:
    """What a failure says; it says nothing else."""
    assert answer.json is not None
    assert answer.json.keys() == {"success", "error"}
    assert answer.json["success"] is False
    return str(answer.json["error"])


def test_an_id_that_no_customer_can_have_is_not_found(client: Client, admin: int) -> None:
    for route in OF_A_CUSTOMER:
        for given in IDS:
            answer = client.ask(route.method, path_of(route, given), admin)
            # An id that changes the path is met by API Gateway itself, which has a body of its own.
            assert answer.json in ({"success": False, "error": "客户不存在"}, {"message": "Not Found"}), given
            assert answer.status_code == 404, given


def test_an_id_may_have_leading_zeros(client: Client, admin: int) -> None:
    for route in OF_A_CUSTOMER:
        assert client.ask(route.method, path_of(route, "000000000001"), admin).status_code == 200


def test_who_is_not_let_in_does_not_learn_which_customers_there_are(client: Client, crm: Crm) -> None:
    switched_off, guest = crm.account(role="admin", is_active=False), crm.account(role="guest")
    for route in OF_A_CUSTOMER:
        for given in ("0", "abc", 1, 999):
            assert client.ask(route.method, path_of(route, given)).status_code == 401, given
            assert client.ask(route.method, path_of(route, given), switched_off).status_code == 401, given
            assert client.ask(route.method, path_of(route, given), guest).status_code == 403, given


def test_another_method_is_not_found(client: Client, admin: int) -> None:
    for route in ROUTES:
        known = {one.method for one in ROUTES if one.path == route.path}
        for method in METHODS:
            if method not in known:
                assert client.ask(method, path_of(route), admin).status_code == 404, method


def test_what_a_body_holds_does_not_matter(client: Client, admin: int) -> None:
    for route in ROUTES:
        for body in BODIES:
            assert client.ask(route.method, path_of(route), admin, **body).status_code == 200, body


def test_a_body_that_is_too_large_does_not_reach_the_function(client: Client, admin: int) -> None:
    for route in ROUTES:
        assert client.ask(route.method, path_of(route), admin, data=b"x" * 7_000_000).status_code == 413


def test_unknown_and_empty_parameters_change_nothing(client: Client, admin: int) -> None:
    for route in ROUTES:
        for query in QUERIES:
            answer = client.ask(route.method, path_of(route, query=query), admin)
            assert answer.status_code in {200, 400}, query
            if answer.status_code == 400:
                assert "%" in query
                assert error_of(answer).startswith("参数")


def test_headers_are_no_danger(client: Client, admin: int) -> None:
    for route in ROUTES:
        for headers in HEADERS:
            assert client.ask(route.method, path_of(route), admin, headers).status_code == 200, headers


def test_a_cookie_that_is_none_is_no_login(client: Client, admin: int) -> None:
    for route in PRIVATE:
        for cookie in ("session", "session=", "session=\x00\xff", "session=" + "." * 8000, "session=a.b.c", "=;;="):
            assert client.ask(route.method, path_of(route), None, {"Cookie": cookie}).status_code == 401, cookie


@pytest.mark.parametrize(
    ("query", "zh", "en"),
    [
        (
            "status=bogus",
            "参数 status 无效,可选值:active, offline, maintenance, sold",
            "Parameter status is not valid; allowed: active, offline, maintenance, sold",
        ),
        ("limit=0", "参数 limit 无效,可选值:1–10000", "Parameter limit is not valid; allowed: 1–10000"),
        ("after=x", "参数 after 无效", "Parameter after is not valid"),
    ],
)
def test_a_wrong_parameter_is_named_with_what_it_may_be(
    client: Client, admin: int, query: str, zh: str, en: str
) -> None:
    path = f"/crm/api/customer/1/hosting-miners?{query}"

    assert error_of(client.get(path, admin)) == zh
    assert error_of(client.get(path, admin, accept_language="en")) == en


def test_what_the_miners_cannot_be_asked_for_is_a_bad_parameter(client: Client, crm: Crm, admin: int) -> None:
    for query in (
        *("status=ACTIVE", "status=active,offline", "status=active&status=offline", "status=active&status=active"),
        *("limit=0", "limit=-1", "limit=10001", "limit=1.5", "limit=1e3", "limit=abc", "limit=1&limit=2", "limit=%00"),
        *("after=0", "after=-1", "after=2147483648", "after=" + "9" * 5000, "after=abc", "after=1,2", "after=٤"),
        *("after=2026-01-01:5", "after=2026-13-01T00:00:00.000000:5", "after=2026-02-30T00:00:00.000000:5"),
        *("after=2026-01-01T00:00:00.000000:0", "after=2026-01-01T00:00:00.000000:9999999999", "after=infinity"),
    ):
        answer = client.get(f"/crm/api/customer/1/hosting-miners?{query}", admin)
        assert answer.status_code == 400, query
        assert query.partition("=")[0] in error_of(answer)


def test_miners_can_be_included_in_the_figures_and_nothing_else(client: Client, admin: int) -> None:
    for query in ("include=miner", "include=Miners", "include=miners,miners", "include=miners&include=miners"):
        answer = client.get(f"/crm/api/customer/1/hosting-stats?{query}", admin)
        assert answer.status_code == 400, query
        assert error_of(answer) == "参数 include 无效,可选值:miners"


def test_an_unreachable_database_is_unavailable_for_the_moment(client: Client, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("DATABASE_URL", "postgresql://crm_hosting@/crm?host=/nowhere")
    for route in PRIVATE:
        answer = client.ask(route.method, path_of(route), 1)

        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        assert error_of(answer) == "服务暂时不可用,请稍后再试"


def test_what_nobody_expected_is_answered_with_a_reference_and_nothing_else(
    client: Client, crm: Crm, admin: int
) -> None:
    crm.db.run("alter table user_access rename to hidden")  # a function that names it fails
    for route in PRIVATE:
        answer = client.ask(route.method, path_of(route), admin, {"Accept-Language": "en"})

        assert answer.status_code == 500
        assert error_of(answer) == f"Internal error, reference {answer.headers['apigw-requestid']}"
