"""How a run stands, and its end: what has to be said once, whoever and however many worked at it."""

from collections.abc import Callable

from aws_lambda_powertools import Logger

from crm_services.access.entry import SCOPE_TO
from crm_services.postgres.database import Database, Transaction
from crm_services.postgres.indexes import missing_indexes
from crm_services.postgres.transaction import STATEMENT_SECONDS
from crm_services.sync import counts as run_counts
from crm_services.sync.attention import review
from crm_services.sync.chunks import CHUNK_SECONDS
from crm_services.sync.counts import Counts
from crm_services.sync.days import mark_run
from crm_services.sync.digest import Digest, claim, send
from crm_services.sync.findings import note_findings
from crm_services.sync.lease import Lease, State, new_claim
from crm_services.sync.old_days import forget_last, prune_days
from crm_services.sync.patience import Patience, Result
from crm_services.sync.retention import prune
from crm_services.sync.shared import Doubts, count_doubts, note_shared
from crm_services.sync.totals import total_day

logger = Logger()


class Ending:
    """What is asked and said of a run when its worker has no more to do, or no more time."""

    def __init__(self, database: Database, lease: Lease, patience: Patience, has_time: Callable[[], bool]) -> None:
        self._database = database
        self.lease = lease
        self._patience = patience
        self._has_time = has_time
        self.doubts: Doubts | None = None  # at the end of a run that completed
        self.needing_attention: int | None = None  # customers, at the end of a run over everybody

    def end(self, state: State, failure: str | None = None) -> tuple[float, Counts]:
        """End the run; how many seconds it took, and its counts. Raises TakenOver where another worker has ended it."""
        by = new_claim()
        digest: Digest | None = None

        def end(transaction: Transaction) -> tuple[float, Counts]:
            nonlocal digest
            seconds, counts, links = self.lease.end(transaction, state, failure, by)
            if state == "completed":
                transaction.rows(SCOPE_TO, tenant_id=self.lease.tenant_id)
                note_shared(transaction, self.lease.tenant_id)
                self.doubts = count_doubts(transaction, self.lease.run_id, self.lease.tenant_id)
                mark_run(transaction, self.lease.tenant_id)
                if self.lease.tenant_id is None:
                    total_day(transaction, counts, links)
                    note_findings(transaction, self.lease.run_id)
                    self.needing_attention = review(transaction)
                    digest = claim(transaction, self.lease.run_id)
                    _warn_of_indexes(transaction)
            return seconds, counts

        if state == "completed" and self.lease.tenant_id is None:
            forget_last(self._database)
        # The chunks of other workers are waited for.
        ended = self._repeat(end, CHUNK_SECONDS)
        if digest:
            send(self._database, digest)
        prune(self._database, self.lease.tenant_id)
        if self.lease.tenant_id is None:
            prune_days(self._database)
        return ended

    def pass_on(self) -> Lease:
        """The lease for whoever goes on; until he comes it is this worker's."""
        claim = new_claim()
        self.lease = self._repeat(lambda transaction: self.lease.pass_on(transaction, claim), CHUNK_SECONDS)
        return self.lease

    def counts(self) -> Counts:
        """What became of the customers up to now."""
        return self._repeat(lambda transaction: run_counts.counts_of(transaction, self.lease.run_id))

    def remaining(self) -> int:
        """How many customers are left."""

        def remaining(transaction: Transaction) -> int:
            transaction.rows(SCOPE_TO, tenant_id=self.lease.tenant_id)
            return run_counts.remaining(transaction, self.lease.run_id)

        return self._repeat(remaining)

    def _repeat(self, do: Callable[[Transaction], Result], statement_seconds: int = STATEMENT_SECONDS) -> Result:
        def in_a_transaction() -> Result:
            with self._database.transaction(statement_seconds=statement_seconds) as transaction:
                return do(transaction)

        return self._patience.repeat(in_a_transaction, self._has_time)


def _warn_of_indexes(transaction: Transaction) -> None:
    if missing := missing_indexes(transaction):
        logger.warning("indexes are missing or not valid: invoke MigrateFunction", indexes=missing)
