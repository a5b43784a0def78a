"""`make memory`: the most memory that each function takes for the heaviest thing it may be asked for.

A new process for each, as an execution environment is one; Lambda's own runtime comes on top (about 12 MB).
`python -m benchmarks.memory [customers]`: a million unless said otherwise.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

from benchmarks import asking, data, report
from benchmarks.fleets import add_fleet
from local.postgres import server

CUSTOMERS = 1_000_000
ROWS = 50_000

ASK = """
import json, resource, sys
from local.lambda_context import LambdaContext
import {function}
events = json.loads(sys.argv[1])
for event in events:
    answer = {function}.handler(event, LambdaContext("{function}", timeout=900))
    assert answer.get("statusCode", 200) in (200, 202), answer
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, len(answer.get("body", "")), file=sys.stderr)
"""


def main(customers: int) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="memory-") as folder, server(folder, data.SETTINGS) as postgres:
        name = data.make(postgres, customers)
        asking.let_in(postgres, name)
        fleet = add_fleet(postgres, name, ROWS)
        environment = os.environ | asking.environment(postgres, name)
        rows: list[dict[str, Any]] = [
            {"function": function, "asked for": what, **_peak(function, events, environment)}
            for function, what, events in (
                ("hosting_stats", f"{ROWS:,} rows, include=miners", [_gzip("hosting_stats", fleet, include="miners")]),
                ("hosting_miners", f"the largest page of {ROWS:,} rows", [_gzip("hosting_miners", fleet)]),
                ("hosting_customers", "1,000 customers", [_gzip("hosting_customers", fleet, limit="1000")]),
                ("sync_hosting", f"{ROWS:,} rows", [asking.event("sync_hosting", fleet)]),
                ("sync_status", f"{customers:,} customers", [asking.event("sync_status", fleet)]),
                ("sync_all_hosting", f"{customers:,} customers", [asking.event("sync_all_hosting", fleet)]),
                ("daily_sync", f"{customers:,} customers", [{}]),
            )
        ]
    print(report.table(rows))
    report.save("memory", rows)


def _gzip(function: str, customer: int, **query: str) -> dict[str, Any]:
    asked = asking.event(function, customer, **query)
    asked["headers"]["accept-encoding"] = "gzip"
    return asked


def _peak(function: str, events: Sequence[dict[str, Any]], environment: dict[str, str]) -> dict[str, Any]:
    # Three times: what a warm environment keeps of a request is part of its next one's peak.
    command = [sys.executable, "-c", ASK.format(function=function), json.dumps([*events] * 3)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    kilobytes, answer = done.stderr.split()[-2:]
    return {"answer KB": int(answer) // 1000, "peak MB": int(kilobytes) / 1024}


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else CUSTOMERS)
