"""What the history costs the batch: runs that keep it beside runs that keep nothing, on the same data in the same run.

`python -m benchmarks.history [customers …]`: 100,000 and 1,000,000 unless said otherwise.
"""

import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from benchmarks import batch, data, report
from crm_services.fleet.locations import FINGERPRINT
from crm_services.sync import ending, ranges
from crm_services.sync.days import KEEP_DAYS
from local.postgres import Server, server

SIZES = (100_000, 1_000_000)
ROUNDS = 3  # two of a million customers
WITH, WITHOUT = "bench_with", "bench_without"
# What a run's end does for the history alone.
ENDS = {"mark_run": None, "total_day": None, "review": 0, "claim": None, "forget_last": None, "prune_days": None}


def main(sizes: list[int]) -> None:
    """Print the table and write the results."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, server(folder, data.SETTINGS) as postgres:
        rows = [row for size in sizes for row in _compare(postgres, size)]
    print("\n" + report.table(rows))
    print("\n", report.save("history", rows, settings=data.SETTINGS))


def _compare(postgres: Server, customers: int) -> Iterator[dict[str, Any]]:
    source = data.make(postgres, customers)
    for name in (WITH, WITHOUT):
        data.copy(postgres, source, name)
    rounds = 2 if customers >= 1_000_000 else ROUNDS
    for scenario in batch.CHANGES:
        costs: dict[str, list[batch.Cost]] = {WITH: [], WITHOUT: []}
        for number in range(1, 2 if scenario == "first run" else rounds + 1):
            batch.prepare(postgres, costs, scenario, number)
            for name in sorted(costs, reverse=number % 2 == 0):
                costs[name].append(_run(postgres, name))
            print(".", end="", flush=True)
        cpu = {name: [cost.cpu for cost in of] for name, of in costs.items()}
        yield {
            "customers": customers,
            "scenario": scenario,
            "with CPU s": statistics.median(cpu[WITH]),
            "without CPU s": statistics.median(cpu[WITHOUT]),
            "ratio": statistics.median(cpu[WITH]) / statistics.median(cpu[WITHOUT]),
            "of the quickest": min(cpu[WITH]) / min(cpu[WITHOUT]),
            "with s": statistics.median(cost.seconds for cost in costs[WITH]),
            "without s": statistics.median(cost.seconds for cost in costs[WITHOUT]),
        }


def _run(postgres: Server, name: str) -> batch.Cost:
    if name == WITH:
        return batch.run_engine(postgres, name)
    with _keeping_nothing():
        return batch.run_engine(postgres, name)


@contextmanager
def _keeping_nothing() -> Iterator[None]:
    """The batch as it would be without a history, and without what tells that a fleet has moved."""
    bare = ranges.SYNC.replace(f", {KEEP_DAYS}", "\n").replace(FINGERPRINT, "0::bigint").replace(ranges.LINKS, "'[]'")
    assert "fleet_now" not in bare
    assert "hashtextextended" not in bare
    with ExitStack() as patches:
        patches.enter_context(patch.object(ranges, "SYNC", bare))
        for name, value in ENDS.items():
            patches.enter_context(patch.object(ending, name, return_value=value))
        yield


if __name__ == "__main__":
    os.environ.setdefault("LINK_SCOPE", "any")
    main([int(size.replace(",", "").replace("_", "")) for size in sys.argv[1:]] or list(SIZES))
