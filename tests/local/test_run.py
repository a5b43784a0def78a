"""`make run` as a process of its own, in a copy of what it needs: it keeps its data beside its code."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from local.cookies import session_cookie
from local.environment import ROOT
from local.postgres import Server, create_database, running
from local.servers import programs
from tests.support.given import SECRET


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for part in ("local", "shared", "functions"):
        shutil.copytree(ROOT / part, tmp_path / part)
    shutil.copy(ROOT / "template.yaml", tmp_path)
    return tmp_path


class Run:
    """A running `local.run`: what it said until it was ready, and a way to ask it."""

    def __init__(self, checkout: Path, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local.run"],
            cwd=checkout,
            env=clean_environment() | {"PORT": "0"} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout
        self.said: list[str] = []
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            if "Ctrl-C" in line:
                break
        self.url = next((word for word in self.said[-1].split() if word.startswith("http")), "").rstrip(".")

    def ask(self, path: str, user: int | None = None, method: str = "GET") -> tuple[int, Any]:
        headers = {"Cookie": f"session={session_cookie(SECRET, user)}"} if user else {}
        request = Request(self.url + path, method=method, headers=headers)  # noqa: S310 (http, to ourselves)
        try:
            with urlopen(request, timeout=30) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except HTTPError as error:
            with error:
                return error.code, json.load(error)

    def end(self, signal_: signal.Signals | None = signal.SIGINT) -> int:
        """End it, or await its end; returns its exit status once all of its output is there."""
        if signal_:
            self.process.send_signal(signal_)
        rest, _ = self.process.communicate(timeout=30)
        self.said += rest.splitlines()
        return self.process.returncode


@pytest.fixture
def given(checkout: Path, environment: pytest.MonkeyPatch) -> Iterator[Run]:
    run = Run(checkout, DATABASE_URL=os.environ["DATABASE_URL"], SESSION_SECRET=SECRET)
    yield run
    assert run.end() == 0
    assert "Traceback" not in "\n".join(run.said)


def clean_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "SESSION_SECRET"}}
    return kept | {"PYTHONPATH": "shared:functions", "POSTGRES": str(programs())}


def test_it_sets_everything_up_serves_the_contracts_story_and_stops_all_of_it(checkout: Path) -> None:
    run = Run(checkout, SESSION_SECRET=SECRET)
    total = {"total": 150, "synced": 45, "skipped": 105, "errors": 0}

    status, stats = run.ask("/crm/api/customer/1/hosting-stats", user=1)
    assert (status, stats["data"]["has_hosting"]) == (200, True)
    status, synced = run.ask("/crm/api/sync-all-hosting", user=3, method="POST")
    assert (status, synced["data"]) == (200, total)
    _, sync_status = run.ask("/crm/api/sync-status", user=3)
    assert sync_status["data"] | {"last_sync": None} == {
        "total_customers": 150,
        "linked_customers": 45,
        "unlinked_customers": 105,
        "link_rate": 30.0,
        "last_sync": None,
        "sync_health": "warning",
        "issues": [
            "关联的账户已不存在的客户:1 个",
            "邮箱匹配多个账户的客户:1 个",
            "失去托管账户关联、数据已清零的客户:1 个",
            "与其他客户共用同一账户的客户:2 个(合计只算一次)",
            "账户同时关联到其他所有者的客户:2 个",
        ],
        "causes": ["account_gone", "ambiguous_email", "link_lost", "shared_account", "shared_across_owners"],
    }
    assert sync_status["data"]["last_sync"]
    # There is a past to draw lines of, and something that changed for the worse.
    first = datetime.now(UTC).date() - timedelta(120)
    for user in (1, 2, 3):
        days = run.ask(f"/crm/api/hosting/history?from={first}", user=user)[1]["data"]
        assert [sum(day["carried"] for day in days), len(days)] == [2, 91]
        assert len({day["total_hashrate"] for day in days}) > 10
        assert run.ask("/crm/api/hosting/attention", user=user)[1]["customers"] > 0
    assert len(run.ask("/crm/api/customer/1/hosting-history?from=" + str(first), user=1)[1]["data"]) == 91
    second = Run(checkout)
    assert second.end(None) == 1
    assert "Another `make run`" in second.said[-1]

    assert run.end() == 0
    assert running(checkout / ".local" / "postgres") is None
    assert not (checkout / ".local" / "postgres" / "data" / "postmaster.pid").exists()
    assert "Traceback" not in "\n".join(run.said)


def test_a_second_start_keeps_the_data_even_after_a_kill(checkout: Path) -> None:
    first = Run(checkout)
    assert "The CRM's data of the last run are kept." not in first.said
    first.end(signal.SIGKILL)

    second = Run(checkout, SESSION_SECRET=SECRET, MACHINE_SOURCE="hosting_miners")

    assert "The CRM's data of the last run are kept." in second.said
    # With the hosting module's machines it shows how they do.
    status, answer = second.ask("/crm/api/customer/1/hosting-performance", user=1)
    assert (status, answer["data"]["miners_count"] > 300) == (200, True)
    assert second.end(signal.SIGTERM) == 0
    assert not (checkout / ".local" / "postgres" / "data" / "postmaster.pid").exists()


def test_a_given_database_is_served_as_it_is(given: Run) -> None:
    assert len(given.said) == 2
    assert given.ask("/crm/api/sync-status")[0] == 401
    assert given.ask("/crm/api/nothing") == (404, {"message": "Not Found"})


def test_no_request_line_breaks_an_execution_environment(given: Run) -> None:
    host, port = given.url.removeprefix("http://").split(":")
    for target in (b"/%00%ff?%zz=%00", b"/crm/api/customer/\xff/hosting-stats", b"*", b"/?" + b"a" * 3000):
        with socket.create_connection((host, int(port)), 10) as connection:
            connection.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
        assert answer.startswith(b"HTTP/1.1 4"), target


def test_without_the_bundles_schema_it_names_make_migrate(checkout: Path, postgres: Server) -> None:
    create_database(postgres, "bare")

    run = Run(checkout, DATABASE_URL=postgres.url("bare"))

    assert run.end(None) == 1
    assert "make migrate" in run.said[-1]


def test_a_port_in_use_is_told_before_anything_is_started(checkout: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        run = Run(checkout, PORT=port)

    assert run.end(None) == 1
    assert f"Port {port} cannot be used" in run.said[-1]
    assert not (checkout / ".local").exists()
