"""The batch: brings the customers of a scope up to date, chunk by chunk, and loses nothing when it is stopped."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger

from crm_services.base.errors import Conflict, QueryFailed, Unavailable
from crm_services.postgres.database import Database
from crm_services.sync import lease
from crm_services.sync.counts import Counts, counts_of
from crm_services.sync.ending import Ending
from crm_services.sync.lease import Lease, Origin, State, TakenOver
from crm_services.sync.metrics import publish_run
from crm_services.sync.patience import IMPATIENT, Patience, always
from crm_services.sync.together import work_together

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

# A function stops so long before its own end. What a run that stops has still to say is said until five seconds before,
# should the database be away just then.
STOP_BEFORE_MS = 60_000
END_BEFORE_MS = 5_000


def limit_of(context: Any, hand_over: Callable[[int, int], None] | None = None) -> TimeLimit:
    """The time that a function has which nobody waits for: it outlives a failover."""
    return TimeLimit(
        has_time=lambda: context.get_remaining_time_in_millis() > STOP_BEFORE_MS,
        hand_over=hand_over,
        has_time_to_end=lambda: context.get_remaining_time_in_millis() > END_BEFORE_MS,
        patience=Patience(outlives_failover=True),
    )


@dataclass(frozen=True)
class Outcome:
    """How a run ended, or that it goes on elsewhere: its counts so far, and how many customers are left."""

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


def run(  # noqa: PLR0913, PLR0917 (each is a thing that a run has to be told)
    database: Database,
    tenant_id: int | None,
    origin: Origin,
    started_by: int | None = None,
    limit: TimeLimit = NO_LIMIT,
    workers: int = 1,
    elsewhere: bool = False,
) -> Outcome:
    """Sync every customer that the tenant sees (None: all customers), by so many workers.

    When time is up the run is handed over, or ends as `partial`; one that is to be `elsewhere` is handed over at once,
    if it can be. Raises Conflict while another run of the scope is alive; a scheduled run waits for its end, as long as
    there is time. A failure that is not one customer's ends the run as failed and is raised.
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
    ending = Ending(database, taken, limit.patience, limit.has_time_to_end)
    began = time.monotonic()
    try:
        if elsewhere:
            remaining = ending.remaining()
            if _is_handed_over(ending, limit):
                return Outcome(taken.run_id, "running", Counts(), remaining)
        is_done, has_begun = work_together(database, ending.lease, limit.patience, limit.has_time, workers)
        if is_done:
            return _end(ending, "completed")
        # Before the run is another's, whom nothing here may fail.
        counts, remaining = ending.counts(), ending.remaining()
        # Handed on without having begun, a run would go round for ever.
        if has_begun and _is_handed_over(ending, limit):
            return Outcome(taken.run_id, "running", counts, remaining)
        return _end(ending, "partial", remaining)
    except TakenOver:
        raise
    except Exception as error:
        _fail(ending, error, began)
        raise


def join(database: Database, run_id: int, token: int, limit: TimeLimit = NO_LIMIT, workers: int = 1) -> Outcome:
    """Work at a run that was handed over with this token, beside whoever else does, until it is done or time is up.

    How the run stands then: `running` where it is to be joined again, and how it ended where it has. Raises TakenOver
    where it was handed over again, or is not known any more; what makes it fail as `run`, but for a database that is
    away: it may be back for whoever joins next.
    """
    began = time.monotonic()

    def take_part() -> Lease:
        with database.transaction() as transaction:
            return lease.join(transaction, run_id, token)

    ending = None
    try:
        joined = limit.patience.repeat(take_part, limit.has_time)
        ending = Ending(database, joined, limit.patience, limit.has_time_to_end)
        is_done, _ = work_together(database, joined, limit.patience, limit.has_time, workers)
        if is_done:
            return _end(ending, "completed")
        return Outcome(run_id, "running", ending.counts(), ending.remaining())
    except TakenOver:
        with database.transaction(read_only=True) as transaction:
            state = lease.state_of(transaction, run_id)
            if state == "running":
                raise
            return Outcome(run_id, state, counts_of(transaction, run_id))
    except Unavailable:
        raise
    except Exception as error:
        if ending:
            _fail(ending, error, began)
        raise


def _is_handed_over(ending: Ending, limit: TimeLimit) -> bool:
    if limit.hand_over is None:
        return False
    passed = ending.pass_on()
    try:
        limit.hand_over(passed.run_id, passed.token)
    except Exception as error:
        logger.warning("not handed over", run_id=passed.run_id, error=type(error).__name__)
        return False
    return True


def _end(ending: Ending, state: State, remaining: int = 0) -> Outcome:
    seconds, counts = ending.end(state)
    run_id, tenant_id = ending.lease.run_id, ending.lease.tenant_id
    publish_run(run_id, tenant_id, state, counts, seconds, ending.doubts, ending.needing_attention)
    return Outcome(run_id, state, counts, remaining)


def _fail(ending: Ending, error: Exception, began: float) -> None:
    reason = error.sqlstate if isinstance(error, QueryFailed) else type(error).__name__
    counts = None
    try:
        _, counts = ending.end("failed", reason)
    except TakenOver:  # another worker has ended it, and said so
        return
    except Exception as failure:  # the database is gone: the lease dies with its heartbeat
        logger.warning("not ended", run_id=ending.lease.run_id, error=type(failure).__name__)
    publish_run(ending.lease.run_id, ending.lease.tenant_id, "failed", counts, time.monotonic() - began)
