"""The batch: brings the customers of a scope up to date, chunk by chunk, and loses nothing when it is stopped."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from aws_lambda_powertools import Logger

from crm_services.base.errors import Conflict, QueryFailed
from crm_services.postgres.database import Database
from crm_services.sync import lease
from crm_services.sync.counts import Counts
from crm_services.sync.lease import Lease, Origin, State, TakenOver
from crm_services.sync.metrics import publish_run
from crm_services.sync.patience import IMPATIENT, Patience, always
from crm_services.sync.worker import Worker

logger = Logger()

# How often a scheduled run that waits for its lease asks again.
LEASE_POLL_SECONDS = 5.0


@dataclass(frozen=True)
class TimeLimit:
    """Whether there is time for another chunk, and who goes on when there is none: he gets run id and token.

    `has_time_to_end` holds a little longer, for what a run that stops has still to say.
    """

    has_time: Callable[[], bool] = always
    hand_over: Callable[[int, int], None] | None = None
    has_time_to_end: Callable[[], bool] = always
    patience: Patience = IMPATIENT


NO_LIMIT = TimeLimit()


@dataclass(frozen=True)
class Outcome:
    """How a run ended, or that it stopped for want of time: its counts so far, and how many customers are left."""

    run_id: int
    state: State
    counts: Counts
    remaining: int = 0

    @property
    def result(self) -> dict[str, int]:
        """What the contract tells of it; `remaining` only where customers are left."""
        counts = self.counts
        result = {"total": counts.total, "synced": counts.synced, "skipped": counts.skipped, "errors": counts.errors}
        return result | ({"remaining": self.remaining} if self.remaining else {})


def run(
    database: Database,
    tenant_id: int | None,
    origin: Origin,
    started_by: int | None = None,
    limit: TimeLimit = NO_LIMIT,
) -> Outcome:
    """Sync every customer that the tenant sees (None: all customers).

    When time is up the run is handed over, or ends as `partial`. Raises Conflict while another run of the scope is
    alive; a scheduled run waits for its end, as long as there is time. A failure that is not one customer's ends the
    run as failed and is raised.
    """
    claim = lease.new_claim()

    def take() -> Lease:
        with database.transaction() as transaction:
            return lease.take(transaction, tenant_id, origin, started_by, claim)

    while True:
        try:
            taken = limit.patience.repeat(take, limit.has_time)
            break
        except Conflict:
            if origin != "schedule" or not limit.has_time():
                raise
            time.sleep(LEASE_POLL_SECONDS)
    return _work(database, taken, limit)


def resume(database: Database, run_id: int, token: int, limit: TimeLimit = NO_LIMIT) -> Outcome:
    """Go on with a run that was handed over with this token; raises TakenOver where somebody has done so before."""
    claim = lease.new_claim()

    def take() -> Lease:
        with database.transaction() as transaction:
            return lease.resume(transaction, run_id, token, claim)

    return _work(database, limit.patience.repeat(take, limit.has_time), limit)


def _work(database: Database, taken: Lease, limit: TimeLimit) -> Outcome:
    began = time.monotonic()
    worker = Worker(database, taken, limit.patience, limit.has_time_to_end)
    try:
        state: State = "completed" if worker.work(limit.has_time) else "partial"
        counts, remaining = worker.counts(), 0 if state == "completed" else worker.remaining()
        # Handed on without having begun, a run would go round for ever.
        if state == "partial" and worker.has_begun and _is_handed_over(worker, limit):
            return Outcome(taken.run_id, "running", counts, remaining)
        seconds = worker.end(state)
    except TakenOver:
        raise
    except Exception as error:
        publish_run(taken.run_id, taken.tenant_id, "failed", _fail(worker, error), time.monotonic() - began)
        raise
    publish_run(taken.run_id, taken.tenant_id, state, counts, seconds, worker.doubts, worker.needing_attention)
    return Outcome(taken.run_id, state, counts, remaining)


def _is_handed_over(worker: Worker, limit: TimeLimit) -> bool:
    if limit.hand_over is None:
        return False
    passed = worker.pass_on()
    try:
        limit.hand_over(passed.run_id, passed.token)
    except Exception as error:
        logger.warning("not handed over", run_id=passed.run_id, error=type(error).__name__)
        return False
    return True


def _fail(worker: Worker, error: Exception) -> Counts | None:
    reason = error.sqlstate if isinstance(error, QueryFailed) else type(error).__name__
    try:
        counts = worker.counts()
        worker.end("failed", reason)
        return counts
    except Exception:  # the database is gone: the lease dies with its heartbeat
        return None
