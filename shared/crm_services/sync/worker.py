"""Works through one run; each chunk is a transaction in which the run's counts and cursor move too."""

from collections.abc import Callable

from aws_lambda_powertools import Logger

from crm_services.access.entry import SCOPE_TO
from crm_services.base.errors import QueryFailed
from crm_services.postgres.database import Database, Transaction
from crm_services.postgres.indexes import missing_indexes
from crm_services.sync import counts as run_counts
from crm_services.sync import failures
from crm_services.sync.attention import review
from crm_services.sync.chunks import CHUNK_SIZE, chunk, next_customers
from crm_services.sync.counts import Counts
from crm_services.sync.days import mark_run
from crm_services.sync.digest import Digest, claim, send
from crm_services.sync.findings import note_findings
from crm_services.sync.lease import Lease, new_claim
from crm_services.sync.old_days import prune_days
from crm_services.sync.pace import Pace
from crm_services.sync.patience import IMPATIENT, Patience, Result, always
from crm_services.sync.ranges import sync_range
from crm_services.sync.retention import prune
from crm_services.sync.shared import Doubts, count_doubts, note_shared
from crm_services.sync.totals import total_day

logger = Logger()


class Worker:
    """Has the lease on a run, and writes nothing more once it is another's."""

    def __init__(
        self,
        database: Database,
        lease: Lease,
        patience: Patience = IMPATIENT,
        has_time_to_end: Callable[[], bool] = always,
    ) -> None:
        self._database = database
        self._lease = lease
        self._patience = patience
        self._has_time_to_end = has_time_to_end
        self.has_begun = False
        self.doubts: Doubts | None = None  # at the end of a run that completed
        self.needing_attention: int | None = None  # customers, at the end of a run over everybody

    def work(self, has_time: Callable[[], bool]) -> bool:
        """Whether everything was done before the time was up."""
        pace = Pace(CHUNK_SIZE)
        while has_time():
            # The cursor is read again, so nothing is done twice whose commit had arrived.
            if not self._patience.repeat(lambda: self._sync_next(pace), has_time):
                self._patience.repeat(lambda: self._retry_locked(has_time), has_time)
                return True
            self.has_begun = True
        return False

    def end(self, state: str, failure: str | None = None) -> float:
        """End the run; how many seconds it took."""
        digest: Digest | None = None

        def end() -> float:
            nonlocal digest
            with self._database.transaction() as transaction:
                seconds = self._lease.end(transaction, state, failure)
                if state == "completed":
                    transaction.rows(SCOPE_TO, tenant_id=self._lease.tenant_id)
                    note_shared(transaction, self._lease.tenant_id)
                    self.doubts = count_doubts(transaction, self._lease.run_id, self._lease.tenant_id)
                    mark_run(transaction, self._lease.tenant_id)
                    if self._lease.tenant_id is None:
                        total_day(transaction)
                        note_findings(transaction, self._lease.run_id)
                        self.needing_attention = review(transaction)
                        digest = claim(transaction, self._lease.run_id)
                        _warn_of_indexes(transaction)
                return seconds

        seconds = self._in_the_end(end)
        if digest:
            send(self._database, digest)
        prune(self._database, self._lease.tenant_id)
        if self._lease.tenant_id is None:
            prune_days(self._database)
        return seconds

    def pass_on(self) -> Lease:
        """The lease for whoever goes on; until he comes it is this worker's."""
        claim = new_claim()

        def pass_on() -> Lease:
            with self._database.transaction() as transaction:
                return self._lease.pass_on(transaction, claim)

        self._lease = self._in_the_end(pass_on)
        return self._lease

    def counts(self) -> Counts:
        """What became of the customers up to now."""

        def counts() -> Counts:
            with self._database.transaction() as transaction:
                return run_counts.counts_of(transaction, self._lease.run_id)

        return self._in_the_end(counts)

    def remaining(self) -> int:
        """How many customers are left."""

        def remaining() -> int:
            with self._database.transaction() as transaction:
                transaction.rows(SCOPE_TO, tenant_id=self._lease.tenant_id)
                return run_counts.remaining(transaction, self._lease.run_id)

        return self._in_the_end(remaining)

    def _in_the_end(self, do: Callable[[], Result]) -> Result:
        return self._patience.repeat(do, self._has_time_to_end)

    def _sync_next(self, pace: Pace) -> bool:
        """Sync the next customers, or have the pace go after the one that is at fault; False where none is left."""
        count, upto = 0, 0
        try:
            with chunk(self._database, self._lease.tenant_id) as transaction:
                after = self._lease.hold(transaction)
                count, upto, ids = next_customers(transaction, after, pace.size)
                if not count:
                    return False
                self._sync(transaction, after, upto, ids, count)
        except QueryFailed as error:
            if not error.is_fault_of_a_row:
                raise
            if pace.failed(count):
                self._pass_over(upto, error)
        else:
            pace.went_well(count)
        return True

    def _sync(self, transaction: Transaction, after: int, upto: int, ids: list[int] | None, total: int) -> None:
        done = sync_range(transaction, after, upto, ids, self._lease)
        if done.locked:
            failures.record(transaction, self._lease.run_id, done.locked, failures.LOCK_NOT_AVAILABLE)
        locked = len(done.locked)
        self._advance(
            transaction,
            upto,
            Counts(total, done.linked, done.due - locked, total - done.due, locked, done.changed, done.lost),
        )

    def _pass_over(self, customer_id: int, error: QueryFailed) -> None:
        with self._database.transaction() as transaction:
            self._lease.hold(transaction)
            failures.record(transaction, self._lease.run_id, [customer_id], error.sqlstate, error.constraint)
            self._advance(transaction, customer_id, Counts(total=1, linked=1, errors=1))

    def _retry_locked(self, has_time: Callable[[], bool]) -> None:
        with self._database.transaction() as transaction:
            locked = failures.locked(transaction, self._lease.run_id)
        for start in range(0, len(locked), CHUNK_SIZE):
            if start == 0 or has_time():
                self._retry(locked[start : start + CHUNK_SIZE])

    def _retry(self, ids: list[int]) -> None:
        try:
            with chunk(self._database, self._lease.tenant_id) as transaction:
                self._lease.hold(transaction)
                done = sync_range(transaction, ids[0] - 1, ids[-1], only=ids, lease=self._lease)
                synced, free = done.due - len(done.locked), len(ids) - len(done.locked)
                failures.forget(transaction, self._lease.run_id, sorted(set(ids) - set(done.locked)))
                self._advance(
                    transaction,
                    0,
                    Counts(synced=synced, skipped=free - synced, errors=-free, changed=done.changed, lost=done.lost),
                )
        except QueryFailed as error:
            if not error.is_fault_of_a_row:
                raise
            if len(ids) == 1:
                with self._database.transaction() as transaction:
                    self._lease.hold(transaction)
                    failures.record(transaction, self._lease.run_id, ids, error.sqlstate, error.constraint)
            else:
                self._retry(ids[: len(ids) // 2])
                self._retry(ids[len(ids) // 2 :])

    def _advance(self, transaction: Transaction, upto: int, counts: Counts) -> None:
        run_counts.advance(transaction, self._lease.run_id, upto, counts)


def _warn_of_indexes(transaction: Transaction) -> None:
    if missing := missing_indexes(transaction):
        logger.warning("indexes are missing or not valid: invoke MigrateFunction", indexes=missing)
