"""`make load`: wrk, a load generator, against the gateway that `make run` serves, on a database of its own.

Fails when a request fails, when there are more or fewer connections to the database than execution environments, or
when not everybody beyond the role's connection limit is refused at once with 503. Speed is printed, not judged.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks import asking, report
from local.cookies import session_cookie
from local.crm import DATABASE, prepare
from local.environment import ROOT
from local.people import ADMIN, FIRST_CUSTOMER
from local.postgres import Server, connect, server
from local.serve import ENVIRONMENTS

CONCURRENCY = (1, 2, 4, 8, 16, 32)
SECONDS = 3
START_SECONDS = 60

PATHS = {
    "hosting-stats": f"/crm/api/customer/{FIRST_CUSTOMER}/hosting-stats",
    "hosting-miners": f"/crm/api/customer/{FIRST_CUSTOMER}/hosting-miners",
    "sync-status": "/crm/api/sync-status",
}


def main() -> None:
    """Print a table of each concurrency, and how the role's connection limit is met."""
    if not shutil.which("wrk"):
        sys.exit("wrk, the load generator, is missing: `apt install wrk` or `brew install wrk`.")
    with tempfile.TemporaryDirectory(prefix="load-") as folder, server(folder) as postgres:
        prepare(postgres, lambda _: None)
        with _served(postgres) as url, connect(postgres.url(DATABASE, "postgres")) as watch:
            _warm_up(watch, url, ENVIRONMENTS)
            rows = [_row(watch, name, url + path, count) for name, path in PATHS.items() for count in CONCURRENCY]
            print(report.table(rows), flush=True)
            report.save("load", rows, environments=ENVIRONMENTS)
        with _served(postgres, limit=ENVIRONMENTS // 2) as url, connect(postgres.url(DATABASE, "postgres")) as watch:
            _warm_up(watch, url, ENVIRONMENTS // 2)
            _beyond_the_limit(watch, url + PATHS["hosting-stats"])


def _row(watch: Any, name: str, url: str, concurrency: int) -> dict[str, Any]:
    found = _ask(url, concurrency, SECONDS)
    connections = _connections(watch)
    assert found["refused"] == found["broken"] == 0, found
    assert connections == ENVIRONMENTS, f"{connections} connections, but {ENVIRONMENTS} execution environments"
    return {
        "endpoint": name, "callers": concurrency, "requests/s": found["requests"] / found["seconds"],
        "median ms": found["p50"], "p99 ms": found["p99"], "failed": 0, "connections": connections,
    }  # fmt: skip


def _beyond_the_limit(watch: Any, url: str) -> None:
    found = _ask(url, 2 * ENVIRONMENTS, SECONDS)
    connections = _connections(watch)
    print(
        f"\nWith a connection limit of {ENVIRONMENTS // 2} for {ENVIRONMENTS} environments: {found['requests']:,}"
        f" requests, {found['refused']:,} of them refused with 503, median {found['p50']:.0f} ms,"
        f" p99 {found['p99']:.0f} ms; {connections} connections."
    )
    assert connections == ENVIRONMENTS // 2
    assert 0 < found["refused"] < found["requests"], "some are answered, some refused"
    assert found["broken"] == 0


def _ask(url: str, concurrency: int, seconds: int) -> dict[str, Any]:
    cookie = session_cookie(asking.SECRET, ADMIN.id)
    command = ["wrk", "--threads", "1", "--connections", str(concurrency), "--duration", f"{seconds}s"]
    command += ["--timeout", "10s", "--script", str(Path(__file__).with_name("load.lua"))]
    command += ["--header", f"Cookie: session={cookie}", url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30)
    found: dict[str, Any] = json.loads(done.stdout.rpartition("RESULT ")[2])
    return found


def _connections(watch: Any) -> int:
    [[count]] = watch.run("select count(*) from pg_stat_activity where usename = 'crm_hosting'")
    return int(count)


@contextmanager
def _served(postgres: Server, limit: int = -1) -> Iterator[str]:
    with connect(postgres.url(DATABASE, "postgres")) as admin:
        admin.run(f"alter role crm_hosting connection limit {limit}")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | asking.environment(postgres, DATABASE) | {"PORT": str(port)}
    process = subprocess.Popen(
        [sys.executable, "-m", "local.run"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        while process.poll() is None:
            with suppress(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _warm_up(watch: Any, url: str, connections: int) -> None:
    """Ask for everything until all environments have had their turn."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        for path in PATHS.values():
            _ask(url + path, 2 * ENVIRONMENTS, 1)
        if _connections(watch) == connections:
            return
    sys.exit(f"There are {_connections(watch)} connections to the database after {START_SECONDS} s.")


if __name__ == "__main__":
    main()
