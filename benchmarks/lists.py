"""`make lists`: what a list costs a tenant of 100 customers among few others and among many, and whoever sees all.

`python -m benchmarks.lists [few] [many]`: 1,000 and 1,000,000 unless said otherwise. Each round asks all of one
database and then of the other; the tables have the quickest of the rounds. SEARCH_INDEX=1 adds the optional index.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from importlib import import_module
from typing import Any, TextIO

from benchmarks import asking, data, report
from crm_services.postgres.database import Database
from crm_services.sync.batch import run
from local.lambda_context import LambdaContext
from local.postgres import Server, connect, server

FEW, MANY = 1_000, 1_000_000
TENANT = data.OWNERS
# Each is asked for so long in each round, at least so many times, once PostgreSQL has settled on a plan.
ROUNDS, SECONDS, FEWEST, SETTLED = 5, 1.0, 3, 6
MOST = 1.2  # how many times as long it may take among many

TENANTS: dict[str, tuple[str, dict[str, str]]] = {
    "page": ("hosting_customers", {}),
    "search": ("hosting_customers", {"search": "mining"}),
    "to be mended": ("hosting_customers", {"finding": "unusable_figure"}),
    "status": ("sync_status", {}),
    "links": ("hosting_links", {}),
    "runs": ("sync_runs", {}),
    "preview": ("sync_all_hosting", {"dry_run": "true"}),
    "sync-all": ("sync_all_hosting", {}),
}
# Which customers have what to be mended: few, a tenth, and those who come last.
FOUND = {
    "few": ("unlikely_figure", "id % 10000 = 7"),
    "a ninth": ("unusable_figure", "id % 9 = 3"),
    "all who were never synced": ("unknown_status", "hosting_net_profit_daily is null"),
}
# How many letters of a customer's name, which nobody else's may have: eight are rare, three are not.
PARTS = {"rare": 8, "found in thousands": 3}


def main(few: int, many: int) -> None:
    """Print the tables."""
    out, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: SIM115 (the log lines are written, and not read)
    with tempfile.TemporaryDirectory(prefix="lists-") as folder, server(folder, data.SETTINGS) as postgres:
        measure(postgres, few, many, out)


def measure(postgres: Server, few: int, many: int, out: TextIO) -> None:
    """The two tables, of a server that has the databases or gets them."""
    names = {size: synced(postgres, size) for size in (few, many)}
    best: dict[tuple[str, int], float] = {}
    for size, name in list(names.items()) * ROUNDS:
        with closing(at(postgres, name)):
            for what, (function, query) in TENANTS.items():
                took = quickest(ask(function, TENANT, query))
                best[what, size] = min(took, best.get((what, size), took))
    print(report.table([
        {"tenant's": what, f"among {few:,} ms": best[what, few], f"among {many:,} ms": best[what, many],
         "ratio": best[what, many] / best[what, few], "at most": MOST} for what in TENANTS
    ]), end="\n\n", file=out)  # fmt: skip
    with closing(at(postgres, names[many])):
        print(report.table([
            {"who sees all": what, f"of {many:,} ms": quickest(ask(function, asking.ADMIN, query))}
            for what, (function, query) in _of_all(postgres, names[many]).items()
        ]), file=out)  # fmt: skip


def _of_all(postgres: Server, name: str) -> dict[str, tuple[str, dict[str, str]]]:
    with connect(postgres.url(name)) as crm:
        [[profit, place]] = crm.run(
            "select hosting_net_profit_daily, id from crm_customers where hosting_net_profit_daily is not null"
            " order by hosting_net_profit_daily desc, id offset (select count(*) / 10 from crm_customers) limit 1"
        )
        [[late]] = crm.run("select max(id) * 9 / 10 from crm_customers")
        [[called]] = crm.run("select substr(name, length(name) - 7) from crm_customers where id = :id", id=late)
    pages = {"first page": {}, "page by profit": {"after": f"{profit}:{place}"},
             "page of the never synced": {"after": f":{late}"}}  # fmt: skip
    searches = {f"search, {kind}": called[:letters] for kind, letters in PARTS.items()}
    searches |= {
        "search, found in most": "mining",
        "search, found in none": "no such name",
        "search, two letters": "zz",
    }
    pages |= {f"to be mended, {which}": {"finding": kind} for which, (kind, _) in FOUND.items()}
    asked = pages | {what: {"search": text} for what, text in searches.items()}
    return {what: ("hosting_customers", query) for what, query in asked.items()} | {"status": ("sync_status", {})}


def synced(postgres: Server, customers: int) -> str:
    """The name of a database with so many customers, each of which was synced."""
    name = data.make(postgres, customers)
    asking.let_in(postgres, name)
    with connect(postgres.url(name)) as crm:
        if not crm.run("select from crm_hosting.runs where tenant_id is null and state = 'completed'"):
            with closing(at(postgres, name)) as database:
                run(database, None, "console")
            for kind, which in FOUND.values():
                crm.run(f"insert into crm_hosting.findings select id, '{kind}' from crm_customers where {which}")
            crm.run("vacuum analyze")
        if os.environ.get("SEARCH_INDEX"):
            for statement in data.SEARCH_INDEX.read_text().split(";")[:-1]:  # none of them within a transaction
                crm.run(statement)
            crm.run("analyze crm_customers")
    return name


def at(postgres: Server, name: str) -> Database:
    """The functions' database, which that one is from now on."""
    from crm_services.postgres.database import database  # noqa: PLC0415 (the settings are read when it is asked)

    os.environ |= asking.environment(postgres, name) | {"RUN_PAUSE_SECONDS": "0"}
    return database


def ask(function: str, account: int, query: dict[str, str]) -> Callable[[], None]:
    """What asks a function as that account and makes sure that it answers."""
    handler, event = import_module(function).handler, asking.event(function, 0, account, **query)

    def ask() -> None:
        answer: dict[str, Any] = handler(event, LambdaContext(function))
        assert answer["statusCode"] == 200, answer

    return ask


def quickest(ask: Callable[[], None]) -> float:
    """How long it takes, in milliseconds."""
    for _ in range(SETTLED):
        ask()
    found: list[float] = []
    started = time.perf_counter()
    while len(found) < FEWEST or time.perf_counter() - started < SECONDS:
        began = time.perf_counter()
        ask()
        found.append((time.perf_counter() - began) * 1000)
    return min(found)


if __name__ == "__main__":
    main(*([int(size) for size in sys.argv[1:]] or [FEW, MANY]))
