"""Requests, from the event to the answer, against the database's own time and the CRM's own way.

`python -m benchmarks.requests [customers …]`: 1,000, 100,000 and 1,000,000 unless said otherwise. Each round asks all
contenders in turn, so that whatever else the machine does meets them all, and each a few times in a row, so that none
is measured on caches that another has filled; the table has the quickest of all.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from benchmarks import asking, cold, data, floor, orm_requests, picture, plain, report
from benchmarks.fleets import add_fleet
from local.lambda_context import LambdaContext
from local.postgres import Server, connect, server

SIZES = (1_000, 100_000, 1_000_000)
FLEETS = (10, 1_000, 10_000)
# About how long one case may take, and within how many rounds.
SECONDS, FEWEST, MOST = 6.0, 3, 80
IN_A_ROW = 5

Ask = Callable[[], str]


def main(sizes: list[int]) -> None:
    """Print the table, and write it as a file and as a picture."""
    out, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: SIM115 (the log lines are written, and not read)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, server(folder, data.SETTINGS) as postgres:
        for size in sizes:
            rows += compare(postgres, size, everything=size == min(max(sizes), 100_000), out=out)
        cold_rows = cold.measure(postgres)
    print(report.table(rows), report.table(cold_rows), sep="\n\n", file=out)
    print(report.save("requests", rows, settings=data.SETTINGS, cold=cold_rows), file=out)
    picture.draw(rows)


def compare(postgres: Server, customers: int, everything: bool, out: TextIO) -> list[dict[str, Any]]:
    """The rows of the table for so many customers: all of them, or the one request that is to stay as it is."""
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
        contest.end()
    return found


class _Contest:
    """Ours, the floor and the CRM's own way on one database."""

    def __init__(self, postgres: Server, name: str, crm: Any) -> None:
        os.environ |= asking.environment(postgres, name)
        self._crm = crm
        self._orm = orm_requests.Requests(f"postgresql+psycopg2://crm@/{name}?host={postgres.socket_directory}")

    def stats(self, customer: int) -> dict[str, Ask]:
        import hosting_stats  # noqa: PLC0415 (its logger writes to what stdout is by now)

        answer = json.loads(_ours(hosting_stats.handler, "hosting_stats", customer)())["data"]
        market = {name: answer[name] for name in ("btc_price", "network_difficulty")}
        [[per_terahash, _]] = self._crm.run(plain.MARKET)
        given = {**market, "customer_id": customer, "btc_per_terahash": per_terahash, "as_of": answer["market_as_of"]}
        exact = self._floor(floor.STATS, given)
        assert json.loads(exact()) == answer, "the floor is to give the same figures"
        return {
            "ours": _ours(hosting_stats.handler, "hosting_stats", customer),
            "floor": exact,
            "floating": self._floor(floor.STATS_IN_FLOATING_POINT, given),
            "peer": self._orm.ask(orm_requests.stats, customer),
        }

    def miners(self, customer: int) -> dict[str, Ask]:
        import hosting_miners  # noqa: PLC0415

        ours = _ours(hosting_miners.handler, "hosting_miners", customer)
        least = self._floor(floor.MINERS, {"customer_id": customer})
        assert json.loads(least()) == json.loads(ours())["data"], "the floor is to give the same list"
        return {
            "ours": ours,
            "floor": least,
            "peer": self._orm.ask(orm_requests.miners, customer),
        }

    def status(self) -> dict[str, Ask]:
        import sync_status  # noqa: PLC0415

        ours = _ours(sync_status.handler, "sync_status")
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
            began = time.perf_counter()
            for ask in contenders.values():
                ask()
        rounds = max(FEWEST, min(MOST, int(SECONDS / IN_A_ROW / (time.perf_counter() - began))))
        for _ in range(rounds):
            for name, ask in contenders.items():
                for _ in range(IN_A_ROW):
                    began = time.perf_counter()
                    ask()
                    times[name].append((time.perf_counter() - began) * 1000)
        best = {name: min(found) for name, found in times.items()}
        return {
            "what": what, "ours ms": best["ours"], "CRM's way ms": best["peer"], "floor ms": best["floor"],
            "ours/floor": best["ours"] / best["floor"], "CRM's way/ours": best["peer"] / best["ours"],
            "floor in floating point ms": best.get("floating"),
            "medians": {name: round(statistics.median(found), 3) for name, found in times.items()},
        }  # fmt: skip

    def end(self) -> None:
        from crm_services.database import database  # noqa: PLC0415

        database.close()
        self._orm.end()

    def _floor(self, sql: str, given: Mapping[str, object]) -> Ask:
        statement = self._crm.prepare(sql)
        return lambda: str(statement.run(**given)[0][0])


def _ours(handler: Callable[[Any, Any], Any], function: str, customer: int = 0) -> Ask:
    event, context = asking.event(function, customer), LambdaContext(function)

    def ask() -> str:
        answer = handler(event, context)
        assert answer["statusCode"] == 200, answer
        return str(answer["body"])

    return ask


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or list(SIZES))
