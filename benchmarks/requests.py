"""Requests, from the event to the answer, against the database's own time and the CRM's own way.

`python -m benchmarks.requests [customers …]`: 1,000, 100,000 and 1,000,000 unless said otherwise. Each round asks all
contenders in turn, so that whatever else the machine does meets them all; and each for a while, so that none is
measured on caches that another has filled. The table has the quickest of all.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from importlib import import_module
from typing import Any, TextIO, get_args

from benchmarks import asking, cold, data, floor, orm_requests, picture, plain, report
from benchmarks.fleets import DAYS, add_fleet, add_year
from crm_services.base.settings import MachineSource
from local.lambda_context import LambdaContext
from local.postgres import Server, connect, server

SIZES = (1_000, 100_000, 1_000_000)
FLEETS = (10, 1_000, 10_000)
YEAR_SITES = (1, 3, 20)
SOURCES: tuple[MachineSource, ...] = get_args(MachineSource)
SOURCE_FLEETS = (10, 10_000)
# At least how long one case takes, and in it one contender's turn; of each at least so many.
SECONDS, TURN_SECONDS, FEWEST = 6.0, 0.1, 3
# What asks about one customer, and is to take as long however many others there are.
OF_ONE_CUSTOMER = ("hosting_stats", "hosting_miners", "sync_hosting", "hosting_customers")

Ask = Callable[[], str]


def main(sizes: list[int]) -> None:
    """Print the table, and write it as a file and as a picture."""
    out, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: SIM115 (the log lines are written, and not read)
    rows: list[dict[str, Any]] = []
    flat: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, server(folder, data.SETTINGS) as postgres:
        for size in sizes:
            compared, of_one = compare(postgres, size, everything=size == min(max(sizes), 100_000), out=out)
            rows += compared
            flat.append(of_one)
        sources = [row for source in SOURCES for row in of_source(postgres, source)]
        cold_rows = cold.measure(postgres)
    tables = (rows, flat, sources, cold_rows)
    print(*(report.table(table) for table in tables), sep="\n\n", file=out)
    print(report.save("requests", rows, settings=data.SETTINGS, flat=flat, sources=sources, cold=cold_rows), file=out)
    picture.draw(rows)


def compare(
    postgres: Server, customers: int, everything: bool, out: TextIO
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """For so many customers the rows of the table, all or only the first; and what asks about one customer alone."""
    print(f"{customers:,} customers …", file=out, flush=True)
    name = data.make(postgres, customers)
    with connect(postgres.url(name)) as crm:
        asking.let_in(postgres, name)
        fleets = {rows: add_fleet(postgres, name, rows) for rows in FLEETS}
        contest = _Contest(postgres, name, crm)
        found = []
        for rows, customer in fleets.items() if everything else [(10, fleets[10])]:
            what = f"hosting-stats, {rows:,} rows of {customers:,} customers"
            found.append(contest.row(what, **contest.stats(customer)))
        if everything:
            found.append(contest.row("hosting-miners, 10,000 rows", **contest.miners(fleets[10_000])))
            found.append(contest.row(f"sync-status, {customers:,} customers", **contest.status()))
        flat = {"customers": customers, **contest.of_one_customer(fleets[10])}
        for sites in YEAR_SITES:
            flat[f"a year at {sites} ms"] = contest.of_a_year(add_year(postgres, name, sites))
        contest.end()
    return found, flat


def of_source(postgres: Server, source: MachineSource) -> list[dict[str, Any]]:
    """What a fleet costs by whose rows the machines are: the quickest times, and what each row adds."""
    from crm_services.postgres.database import database  # noqa: PLC0415

    name = data.make(postgres, 1_000, source)
    asking.let_in(postgres, name)
    os.environ |= asking.environment(postgres, name)
    fleets = {rows: add_fleet(postgres, name, rows, source, "Compared") for rows in SOURCE_FLEETS}
    found = []
    for function, query in (("hosting_stats", {"include": ""}), ("hosting_miners", {})):
        best = []
        for rows in SOURCE_FLEETS:
            ask = _ours(function, fleets[rows], **query)
            best.append(min(_milliseconds(ask) for _ in _at_least(SECONDS)))
        a_row = (best[1] - best[0]) / (SOURCE_FLEETS[1] - SOURCE_FLEETS[0]) * 1000
        found.append({"source": source, "function": function, "10 rows ms": best[0], "10,000 rows ms": best[1],
                      "us a row": a_row})  # fmt: skip
    database.close()
    return found


class _Contest:
    """Ours, the floor and the CRM's own way on one database."""

    def __init__(self, postgres: Server, name: str, crm: Any) -> None:
        os.environ |= asking.environment(postgres, name)
        self._crm = crm
        crm.run("set enable_sort = off")  # a fleet is grouped by hashing, as ours is
        self._orm = orm_requests.Requests(f"postgresql+psycopg2://crm@/{name}?host={postgres.socket_directory}")

    def stats(self, customer: int) -> dict[str, Ask]:
        ours = _ours("hosting_stats", customer, include="")  # the floor lists no machines
        answer = json.loads(ours())["data"]
        market = {name: answer[name] for name in ("btc_price", "network_difficulty")}
        [[per_terahash, _]] = self._crm.run(plain.MARKET)
        given = {**market, "customer_id": customer, "btc_per_terahash": per_terahash, "as_of": answer["market_as_of"]}
        least = self._floor(floor.STATS, given)
        assert json.loads(least()) == answer, "the floor is to give the same figures"
        return {
            "ours": ours,
            "floor": least,
            "peer": self._orm.ask(orm_requests.stats, customer),
        }

    def miners(self, customer: int) -> dict[str, Ask]:
        ours = _ours("hosting_miners", customer)
        least = self._floor(floor.MINERS, {"customer_id": customer})
        assert json.loads(least()) == json.loads(ours())["data"], "the floor is to give the same list"
        return {
            "ours": ours,
            "floor": least,
            "peer": self._orm.ask(orm_requests.miners, customer),
        }

    def status(self) -> dict[str, Ask]:
        ours = _ours("sync_status")
        answer = json.loads(ours())["data"]
        [counts] = self._crm.prepare(floor.STATUS_COUNTS).run(every=True)
        assert counts == [answer["total_customers"], answer["linked_customers"]]
        return {
            "ours": ours,
            "floor": self._floor(floor.STATUS_COUNTS, {"every": True}),
            "peer": self._orm.ask(orm_requests.status),
        }

    def row(self, what: str, **contenders: Ask) -> dict[str, Any]:
        """A row of the table: the contenders' quickest times, in milliseconds, and their medians."""
        times: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(6):  # PostgreSQL settles on a plan with the sixth
            for ask in contenders.values():
                ask()
        for _ in _at_least(SECONDS):
            for name, ask in contenders.items():
                times[name] += [_milliseconds(ask) for _ in _at_least(TURN_SECONDS)]
        best = {name: min(found) for name, found in times.items()}
        return {
            "what": what, "ours ms": best["ours"], "CRM's way ms": best["peer"], "floor ms": best["floor"],
            "ours/floor": best["ours"] / best["floor"], "CRM's way/ours": best["peer"] / best["ours"],
            "medians": {name: round(statistics.median(found), 3) for name, found in times.items()},
        }  # fmt: skip

    def of_one_customer(self, customer: int) -> dict[str, float]:
        """The quickest of two hundred times, in milliseconds, for each function."""
        found = {}
        for function in OF_ONE_CUSTOMER:
            ask = _ours(function, customer, **({"customer": str(customer)} if function == "hosting_customers" else {}))
            found[f"{function} ms"] = min(_milliseconds(ask) for _ in range(200))
        return found

    def of_a_year(self, customer: int) -> float:
        """The same of the customer's days of a year."""
        first = date.today() - timedelta(days=DAYS - 1)
        ask = _ours("hosting_history", customer, **{"from": first.isoformat()})
        assert len(json.loads(ask())["data"]) == DAYS
        return min(_milliseconds(ask) for _ in range(200))

    def end(self) -> None:
        from crm_services.postgres.database import database  # noqa: PLC0415

        database.close()
        self._orm.end()

    def _floor(self, sql: str, given: Mapping[str, object]) -> Ask:
        statement = self._crm.prepare(sql)
        return lambda: str(statement.run(**given)[0][0])


def _ours(function: str, customer: int = 0, /, **query: str) -> Ask:
    # Imported when asked for: its logger writes to what stdout is by now.
    handler = import_module(function).handler
    event, context = asking.event(function, customer, **query), LambdaContext(function)

    def ask() -> str:
        answer = handler(event, context)
        assert answer["statusCode"] == 200, answer
        return str(answer["body"])

    return ask


def _at_least(seconds: float) -> Iterator[None]:
    started, number = time.perf_counter(), 0
    while number < FEWEST or time.perf_counter() - started < seconds:
        yield
        number += 1


def _milliseconds(ask: Ask) -> float:
    began = time.perf_counter()
    ask()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or list(SIZES))
