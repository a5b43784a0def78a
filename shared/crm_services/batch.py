"""The batch: brings the customers of a scope up to date, chunk by chunk, and loses nothing when it is stopped."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from crm_services import queries
from crm_services.database import Database, Transaction
from crm_services.errors import AppError, Conflict, ConnectionLost, QueryFailed
from crm_services.market import Market
from crm_services.metrics import publish_run
from crm_services.settings import settings

CHUNK_SIZE = 10_000
DEAD_AFTER_SECONDS = 300
CHUNK_TIMEOUT = "120s"

LOCK_NOT_AVAILABLE = "55P03"
# Data that a column, constraint or trigger refuses: the customers at fault are looked for.
FAULT_OF_A_CUSTOMER = ("22", "23", "P0001")
# Deadlock or serialisation failure: the same chunk may well succeed now.
WORTH_REPEATING = "40"
MAX_REPEATS = 3

Origin = Literal["schedule", "request", "console"]
State = Literal["completed", "partial", "failed"]


class TakenOver(AppError):
    """Another worker has this run now."""


@dataclass(frozen=True)
class Counts:
    """What became of the customers of a run: total = synced + skipped + errors; changed is of the synced."""

    total: int = 0
    linked: int = 0
    synced: int = 0
    skipped: int = 0
    errors: int = 0
    changed: int = 0


@dataclass(frozen=True)
class Outcome:
    """How a run ended, or that it stopped for want of time, and its counts so far."""

    run_id: int
    state: State
    counts: Counts


def run(
    database: Database,
    tenant_id: int | None,
    origin: Origin,
    started_by: int | None = None,
    has_time: Callable[[], bool] = lambda: True,
) -> Outcome:
    """Sync every customer that the tenant sees (None: all customers).

    Stops as `partial` after the chunk during which `has_time` turned false. Raises Conflict while another run of the
    same scope is alive; any failure that is not one customer's ends the run as failed and is raised.
    """
    began = time.monotonic()
    with database.transaction() as transaction:
        run_id, token = _take_lease(transaction, tenant_id, origin, started_by)
    worker = _Worker(database, tenant_id, run_id, token)
    try:
        is_done = worker.work(has_time)
        state: State = "completed" if is_done else "partial"
        worker.end(state)
    except TakenOver:
        raise
    except Exception as error:
        counts = worker.fail(error)
        publish_run(run_id, tenant_id, "failed", counts, time.monotonic() - began)
        raise
    outcome = Outcome(run_id, state, worker.counts())
    publish_run(run_id, tenant_id, state, outcome.counts, time.monotonic() - began)
    return outcome


def _take_lease(
    transaction: Transaction, tenant_id: int | None, origin: Origin, started_by: int | None
) -> tuple[int, int]:
    if not transaction.value(queries.LOCK_SCOPE, tenant_id=tenant_id):
        raise Conflict
    try:
        living = transaction.rows(queries.LIVING_RUN, tenant_id=tenant_id, dead_after=DEAD_AFTER_SECONDS)
    except QueryFailed as error:
        if error.sqlstate == LOCK_NOT_AVAILABLE:  # a worker is in the midst of a chunk
            raise Conflict from None
        raise
    for run_id, is_alive in living:
        if is_alive:
            raise Conflict
        transaction.rows(queries.ABANDON_RUN, run_id=run_id)
    run_id, token = transaction.row(queries.START_RUN, tenant_id=tenant_id, origin=origin, started_by=started_by)
    return run_id, token


class _Worker:
    """Works through one run; each chunk is a transaction in which the run's counts and cursor move too."""

    def __init__(self, database: Database, tenant_id: int | None, run_id: int, token: int) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._run_id = run_id
        self._token = token

    def work(self, has_time: Callable[[], bool]) -> bool:
        """Whether everything was done before the time was up."""
        while has_time():
            ids, market, cursor = self._next_chunk()
            if not ids:
                self._retry_locked()
                return True
            self._sync(ids, cursor, market)
        return False

    def end(self, state: State, failure: str | None = None) -> None:
        with self._database.transaction() as transaction:
            transaction.rows(
                queries.END_RUN,
                run_id=self._run_id, token=self._token, state=state, failure=failure,
            )  # fmt: skip

    def fail(self, error: Exception) -> Counts | None:
        """End the run as failed; its counts, or None where the database is gone (the lease dies with its heartbeat)."""
        reason = error.sqlstate if isinstance(error, QueryFailed) else type(error).__name__
        try:
            self.end("failed", reason)
            return self.counts()
        except AppError:
            return None

    def counts(self) -> Counts:
        with self._database.transaction() as transaction:
            return Counts(*transaction.row(queries.RUN_COUNTS, run_id=self._run_id))

    def _hold(self, transaction: Transaction) -> int:
        transaction.rows(f"set local statement_timeout = '{CHUNK_TIMEOUT}'")
        rows = transaction.rows(queries.HOLD_RUN, run_id=self._run_id, token=self._token)
        if not rows:
            raise TakenOver
        transaction.rows(queries.SCOPE_TO, tenant_id=self._tenant_id)
        cursor: int = rows[0][0]
        return cursor

    def _next_chunk(self) -> tuple[list[int], Market, int]:
        with self._database.transaction() as transaction:
            cursor = self._hold(transaction)
            ids = transaction.value(queries.NEXT_CHUNK, after=cursor, size=CHUNK_SIZE)
            return ids, Market.newest(transaction), cursor

    def _sync(self, ids: list[int], after: int, market: Market) -> None:
        """Sync the customers of these ids, all greater than `after`; divide where some of them fail."""
        for attempt in range(MAX_REPEATS):
            try:
                return self._sync_range(after, ids[-1], market)
            except ConnectionLost:
                with self._database.transaction() as transaction:
                    if self._hold(transaction) >= ids[-1]:
                        return None  # the commit had arrived before the connection was lost
                if attempt == MAX_REPEATS - 1:
                    raise
            except QueryFailed as error:
                if error.sqlstate.startswith(FAULT_OF_A_CUSTOMER):
                    return self._divide(ids, after, market, error)
                if not error.sqlstate.startswith(WORTH_REPEATING) or attempt == MAX_REPEATS - 1:
                    raise
        return None

    def _divide(self, ids: list[int], after: int, market: Market, error: QueryFailed) -> None:
        if len(ids) == 1:
            with self._database.transaction() as transaction:
                self._hold(transaction)
                self._record(transaction, ids, error.sqlstate, error.constraint)
                self._advance(transaction, ids[0], Counts(total=1, linked=1, errors=1))
            return
        middle = len(ids) // 2
        self._sync(ids[:middle], after, market)
        self._sync(ids[middle:], ids[middle - 1], market)

    def _sync_range(self, after: int, upto: int, market: Market) -> None:
        with self._database.transaction() as transaction:
            self._hold(transaction)
            total, linked, synced, changed, locked = sync_range(transaction, after, upto, market, self._run_id)
            if locked:
                self._record(transaction, locked, LOCK_NOT_AVAILABLE, None)
            self._advance(
                transaction,
                upto,
                Counts(total, linked, synced - len(locked), total - synced, len(locked), changed),
            )

    def _retry_locked(self) -> None:
        with self._database.transaction() as transaction:
            self._hold(transaction)
            rows = transaction.rows(queries.LOCKED_CUSTOMERS, run_id=self._run_id)
        for (customer_id,) in rows:
            try:
                self._retry(customer_id)
            except QueryFailed as error:
                with self._database.transaction() as transaction:
                    self._hold(transaction)
                    self._record(transaction, [customer_id], error.sqlstate, error.constraint)

    def _retry(self, customer_id: int) -> None:
        with self._database.transaction() as transaction:
            self._hold(transaction)
            _, _, synced, changed, locked = sync_range(
                transaction, customer_id - 1, customer_id, Market.newest(transaction), self._run_id
            )
            if not locked:
                transaction.rows(queries.FORGET_ERROR, run_id=self._run_id, customer_id=customer_id)
                self._advance(
                    transaction,
                    customer_id,
                    Counts(synced=synced, skipped=1 - synced, errors=-1, changed=changed),
                )

    def _record(self, transaction: Transaction, ids: list[int], sqlstate: str, constraint: str | None) -> None:
        transaction.rows(
            queries.RECORD_ERRORS,
            run_id=self._run_id, customer_ids=ids, sqlstate=sqlstate, constraint=constraint,
        )  # fmt: skip

    def _advance(self, transaction: Transaction, upto: int, counts: Counts) -> None:
        transaction.rows(queries.ADVANCE_RUN, run_id=self._run_id, upto=upto, **vars(counts))


def sync_range(transaction: Transaction, after: int, upto: int, market: Market, run_id: int | None = None) -> list[Any]:
    """Sync the visible customers with `after < id <= upto`: total, linked, synced, changed, the ids of locked rows."""
    return transaction.row(
        queries.SYNC,
        after=after,
        upto=upto,
        link_any=settings().link_any,
        run_id=run_id,
        btc_per_terahash=market.btc_per_terahash_day,
        btc_price=market.btc_price or 0,
    )
