"""Works at one run, alone or beside others: each chunk is a transaction in which its range's counts and cursor move."""

import time
from collections.abc import Callable
from enum import Enum

from crm_services.access.customers import next_customers
from crm_services.access.entry import SCOPE_TO
from crm_services.base.errors import QueryFailed
from crm_services.postgres.database import Database, Transaction
from crm_services.sync import claims, failures
from crm_services.sync.chunks import CHUNK_SIZE, chunk
from crm_services.sync.claims import Claim
from crm_services.sync.counts import Counts
from crm_services.sync.lease import Lease
from crm_services.sync.pace import Pace
from crm_services.sync.patience import IMPATIENT, Patience
from crm_services.sync.ranges import linked, sync_range

# How often a worker for whom nothing is left looks whether the others are done, or have left him something.
BUSY_SECONDS = 0.2


class Step(Enum):
    """What came of one step: something was done, all that is left is others' at the moment, or nothing is left."""

    WORKED = 1
    WAITS = 2
    DONE = 3


class Worker:
    """Has a part in the lease on a run, and writes nothing more once it is another's."""

    def __init__(self, database: Database, lease: Lease, patience: Patience = IMPATIENT) -> None:
        self._database = database
        self._lease = lease
        self._patience = patience
        self._pace = Pace(CHUNK_SIZE)
        self._number: int | None = None  # of the range that it is at
        self.has_begun = False

    def work(self, has_time: Callable[[], bool]) -> bool:
        """Whether everything was done, by this worker and the others, before the time was up."""
        while has_time():
            # The cursors are read again, so nothing is done twice whose commit had arrived.
            match self._patience.repeat(self._step, has_time):
                case Step.WORKED:
                    self.has_begun = True
                case Step.WAITS:
                    time.sleep(BUSY_SECONDS)
                case Step.DONE:
                    return True
        return False

    def _step(self) -> Step:
        """Sync the next customers, or have the pace go after the one that is at fault."""
        self._find()
        at: Claim | None = None
        count, upto = 0, 0
        try:
            with chunk(self._database, self._lease.tenant_id) as transaction:
                self._lease.hold(transaction)
                at = claims.claim(transaction, self._lease.run_id, self._number)
                if at is None:
                    return self._without(transaction)
                if at.number == claims.ONCE_MORE:
                    locked = failures.locked(transaction, at.run_id, at.cursor, self._pace.size)
                    count, upto = len(locked), locked[-1] if locked else at.upto
                    counts, links = self._sync_again(transaction, locked), "[]"
                else:
                    count, upto, ids = next_customers(transaction, at.cursor, self._pace.size, at.upto)
                    if count < self._pace.size:
                        upto = at.upto  # customers that are gone are in the chunk too
                    counts, links = self._sync(transaction, at, upto, ids, count)
                at.move(transaction, upto, counts, links)
        except QueryFailed as error:
            if not error.is_fault_of_a_row or at is None:
                raise
            if self._pace.failed(count):
                self._pass_over(at, upto, error)
        else:
            self._pace.went_well(count)
            if upto == at.upto:
                self._number = None
        return Step.WORKED

    def _find(self) -> None:
        """Show that the worker lives, and cut a range where it is at none."""
        with self._database.transaction() as transaction:
            after = self._lease.beat(transaction)
            if self._number is None:
                transaction.rows(SCOPE_TO, tenant_id=self._lease.tenant_id)
                self._number = claims.cut(transaction, self._lease.run_id, after, CHUNK_SIZE)

    def _without(self, transaction: Transaction) -> Step:
        if self._number is not None:  # another worker has gone on with it
            self._number = None
            return Step.WORKED
        return Step.WAITS if claims.has_open(transaction, self._lease.run_id) else Step.DONE

    def _sync(
        self, transaction: Transaction, at: Claim, upto: int, ids: list[int] | None, total: int
    ) -> tuple[Counts, str]:
        done = sync_range(transaction, at.cursor, upto, ids, self._lease)
        if done.locked:
            failures.record(transaction, at.run_id, done.locked, failures.LOCK_NOT_AVAILABLE)
        locked = len(done.locked)
        counts = Counts(total, done.linked, done.due - locked, total - done.due, locked, done.changed, done.lost)
        return counts, done.links

    def _sync_again(self, transaction: Transaction, ids: list[int]) -> Counts:
        """Sync those that were locked; what was counted as an error of theirs is taken back."""
        if not ids:
            return Counts()
        done = sync_range(transaction, ids[0] - 1, ids[-1], only=ids, lease=self._lease)
        synced, free = done.due - len(done.locked), len(ids) - len(done.locked)
        failures.forget(transaction, self._lease.run_id, sorted(set(ids) - set(done.locked)))
        return Counts(synced=synced, skipped=free - synced, errors=-free, changed=done.changed, lost=done.lost)

    def _pass_over(self, at: Claim, customer_id: int, error: QueryFailed) -> None:
        with self._database.transaction() as transaction:
            self._lease.hold(transaction)
            if claims.claim(transaction, at.run_id, at.number) != at:
                return  # another worker has come to it in between
            failures.record(transaction, at.run_id, [customer_id], error.sqlstate, error.constraint)
            if at.number == claims.ONCE_MORE:
                at.move(transaction, customer_id, Counts())
            else:
                transaction.rows(SCOPE_TO, tenant_id=self._lease.tenant_id)
                count, links = linked(transaction, customer_id)
                at.move(transaction, customer_id, Counts(total=1, linked=count, errors=1), links)
        if customer_id == at.upto:
            self._number = None
