"""A failover in the midst of the daily run: it waits, goes on, and loses and doubles nothing."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from pg8000.native import Connection

import daily_sync
from crm_services.base.errors import Unavailable
from crm_services.postgres.database import database
from crm_services.sync import batch, patience, worker
from crm_services.sync.ending import Ending
from local.lambda_context import LambdaContext
from local.postgres import Server
from tests.support.crm import Crm
from tests.support.relay import Relay, State, relay
from tests.support.runs import runs

CUSTOMERS = 12
# A failover takes a minute or two. `make outage` waits for one by the clock, with the pauses that are deployed.
SHORT, OUTAGE_SECONDS = 0.5, float(os.environ.get("OUTAGE_SECONDS", "0.5"))


@pytest.fixture
def network(
    postgres: Server, database_name: str, environment: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Relay]:
    """The bundle reaches the database over this; nobody waits for long."""
    if OUTAGE_SECONDS == SHORT:
        monkeypatch.setattr(patience, "PAUSES_SECONDS", (0.01, 0.02))
        monkeypatch.setattr(patience, "LONG_PAUSE_SECONDS", 0.05)
        monkeypatch.setattr(batch, "LEASE_POLL_SECONDS", 0.05)
    monkeypatch.setattr(worker, "CHUNK_SIZE", 3)
    with TemporaryDirectory() as folder, relay(Path(folder), postgres) as between:
        environment.setenv("DATABASE_URL", between.server.url(database_name, "crm_hosting"))
        yield between
        database.close()


@pytest.fixture
def customers(crm: Crm) -> list[int]:
    crm.snapshot()
    return [crm.linked_customer(quantity=1 + number) for number in range(CUSTOMERS)]


def away(network: Relay, seconds: float, state: State = "refuse") -> None:
    """The database goes, and is there again after so many seconds."""
    network.become(state)
    threading.Timer(seconds, network.become, ["open"]).start()


def before_chunk(monkeypatch: pytest.MonkeyPatch, number: int, do: Callable[[], None]) -> None:
    """Do it when that chunk of the run is about to begin."""
    step, chunks = worker.Worker._step, iter(range(1, 1000))

    def counted(self: worker.Worker) -> worker.Step:
        if next(chunks) == number:
            do()
        return step(self)

    monkeypatch.setattr(worker.Worker, "_step", counted)


def assert_nothing_is_lost_or_doubled(owner: Connection) -> None:
    [run] = runs(owner)
    counts = {name: run[name] for name in ("state", "total", "linked", "synced", "skipped", "errors", "changed")}
    assert counts == {
        "state": "completed", "total": CUSTOMERS, "linked": CUSTOMERS, "synced": CUSTOMERS, "skipped": 0, "errors": 0,
        "changed": CUSTOMERS,
    }  # fmt: skip
    rows = owner.run("select miners_count from crm_customers order by id")
    assert [count for (count,) in rows] == list(range(1, CUSTOMERS + 1))


def run_daily(seconds: float = 900) -> None:
    daily_sync.handler({}, LambdaContext("DailySyncFunction", seconds))


@pytest.mark.usefixtures("customers")
def test_away_at_the_start(network: Relay, owner: Connection) -> None:
    away(network, OUTAGE_SECONDS)
    run_daily()
    assert_nothing_is_lost_or_doubled(owner)


@pytest.mark.usefixtures("customers")
@pytest.mark.parametrize("chunk", [1, 2, 4, 5], ids=["first chunk", "second", "last", "when none is left"])
def test_away_in_the_midst(network: Relay, owner: Connection, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    before_chunk(monkeypatch, chunk, lambda: away(network, OUTAGE_SECONDS))
    run_daily()
    assert_nothing_is_lost_or_doubled(owner)


@pytest.mark.usefixtures("customers")
def test_away_again_and_again(network: Relay, owner: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()

    def flap() -> None:
        while not stop.wait(0.03):
            network.cut()

    flapping = threading.Thread(target=flap)
    flapping.start()
    threading.Timer(1.0, stop.set).start()
    run_daily()
    flapping.join()
    assert_nothing_is_lost_or_doubled(owner)


@pytest.mark.usefixtures("customers")
def test_away_at_the_end_the_run_is_ended_all_the_same(
    network: Relay, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = Ending.end

    def away_before(self: Ending, *given: Any) -> Any:
        away(network, OUTAGE_SECONDS)
        return end(self, *given)

    monkeypatch.setattr(Ending, "end", away_before)
    run_daily()
    assert_nothing_is_lost_or_doubled(owner)


@pytest.mark.usefixtures("customers")
def test_the_answer_to_a_start_is_lost_and_the_run_found_again(
    network: Relay, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, lost = batch.lease.take, iter([True])  # type: ignore[attr-defined]

    def taken_and_cut(transaction, *given):  # type: ignore[no-untyped-def]
        taken = take(transaction, *given)
        if next(lost, False):
            transaction.commit()
            network.cut()
            raise Unavailable
        return taken

    monkeypatch.setattr(batch.lease, "take", taken_and_cut)  # type: ignore[attr-defined]
    run_daily()
    assert_nothing_is_lost_or_doubled(owner)


@pytest.mark.usefixtures("customers")
def test_read_only_for_a_while_as_a_writer_that_was_demoted(
    network: Relay, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    promoted = threading.Event()

    def demote() -> None:
        owner.run("create function public.demoted() returns trigger language plpgsql as "
                  "'begin raise exception using errcode = ''25006''; end'")  # fmt: skip
        owner.run("create trigger demoted before update on crm_hosting.runs execute function public.demoted()")
        threading.Timer(OUTAGE_SECONDS, promote).start()

    def promote() -> None:
        owner.run("drop trigger demoted on crm_hosting.runs")
        promoted.set()

    before_chunk(monkeypatch, 2, demote)
    run_daily()
    assert promoted.wait(OUTAGE_SECONDS + 10)
    assert_nothing_is_lost_or_doubled(owner)


@pytest.mark.usefixtures("customers", "network")
@pytest.mark.parametrize("sqlstate", ["57014", "55P03", "40P01"])
def test_a_lock_that_somebody_holds_for_longer_than_a_statement_may_take(owner: Connection, sqlstate: str) -> None:
    owner.run("create sequence public.attempts; grant usage on sequence public.attempts to public")
    owner.run("create function public.busy() returns trigger language plpgsql as $$ begin"
              " if nextval('public.attempts') < 3"
              f" then raise exception using errcode = '{sqlstate}'; end if; return new; end $$")  # fmt: skip
    owner.run("create trigger busy before update on crm_hosting.runs for each row execute function public.busy()")

    run_daily()
    assert_nothing_is_lost_or_doubled(owner)


@pytest.mark.usefixtures("customers")
def test_one_that_does_not_come_back_in_time_fails_and_the_next_run_does_it_all(
    network: Relay, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.become("refuse")
    with pytest.raises(Unavailable):
        run_daily(seconds=60.3)
    network.become("open")
    run_daily()
    assert_nothing_is_lost_or_doubled(owner)


@pytest.mark.usefixtures("customers")
def test_a_request_does_not_wait_for_a_failover(network: Relay, owner: Connection) -> None:
    network.become("refuse")
    with pytest.raises(Unavailable):
        batch.run(database, None, "request")
