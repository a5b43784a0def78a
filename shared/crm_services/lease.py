"""The lease on a scope's run: who has it may write, and whoever lets it go cold loses it."""

from dataclasses import dataclass, replace
from typing import Literal

from crm_services import batch_queries as queries
from crm_services.database import Transaction
from crm_services.errors import Conflict
from crm_services.settings import settings

Origin = Literal["schedule", "request", "console"]


class TakenOver(Conflict):
    """Another worker has this run now, or it has ended."""


@dataclass(frozen=True)
class Lease:
    """A run of a scope (`tenant_id` None: every customer) and the token that is its fence."""

    run_id: int
    token: int
    tenant_id: int | None

    def hold(self, transaction: Transaction) -> int:
        """Keep the lease for this transaction, and show that the worker lives.

        Returns the id of the customer up to whom the run is done; raises TakenOver where the lease is another's.
        """
        rows = transaction.rows(queries.HOLD_RUN, run_id=self.run_id, token=self.token)
        if not rows:
            raise TakenOver
        cursor: int = rows[0][0]
        return cursor

    def pass_on(self, transaction: Transaction) -> "Lease":
        """The lease for whoever goes on; the present one is worth nothing any more."""
        rows = transaction.rows(queries.HAND_ON_RUN, run_id=self.run_id, token=self.token)
        if not rows:
            raise TakenOver
        return replace(self, token=rows[0][0])

    def end(self, transaction: Transaction, state: str, failure: str | None = None) -> float:
        """End the run; how many seconds it took. Raises TakenOver as `hold`."""
        rows = transaction.rows(queries.END_RUN, run_id=self.run_id, token=self.token, state=state, failure=failure)
        if not rows:
            raise TakenOver
        seconds: float = rows[0][0]
        return seconds


def take(transaction: Transaction, tenant_id: int | None, origin: Origin, started_by: int | None) -> Lease:
    """Start a run of the scope; raises Conflict, without waiting, while another one of it is alive."""
    if not transaction.value(queries.LOCK_SCOPE, tenant_id=tenant_id):
        raise Conflict
    transaction.rows(queries.ABANDON_DEAD_RUNS, dead_after=settings().run_dead_after_seconds)
    rows = transaction.rows(queries.START_RUN, tenant_id=tenant_id, origin=origin, started_by=started_by)
    if not rows:
        raise Conflict
    return Lease(rows[0][0], rows[0][1], tenant_id)


def resume(transaction: Transaction, run_id: int, token: int) -> Lease:
    """Go on with a run that was handed over with this token: whoever comes first with it, once."""
    rows = transaction.rows(queries.HAND_ON_RUN, run_id=run_id, token=token)
    if not rows:
        raise TakenOver
    return Lease(run_id, rows[0][0], rows[0][1])
