"""A database that compares as people of some language do, or as citext does, answers as one that compares bytes."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pg8000.native import Connection

from crm_services.postgres.database import database as bundle_database
from crm_services.postgres.migration import migrate
from crm_services.postgres.target import parse_database_url
from local.crm import TABLES
from local.environment import ROOT
from local.gateway import Gateway
from local.postgres import Server, connect
from local.routes import routes
from tests.project.test_privileges import WITHOUT_DATA
from tests.support import servers
from tests.support.client import Client, path_of
from tests.support.crm import Crm, utc
from tests.support.given import SECRET

TURKISH = "locale_provider icu icu_locale 'tr-TR'"
# Every text of the CRM's that the bundle reads.
TEXTS = {
    "crm_customers": {"name": 100, "company": 200, "email": 256, "status": 20, "primary_miner_model": 100},
    "user_access": {"name": 100, "email": 256, "role": 20},
    "user_miners": {"custom_name": 100, "status": 20, "location": 200},
    "miner_models": {"model_name": 100},
}


def retyped(form: str) -> str:
    """The statements that give each of these texts that type."""
    return ";".join(
        f"alter table {table} alter column {column} type {form.format(length)}"
        for table, columns in TEXTS.items()
        for column, length in columns.items()
    )


NONDETERMINISTIC = "create collation public.people (provider = icu, locale = 'und-u-ks-level1', deterministic = false);"
# What the database is created with, and what its superuser does before the bundle comes.
ODD = {
    "Turkish": (TURKISH, ""),
    "names and addresses are compared as people do": (
        "",
        f"""{NONDETERMINISTIC}
        alter table crm_customers
          alter name type varchar(100) collate people, alter email type varchar(256) collate people;
        alter table user_access
          alter name type varchar(100) collate people, alter email type varchar(256) collate people""",
    ),
    "every text is compared as people do": ("", NONDETERMINISTIC + retyped("varchar({}) collate people")),
    "addresses are citext": (
        "",
        """create extension citext; alter table crm_customers alter email type citext;
        alter table user_access alter email type citext""",
    ),
    "every text is citext, of a schema of its own": (
        "",
        "create schema other; create extension citext schema other;" + retyped("other.citext"),
    ),
}
PLAIN = ("", "")
MOMENTS = re.compile(r'"\d{4}-\d\d-\d\d(T[^"]*)?"|"duration_seconds" ?: ?[\d.]+')
STATUSES = ["ACTIVE", "Online", "MANUAL", "OFFLINE", "MAINTENANCE", "PENDING", " Sold ", "???"]
SEARCHES = ["istanbul", "ISTANBUL", "info@", "ili", "É", "é", "%", "矿"]

Serve = Callable[[tuple[str, str]], tuple[Client, Crm]]


@pytest.fixture(scope="module")
def with_icu(postgres: Server) -> Iterator[Server]:
    """The suite's server, or where it was built without ICU the oldest that is promised."""
    with connect(postgres.url("postgres", "postgres")) as admin:
        has_icu = admin.run("select count(*) > 1 from pg_collation where collprovider = 'i'")[0][0]
    if has_icu:
        yield postgres
    else:
        with pytest.MonkeyPatch.context() as changed:
            changed.setenv("POSTGRES", "15")
            with servers.own() as running:
                yield running


@pytest.fixture
def serve(with_icu: Server, environment: pytest.MonkeyPatch) -> Iterator[Serve]:
    """The bundle on a database of that kind, and a CRM to fill."""
    made: list[tuple[str, Connection]] = []

    def serve(kind: tuple[str, str]) -> tuple[Client, Crm]:
        created_with, change = kind
        name = f"collated_{len(made)}"
        with connect(with_icu.url("postgres", "postgres")) as admin:
            admin.run(f"create database {name} owner crm template template0 encoding 'UTF8' {created_with}")
        owner = connect(with_icu.url(name))
        made.append((name, owner))
        owner.run(TABLES.read_text(encoding="utf-8"))
        with connect(with_icu.url(name, "postgres")) as superuser:
            superuser.run(change or "select")
        migrate(parse_database_url(with_icu.url(name)))
        assert migrate(parse_database_url(with_icu.url(name))) == []
        bundle_database.close()
        environment.setenv("DATABASE_URL", with_icu.url(name, "crm_hosting"))
        return Client(Gateway(ROOT / "template.yaml"), SECRET), Crm(owner)

    yield serve
    bundle_database.close()
    for name, owner in made:
        owner.close()
        with connect(with_icu.url("postgres", "postgres")) as admin:
            admin.run(f"drop database {name} with (force)")


def fill(crm: Crm) -> int:
    """A CRM whose words any two languages would disagree about; returns its administrator."""
    admin = crm.account("admin@example.com", role="admin", name="ADMIN")
    miner = crm.account("miner@example.com", role="mining_site_owner", name="Işık")
    crm.snapshot(at=utc("2026-11-01 12:00"))
    for number, status in enumerate(STATUSES):
        fleet = crm.account(f"info{number}@x.com", name=f"INFO {number}")
        crm.miners(fleet, number + 1, status=status, custom_name="ISTANBUL", location="İzmir")
        crm.miners(fleet, 1, "ANTMINER I9", custom_name=" ")
        crm.customer(f" INFO{number}@X.COM", miner if number % 2 else None, name=f"ISTANBUL {number}", company="ÉLITE")
    crm.miners(crm.account("é@x.com"))
    crm.customer("E\u0301@X.COM", name="istanbul", company="élite")
    crm.customer("e@x.com", name="elite")
    crm.customer("ILI@X.COM", name="INFO 1", company="矿业")
    crm.account("i.li+1@x.com", name="Ili")
    crm.customer("I", name="100 %")
    return admin


def told(client: Client, crm: Crm) -> dict[str, Any]:
    """What everything answers, but for when it was."""
    admin = fill(crm)
    answers: dict[str, Any] = {}

    def ask(path: str, method: str = "GET", **more: Any) -> None:
        answer = client.ask(method, path, admin, **more)
        answers[f"{method} {path}"] = answer.status_code, MOMENTS.sub("…", answer.get_data(as_text=True))

    ask("/crm/api/customer/1/sync-hosting", "POST")
    ask("/crm/api/sync-all-hosting?dry_run=true", "POST")
    ask("/crm/api/sync-all-hosting", "POST")
    for route in routes(ROOT / "template.yaml"):
        if route.method == "GET" and route.function not in WITHOUT_DATA:
            for number in range(1, 13) if "customer_id" in route.path else (1,):
                ask(path_of(route, number))
    for search in SEARCHES:
        ask(f"/crm/api/hosting/customers?search={search}")
        ask(f"/crm/api/hosting/links?search={search}")
    for state in ("linked", "unlinked", "ambiguous", "suggested", "lost", "shared"):
        ask(f"/crm/api/hosting/links?state={state}")
    for status in ("active", "offline", "maintenance", "sold"):
        ask(f"/crm/api/customer/1/hosting-miners?status={status}")
    ask("/crm/api/customer/10/hosting-link", "PUT", json={"account_id": 3})
    ask("/crm/api/hosting/links/confirm", "POST", json={})
    ask("/crm/api/customer/10/hosting-link", "DELETE")
    before = [crm.row(number) for number in range(1, 13)]
    ask("/crm/api/sync-all-hosting", "POST")
    answers["written twice"] = 200, before != [crm.row(number) for number in range(1, 13)]
    return answers


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    """What a database that compares bytes answers, once it was asked."""
    return {}


@pytest.mark.parametrize("odd", ODD)
def test_it_answers_as_one_that_compares_bytes(serve: Serve, plain: dict[str, Any], odd: str) -> None:
    if not plain:
        plain.update(told(*serve(PLAIN)))

    answers = told(*serve(ODD[odd]))

    assert {path: (plain[path], answer) for path, answer in answers.items() if answer != plain[path]} == {}
