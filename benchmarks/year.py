"""A year of the history: what it grows to, what a run takes at its end, what a customer's year takes to read.

`python -m benchmarks.year [customers [days]]`: 100,000 and 365 unless said otherwise: 45 minutes of two cores.
Each day 1 % of the fleets change, a third of them by a move to another site, and the price moves.
"""

import os
import statistics
import sys
import tempfile
import time
from contextlib import closing
from typing import Any

from benchmarks import batch, data, report
from crm_services.access.entry import SCOPE_TO, Caller
from crm_services.history import customer, scope
from crm_services.history.period import Period
from crm_services.postgres.database import Database
from crm_services.sync import attention, days, digest, old_days, ranges, totals
from local import crm_rows
from local.postgres import Server, connect, server

NAME = "bench_year"
CLOCK = "(now() at time zone :time_zone::text)::date"
# A clock that the benchmark puts forward, where a statement asks for today.
ON = f"({CLOCK} + current_setting('bench.day')::integer)"
READ_CLOCK_IN = (ranges, days, totals, attention, digest, old_days, customer, scope)
TABLES = ("fleet_now", "fleet_days", "market_days", "scope_days", "attention")
CHANGES = (
    "update user_miners set quantity = quantity % 20 + 1 where user_id % 150 = :day % 150",
    "update user_miners set location = 'Site ' || (id + :day) % 6 where user_id % 300 = :day % 300",
)
EDGE = 5  # so many days at either end are compared


def main(customers: int, length: int) -> None:
    """Print the year's table."""
    for module in READ_CLOCK_IN:
        for name, statement in list(vars(module).items()):
            if isinstance(statement, str) and CLOCK in statement:
                setattr(module, name, statement.replace(CLOCK, ON))
    settings = data.SETTINGS | {"autovacuum": "on"}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, server(folder, settings) as postgres:
        data.copy(postgres, data.make(postgres, customers), NAME)
        costs = [_day(postgres, day) for day in range(length)]
        rows = [*_sizes(postgres), _runs(customers, costs), *_reads(postgres, length)]
        for row in rows:
            print(report.table([row]), "\n")
        print(report.save("year", rows, settings=settings, customers=customers, days=length))


def _day(postgres: Server, day: int) -> batch.Cost:
    with connect(postgres.url("postgres", "postgres")) as admin:
        admin.run(f"alter database {NAME} set bench.day = {day:d}")
    with connect(postgres.url(NAME)) as crm:
        for change in CHANGES if day else ():
            crm.run(change, day=day)
        crm_rows.insert(crm, "network_snapshots", crm_rows.snapshot(data.PRICE + day, data.DIFFICULTY))
        if day % 7 == 0:
            crm.run("vacuum analyze")
    cost = batch.run_engine(postgres, NAME)
    print(".", end="", flush=True)
    return cost


def _sizes(postgres: Server) -> list[dict[str, Any]]:
    with connect(postgres.url(NAME)) as crm:
        found = []
        for table in TABLES:
            [[rows, size, row]] = crm.run(
                f"select count(*), pg_total_relation_size('crm_hosting.{table}'), avg(pg_column_size(t))::float8"
                f" from crm_hosting.{table} t"
            )
            found.append({"table": table, "rows": rows, "MB": size / 1e6, "bytes a row": row})
        return found


def _runs(customers: int, costs: list[batch.Cost]) -> dict[str, Any]:
    first, last = costs[1 : EDGE + 1], costs[-EDGE:]
    return {
        "customers": customers,
        "days": len(costs),
        "run CPU s, first days": statistics.median(cost.cpu for cost in first),
        "run CPU s, last days": statistics.median(cost.cpu for cost in last),
    }


def _reads(postgres: Server, length: int) -> list[dict[str, Any]]:
    """A year of customers that have changed as often as any, and the scope's: milliseconds and bytes."""
    os.environ["DATABASE_URL"] = postgres.url(NAME, "crm_hosting")
    with connect(postgres.url(NAME)) as crm:
        changed = crm.run("select distinct customer_id from crm_hosting.fleet_days order by 1 limit 200")
        [[first]] = crm.run(f"select current_date + {length - 1:d} - 364")
    asked = Period(first, None)
    admin = Caller(0, None)
    with closing(Database()) as database:
        took: dict[str, list[tuple[float, int]]] = {"a customer's": [], "everybody's": []}
        for [id_] in changed:
            for whose, of in took.items():
                with database.transaction(read_only=True) as transaction:
                    transaction.rows(SCOPE_TO, tenant_id=None)
                    started = time.perf_counter()
                    answer = (
                        customer.customer_history_json(transaction, id_, asked)
                        if whose == "a customer's"
                        else scope.scope_history_json(transaction, admin, asked)
                    )
                    of.append((time.perf_counter() - started, len(answer.encode())))
    return [
        {
            "a year of": whose,
            "ms, quickest": 1000 * min(one[0] for one in of),
            "ms, median": 1000 * statistics.median(one[0] for one in of),
            "ms, p95": 1000 * statistics.quantiles((one[0] for one in of), n=20)[-1],
            "KB of JSON": statistics.median(one[1] for one in of) / 1000,
        }
        for whose, of in took.items()
    ]


if __name__ == "__main__":
    os.environ.setdefault("LINK_SCOPE", "any")
    given = [int(number.replace(",", "").replace("_", "")) for number in sys.argv[1:]]
    main(*(given + [100_000, 365][len(given) :]))
