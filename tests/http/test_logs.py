"""What leaves the functions beside their answers: one line a request, and nothing private in anything."""

import json
import os
import re
import subprocess
import sys
import traceback
from typing import Any

import pytest

from local.cookies import session_cookie
from local.environment import ROOT
from local.gateway import Gateway
from local.lambda_context import LambdaContext
from local.postgres import Server
from local.routes import routes
from tests.project.test_privileges import WITHOUT_DATA
from tests.support.client import Client, path_of
from tests.support.crm import Crm
from tests.support.given import SECRET

ROUTES = [route for route in routes(ROOT / "template.yaml") if route.function not in WITHOUT_DATA]
PASSWORD = "the-bundle-logs-in-with-this"
ADDRESS = "Somebody.Private@Example.com"
TYPED = "typed.by.a.caller@example.com"
PRIVATE = [SECRET, PASSWORD, ADDRESS, ADDRESS.lower(), TYPED, "PHONE", "NOTES", "HASH", "CUSTOMER-NAME", "RACK-NAME"]
ALWAYS = {"level", "timestamp", "service", "function_name", "correlation_id", "route", "status", "duration_ms"}


# ── In a process of its own, all of whose output is searched ─────────────────────────────────────────────────


def ask_everything(accounts: list[int], customers: list[int]) -> None:
    """Every endpoint as every account for every customer, well and badly."""
    client = Client(Gateway(ROOT / "template.yaml"), SECRET)
    body = {"json": {"email": TYPED, "password": PASSWORD}}
    for route in ROUTES:
        for customer in customers:
            path = path_of(route, customer)
            query = f"?status={TYPED}&limit={TYPED}&search={TYPED}&after={TYPED}&customer={TYPED}"
            for account in accounts:
                client.ask(route.method, path, account)
                client.ask(route.method, path + f"?search={TYPED}&include=miners", account, **body)
                client.ask(route.method, path + query, account)
            client.ask(route.method, path, accounts[0], {"origin": f"https://{TYPED}", "sec-fetch-site": "cross-site"})
            client.ask(route.method, path)
            client.ask(route.method, path, headers={"Cookie": "session=" + session_cookie(PASSWORD, accounts[0])})
            client.ask(route.method, path, headers={"Cookie": f"session={TYPED}; remember={PASSWORD}"})


def run_daily() -> None:
    """The batch; a failure is printed as Lambda's runtime prints it."""
    import daily_sync  # noqa: PLC0415 (in the process of its own)
    from crm_services.sync import batch  # noqa: PLC0415

    batch.STOP_BEFORE_MS, batch.END_BEFORE_MS = 2_000, 1_000  # it would wait for a database that is away
    try:
        daily_sync.handler({"email": TYPED}, LambdaContext("DailySyncFunction", timeout=5))
    except Exception:
        traceback.print_exc()


def break_the_rooms() -> None:
    """From here on whatever a room asks of the database fails with what it should not say."""
    from crm_services.postgres.database import Transaction  # noqa: PLC0415

    def fail(*_args: Any, **_more: Any) -> Any:
        raise RuntimeError(f"could not read {ADDRESS} with {PASSWORD}", {"cookie": SECRET})

    for name in ("rows", "row", "value"):
        setattr(Transaction, name, fail)


# ── The test ─────────────────────────────────────────────────────────────────────────────────────────────────


def output_of(code: str, environment: dict[str, str]) -> str:
    """All that a process prints while it runs the code."""
    # What an environment may say must not make a function print what it was asked.
    careless = {"POWERTOOLS_LOGGER_LOG_EVENT": "true", "POWERTOOLS_DEV": "true", "POWERTOOLS_LOG_LEVEL": "DEBUG"}
    ran = subprocess.run(
        [sys.executable, "-c", f"from tests.http.test_logs import *; {code}"],
        cwd=ROOT,
        env=os.environ | careless | environment | {"PYTHONPATH": f"{ROOT}:{ROOT}/shared:{ROOT}/functions"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


def records(output: str) -> list[dict[str, Any]]:
    """What was logged; with POWERTOOLS_DEV a record has several lines."""
    starts = [found.start() for found in re.finditer("^{", output, re.MULTILINE)]
    return [json.JSONDecoder().raw_decode(output, start)[0] for start in starts]


def requests(output: str) -> list[dict[str, Any]]:
    """The records of requests."""
    return [record for record in records(output) if record.get("message") == "request"]


@pytest.fixture
def accounts(crm: Crm) -> list[int]:
    private = {"password_hash": "HASH"}
    return [
        crm.account("admin@example.com", "admin", **private),
        crm.account(ADDRESS.replace("Private", "Owner"), "mining_site_owner", **private),
        crm.account("guest@example.com", "guest", **private),
        crm.account("gone@example.com", "admin", is_active=False, **private),
    ]


@pytest.fixture
def customers(crm: Crm, accounts: list[int]) -> list[int]:
    """One that is well, one that its constraint refuses, one that a trigger refuses, one that is missing."""
    crm.snapshot()
    fleet = crm.account(ADDRESS)
    crm.miners(fleet, quantity=7, custom_name="RACK-NAME", location="PLACE")
    crm.account(ADDRESS.lower())  # which makes the address ambiguous
    columns: dict[str, Any] = {"owner": accounts[1], "company": "CUSTOMER-NAME", "phone": "PHONE", "notes": "NOTES"}
    well, constrained, triggered = (
        crm.customer(f" {ADDRESS}", name=f"CUSTOMER-NAME {number}", **columns) for number in range(3)
    )
    crm.db.run(f"alter table crm_customers add check (id <> {constrained} or miners_count = 0)")
    crm.db.run("""create function refuse() returns trigger language plpgsql as
                  $$ begin raise exception 'refused: %', new using detail = new::text; end $$""")
    crm.db.run(f"create trigger refuse before update on crm_customers for each row "
               f"when (new.id = {triggered}) execute function refuse()")  # fmt: skip
    return [well, constrained, triggered, 2**31 - 1]


@pytest.fixture
def environment_of(postgres: Server, database_name: str) -> dict[str, str]:
    url = postgres.url(database_name, "crm_hosting").replace("crm_hosting@", f"crm_hosting:{PASSWORD}@")
    return {"DATABASE_URL": url, "SESSION_SECRET": SECRET, "LINK_SCOPE": "any", "PUBLIC_ORIGIN": "https://crm.example"}


def test_nothing_private_is_printed_or_kept_whatever_fails(
    crm: Crm, accounts: list[int], customers: list[int], environment_of: dict[str, str]
) -> None:
    everything, some = (f"ask_everything({who}, {whom})" for who, whom in ((accounts, customers), ([1], [1])))
    output = output_of(f"run_daily(); {everything}; break_the_rooms(); {some}", environment_of)
    crm.db.run("revoke select on crm_hosting.customers, crm_hosting.runs from crm_hosting")
    output += output_of(f"run_daily(); {some}", environment_of)
    unreachable = {"DATABASE_URL": f"postgresql://crm_hosting:{PASSWORD}@127.0.0.1:9/crm"}
    output += output_of(f"run_daily(); {some}", environment_of | unreachable)

    kept = [
        row
        for (table,) in crm.db.run("select oid::regclass::text from pg_class where relkind = 'r' "
                                   "and relnamespace = 'crm_hosting'::regnamespace")
        for (row,) in crm.db.run(f"select t::text from {table} t")
    ]  # fmt: skip
    cookies = [session_cookie(SECRET, account).partition(".")[0] for account in accounts]
    for words in (output, "\n".join(kept)):
        assert [private for private in [*PRIVATE, *cookies] if private in words] == []
        assert "@" not in words
    assert "PLACE" not in output  # which the days of a fleet keep
    # It was no empty search: all this happened.
    assert {line["status"] for line in requests(output)} >= {200, 400, 401, 403, 404, 500, 503}
    errors = {row[0] for row in crm.db.run("select sqlstate from crm_hosting.run_errors")}
    assert errors == {"23514", "P0001"}
    assert len(crm.db.run("select from crm_hosting.findings where kind = 'ambiguous_email'")) == 1
    for name in ('"reason":"42501"', "RuntimeError"):
        assert name in output


def test_each_request_is_one_line_that_says_who_asked_for_what_and_how_it_went(
    accounts: list[int], customers: list[int], environment_of: dict[str, str]
) -> None:
    lines = requests(output_of(f"ask_everything({accounts}, {customers})", environment_of))

    assert len(lines) == len(ROUTES) * len(customers) * (3 * len(accounts) + 4)
    functions = {route.key: route.function for route in ROUTES}
    for line in lines:
        assert line.keys() >= ALWAYS
        assert line["function_name"] == functions[line["route"]]
        if line["status"] not in {401, 403}:
            assert line["user_id"] in accounts
            assert line.get("customer_id") in (customers if "{customer_id}" in line["route"] else [None])
    refused = [
        line for line in lines if line["status"] == 403 and "user_id" in line and "{customer_id}" in line["route"]
    ]
    assert {line["user_id"] for line in refused} >= {accounts[2]}  # the guest
    assert all(line["customer_id"] in customers for line in refused)
    assert len({line["correlation_id"] for line in lines}) == len(lines)


def test_the_answer_to_an_unexpected_failure_gives_the_reference_that_the_log_has(
    crm: Crm, accounts: list[int], customers: list[int], environment_of: dict[str, str]
) -> None:
    code = f"break_the_rooms(); c = Client(Gateway(ROOT / 'template.yaml'), SECRET); " \
           f"print(c.get('/crm/api/sync-status', {accounts[0]}).json['error'])"  # fmt: skip

    output = output_of(code, environment_of)

    logged = records(output)
    assert [record["message"] for record in logged] == ["unexpected", "request"]
    told = output.splitlines()[-1]
    assert {record["correlation_id"] for record in logged} == {told.rpartition(" ")[2]}
    assert logged[0]["error"] == "RuntimeError"
    assert any("get_sync_status" in frame or "fail" in frame for frame in logged[0]["frames"])
