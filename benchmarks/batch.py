"""The batch against two plain statements and against the CRM's own way, on the same data in the same run.

`python -m benchmarks.batch [customers …]`: 1,000, 10,000, 100,000 and 1,000,000 unless said otherwise.
"""

import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing, redirect_stdout
from typing import Any, NamedTuple, get_args

import psutil  # type: ignore[import-untyped]

from benchmarks import data, plain, report
from crm_services.base.settings import MachineSource
from crm_services.postgres.database import Database
from crm_services.sync import batch
from local import crm_rows
from local.postgres import Server, connect, server

Times = dict[str, dict[str, list["Cost"]]]

SIZES = (1_000, 10_000, 100_000, 1_000_000)
ORM_SECONDS = 20
WORKERS = (1, 2, 4)
SOURCES: tuple[MachineSource, ...] = get_args(MachineSource)
ENGINE, PLAIN, HASTY = "bench_engine", "bench_plain", "bench_hasty"

CHANGES = {
    "first run": "",
    "nothing changed": "",
    "1 % changed": "update user_miners set quantity = quantity % 20 + 1 where user_id % 100 = :round",
    "price moved": "",  # a snapshot comes
}


class Cost(NamedTuple):
    """What a run took."""

    seconds: float
    cpu: float


def main(sizes: list[int]) -> None:
    """Print the tables and write the results."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, server(folder, data.SETTINGS) as postgres:
        rows = [row for size in sizes for row in compare(postgres, size)]
        print("\n" + report.table(rows))
        workers = of_workers(postgres, max(sizes))
        print("\n" + report.table(workers))
        sources = [of_source(postgres, min(max(sizes), 100_000), source) for source in SOURCES]
        print("\n" + report.table(sources))
        print("\n", report.save("batch", rows, settings=data.SETTINGS, workers=workers, sources=sources))


def compare(postgres: Server, customers: int) -> list[dict[str, Any]]:
    """Engine and plain statements in every scenario, and the CRM's way in the first."""
    source = data.make(postgres, customers)
    rounds = 1 if customers >= 1_000_000 else 3
    times: Times = {name: {contender: [] for contender in (ENGINE, PLAIN, HASTY)} for name in CHANGES}
    for first_round in range(rounds):
        for name in (ENGINE, PLAIN, HASTY):
            data.copy(postgres, source, name)
        _measure(postgres, "first run", first_round, times)
    for scenario in list(CHANGES)[1:]:
        for number in range(1, rounds + 1):
            _measure(postgres, scenario, number, times)
    assert_equal(postgres)
    done, seconds = _orm(postgres, source)
    rows = []
    for scenario, of in times.items():
        ours, floor, hasty = (statistics.median(cost.seconds for cost in costs) for costs in of.values())
        our_cpu, floor_cpu, hasty_cpu = (statistics.median(cost.cpu for cost in costs) for costs in of.values())
        rows.append(
            {
                "customers": customers,
                "scenario": scenario,
                "ours s": ours,
                "customers/s": customers / ours,
                "plain s": floor,
                "ratio": ours / floor,
                "hasty s": hasty,
                "ratio to it": ours / hasty,
                "ours CPU s": our_cpu,
                "plain CPU s": floor_cpu,
                "CPU ratio": our_cpu / floor_cpu,
                "hasty CPU s": hasty_cpu,
                "CPU ratio to it": our_cpu / hasty_cpu,
                "ORM customers/s": done / seconds if scenario == "first run" else None,
                "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    return rows


def of_workers(postgres: Server, customers: int) -> list[dict[str, Any]]:
    """The first run by one, two and four workers, each beside one plain statement on the same data."""
    source = data.make(postgres, customers)
    data.copy(postgres, source, PLAIN)
    plain_seconds = run_plain(postgres, PLAIN).seconds
    rows: list[dict[str, Any]] = []
    for workers in WORKERS:
        data.copy(postgres, source, ENGINE)
        with connect(postgres.url(ENGINE)) as db:
            db.run("vacuum analyze")
        with connect(postgres.url("postgres", "postgres")) as admin:
            admin.run("checkpoint")
        seconds = run_engine(postgres, ENGINE, workers).seconds
        alone = rows[0]["seconds"] if rows else seconds
        rows.append({
            "customers": customers, "workers": workers, "seconds": seconds, "of one worker's": seconds / alone,
            "of the plain statement's": seconds / plain_seconds,
        })  # fmt: skip
    return rows


def of_source(postgres: Server, customers: int, source: MachineSource) -> dict[str, Any]:
    """The first run and one in which nothing changed, by whose rows the machines are: the quickest of three."""
    made = data.make(postgres, customers, source)
    first: list[Cost] = []
    second: list[Cost] = []
    for _ in range(3):
        data.copy(postgres, made, ENGINE)
        for costs in (first, second):
            with connect(postgres.url(ENGINE)) as db:
                db.run("vacuum analyze")
            costs.append(run_engine(postgres, ENGINE))
    cpu = {name: min(cost.cpu for cost in costs) for name, costs in (("first", first), ("nothing changed", second))}
    return {
        "customers": customers,
        "source": source,
        "first run s": min(cost.seconds for cost in first),
        "nothing changed s": min(cost.seconds for cost in second),
        **{f"{name} CPU s": seconds for name, seconds in cpu.items()},
    }


def _measure(postgres: Server, scenario: str, number: int, times: Times) -> None:
    contenders: dict[str, Callable[[Server, str], Cost]] = {ENGINE: run_engine, PLAIN: run_plain, HASTY: run_hasty}
    prepare(postgres, contenders, scenario, number)
    for name in sorted(contenders, reverse=number % 2 == 0):
        times[scenario][name].append(contenders[name](postgres, name))
    print(".", end="", flush=True)


def prepare(postgres: Server, names: Iterable[str], scenario: str, number: int) -> None:
    """Have in these databases happened what the scenario says, and nothing left to do for the server."""
    for name in names:
        with connect(postgres.url(name)) as db:
            if CHANGES[scenario]:
                db.run(CHANGES[scenario], round=number)
            if scenario == "price moved":
                crm_rows.insert(db, "network_snapshots", crm_rows.snapshot(data.PRICE + number, data.DIFFICULTY))
            db.run("vacuum analyze")
    with connect(postgres.url("postgres", "postgres")) as admin:
        admin.run("checkpoint")


def run_engine(postgres: Server, name: str, workers: int = 1) -> Cost:
    """A run of the batch, from an empty connection on; the processors' time is the first worker's."""
    os.environ["DATABASE_URL"] = postgres.url(name, "crm_hosting")
    with closing(Database()) as database, redirect_stdout(io.StringIO()):
        clock = _Clock()
        batch.run(database, None, "console", workers=workers)
        with database.transaction() as transaction:
            return clock.stop(transaction.value("select pg_backend_pid()"))


def run_plain(postgres: Server, name: str, statement: str = plain.STATEMENT) -> Cost:
    """A plain statement, from an empty connection on."""
    clock = _Clock()
    with connect(postgres.url(name)) as db:
        plain.run(db, statement)
        [[backend]] = db.run("select pg_backend_pid()")
        return clock.stop(backend)


def run_hasty(postgres: Server, name: str) -> Cost:
    """The one in floating point."""
    return run_plain(postgres, name, plain.HASTY)


class _Clock:
    """Seconds, and those of the processors: on a busy machine these tell more."""

    def __init__(self) -> None:
        self.started, self.cpu = time.perf_counter(), time.process_time()

    def stop(self, backend: int) -> Cost:
        """What this process and that backend, which was new at the start, have taken."""
        seconds = time.perf_counter() - self.started
        of_backend = psutil.Process(backend).cpu_times()
        return Cost(seconds, time.process_time() - self.cpu + of_backend.user + of_backend.system)


def assert_equal(postgres: Server) -> None:
    """The contenders have written the same figures."""
    figures = []
    for name in (ENGINE, PLAIN):
        with connect(postgres.url(name)) as db:
            figures.append(
                db.run(
                    "select count(hosting_synced_at), md5(string_agg(concat_ws(',', id, miners_count, mining_capacity,"
                    " primary_miner_model, hosting_estimated_daily_btc, hosting_estimated_daily_usd,"
                    " hosting_net_profit_daily), ';' order by id)) from crm_customers"
                )
            )
    assert figures[0] == figures[1], figures


def _orm(postgres: Server, source: str) -> tuple[int, float]:
    """Customers and seconds of the CRM's way, in a process of its own: its memory is not ours."""
    data.copy(postgres, source, PLAIN)
    url = postgres.url(PLAIN).replace("postgresql://", "postgresql+psycopg2://")
    command = [sys.executable, "-m", "benchmarks.orm", url, str(ORM_SECONDS)]
    done, seconds = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return done, seconds


if __name__ == "__main__":
    os.environ.setdefault("LINK_SCOPE", "any")
    main([int(size.replace(",", "").replace("_", "")) for size in sys.argv[1:]] or list(SIZES))
