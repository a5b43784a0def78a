"""`make flood`: what a tenant who asks for runs without end costs everybody else.

The quickest times of another tenant's and an admin's requests, without a run in the table and with a million of one
tenant's. `python -m benchmarks.flood [runs]`.
"""

import io
import json
import os
import sys
import tempfile
import time
from contextlib import redirect_stdout
from importlib import import_module
from typing import Any

from benchmarks import asking, data, report
from local.lambda_context import LambdaContext
from local.postgres import connect, server

CUSTOMERS = 1_000
RUNS = 1_000_000
ATTACKER, VICTIM = 2, 3  # accounts that own customers
ASKED = ("sync_status", "sync_runs", "sync_all_hosting")

FLOOD = """
insert into crm_hosting.runs (tenant_id, origin, state, started_at, ended_at)
select :attacker, 'request', 'completed', now() - make_interval(secs => :runs - n), now()
from generate_series(1, :runs) n
"""


def main(runs: int) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="flood-") as folder, server(folder, data.SETTINGS) as postgres:
        name = data.make(postgres, CUSTOMERS)
        asking.let_in(postgres, name)
        with connect(postgres.url(name)) as crm:
            crm.run("update user_access set role = 'mining_site_owner' where id in (2, 3)")
        os.environ |= asking.environment(postgres, name) | {"RUN_PAUSE_SECONDS": "0"}
        _times()  # so that either list of runs is a page
        before = _times()
        with connect(postgres.url(name)) as crm:
            crm.run(FLOOD, attacker=ATTACKER, runs=runs)
            crm.run("vacuum analyze crm_hosting.runs")
        after = _times()
    rows = [
        {"asked": what, "without ms": before[what], f"with {runs:,} runs ms": after[what],
         "ratio": after[what] / before[what]}
        for what in before
    ]  # fmt: skip
    print(report.table(rows))
    report.save("flood", rows)


def _times() -> dict[str, float]:
    return {
        f"{function} as {who}": _quickest(function, account)
        for function in ASKED
        for who, account in (("another tenant", VICTIM), ("an admin", asking.ADMIN))
    }


def _quickest(function: str, account: int) -> float:
    handler, asked = import_module(function).handler, asking.event(function, 0, account)
    return min(_milliseconds(handler, asked, LambdaContext(function)) for _ in range(100))


def _milliseconds(handler: Any, asked: dict[str, Any], context: LambdaContext) -> float:
    with redirect_stdout(io.StringIO()):
        began = time.perf_counter()
        answer = handler(asked, context)
        seconds = time.perf_counter() - began
    assert answer["statusCode"] == 200, json.dumps(answer)
    return seconds * 1000


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else RUNS)
